"""How many statements a request costs: no more than promised, however long its list."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import members

pytestmark = pytest.mark.django_db

BUDGET = 8
TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def statements(captured: CaptureQueriesContext) -> list[str]:
    texts = [query["sql"] for query in captured.captured_queries]
    return [text for text in texts if not text.startswith(TRANSACTION)]


def warm(till: Caller, member: str) -> None:
    """Let the process remember the source, the programme and the names of rules."""
    till.put(f"/orders/till/{bodies.number()}", bodies.order(member=member))
    till.put(f"/orders/till/{bodies.number()}", bodies.order(member=member))


def test_order_stays_within_the_budget(till: Caller) -> None:
    member = str(members.member().public_id)
    warm(till, member)
    with CaptureQueriesContext(connection) as captured:
        answer = till.put(f"/orders/till/{bodies.number()}", bodies.order(member=member))
    assert answer.status == 200
    assert len(statements(captured)) <= BUDGET, "\n".join(statements(captured))
    assert "idempotency" not in "".join(statements(captured))


def test_balance_stays_within_the_budget(till: Caller) -> None:
    member = str(members.member().public_id)
    warm(till, member)
    with CaptureQueriesContext(connection) as captured:
        till.get(f"/members/{member}/points")
    assert len(statements(captured)) <= 4, "\n".join(statements(captured))
    with CaptureQueriesContext(connection) as captured:
        till.get(f"/members/{member}/tier")
    assert len(statements(captured)) <= BUDGET, "\n".join(statements(captured))


def test_batch_costs_the_same_for_one_and_for_many(till: Caller) -> None:
    people = [str(members.member().public_id) for _ in range(50)]
    warm(till, people[0])
    counts = []
    for size in (1, 50):
        facts = [
            {
                "type": "order",
                "source": "till",
                "order_no": bodies.number(),
                **bodies.order(member=person),
            }
            for person in people[:size]
        ]
        with CaptureQueriesContext(connection) as captured:
            results = till.post("/facts/batch", {"facts": facts}).body["results"]
        assert {result["status"] for result in results} == {200}
        counts.append(len(statements(captured)))
    assert counts[0] == counts[1]


def test_enrolment_of_many_costs_as_much_as_of_one(till: Caller) -> None:
    till.post("/members/batch", {"members": [bodies.enrolment()]})
    counts = []
    for size in (1, 50):
        with CaptureQueriesContext(connection) as captured:
            people = [bodies.enrolment() for _ in range(size)]
            till.post("/members/batch", {"members": people})
        counts.append(len(statements(captured)))
    assert counts[0] == counts[1]
