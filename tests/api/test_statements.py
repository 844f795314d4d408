"""How many statements a request costs: no more than promised, however long its list.

Counted below Django, at the driver, so that nothing goes uncounted.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import pytest

from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import members

pytestmark = pytest.mark.django_db

BUDGET = 8
TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET")

Counting = Callable[[], AbstractContextManager[list[str]]]
Committed = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """Return how to collect what is sent to the database."""

    @contextmanager
    def collect() -> Iterator[list[str]]:
        sent: list[str] = []
        with monkeypatch.context() as patch:
            for name in ("execute", "executemany", "copy"):
                patch.setattr(psycopg.Cursor, name, noting(getattr(psycopg.Cursor, name), sent))
            yield sent

    return collect


def noting(original: Callable[..., Any], sent: list[str]) -> Callable[..., Any]:
    def noted(cursor: Any, query: Any, *args: Any, **values: Any) -> Any:
        text = query if isinstance(query, str) else str(query)
        if not text.startswith(TRANSACTION):
            sent.append(text)
        return original(cursor, query, *args, **values)

    return noted


@pytest.fixture
def source() -> str:
    """Return a source of this test alone: its owner is remembered beyond the test."""
    return bodies.number("source-")


@pytest.fixture
def person(till: Caller, source: str, django_capture_on_commit_callbacks: Committed) -> str:
    """Return a member whose till is known to the process, with its programme and rules."""
    person = str(members.member().public_id)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            till.put(f"/orders/{source}/{bodies.number()}", bodies.order(member=person))
    return person


def test_order_stays_within_the_budget(
    till: Caller, person: str, source: str, counting: Counting
) -> None:
    with counting() as sent:
        answer = till.put(f"/orders/{source}/{bodies.number()}", bodies.order(member=person))
    assert answer.status == 200
    assert 3 < len(sent) <= BUDGET, "\n".join(sent)
    assert not any("idempotency" in text for text in sent)


def test_reads_stay_within_the_budget(till: Caller, person: str, counting: Counting) -> None:
    for what in ("points", "tier", "entries", "timeline", "statements?month=2026-01"):
        with counting() as sent:
            assert till.get(f"/members/{person}/{what}").status == 200
        assert len(sent) <= BUDGET, "\n".join(sent)


def test_batch_costs_the_same_for_one_and_for_many(
    till: Caller, person: str, source: str, counting: Counting
) -> None:
    people = [str(members.member().public_id) for _ in range(50)]
    counts = []
    for size in (1, 50):
        facts = [
            {
                "type": "order",
                "source": source,
                "order_no": bodies.number(),
                **bodies.order(member=each),
            }
            for each in people[:size]
        ]
        with counting() as sent:
            results = till.post("/facts/batch", {"facts": facts}).body["results"]
        assert {result["status"] for result in results} == {200}
        counts.append(len(sent))
    assert counts[0] == counts[1] <= BUDGET


def test_enrolment_of_many_costs_as_much_as_of_one(till: Caller, counting: Counting) -> None:
    till.post("/members/batch", {"members": [bodies.enrolment()]})
    counts = []
    for size in (1, 50):
        with counting() as sent:
            people = [bodies.enrolment() for _ in range(size)]
            till.post("/members/batch", {"members": people})
        counts.append(len(sent))
    assert counts[0] == counts[1]
