"""Every value of every body replaced by every nasty value: a clear answer, never a crash."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import members

pytestmark = pytest.mark.django_db

DEEP: Any = "x"
for _step in range(40):
    DEEP = [DEEP]

NASTY: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 63, 1.5, 1e300, "", " ", "x" * 5_000, "\u2028", "\u202e中\U0002a700",
    "١٢٣", "-0", "1e9", "9" * 30, "9990-12-31T23:59:59Z", "1970-01-01T00:00:00+23:59",
    "2026-02-29", [], {}, [[]], [None], {"": ""}, {"$ne": 1}, DEEP, "'; DROP TABLE x; --",
    "{{ 7*7 }}", "%s%n", "../../etc/passwd",
)  # fmt: skip

FEW: tuple[Any, ...] = (None, 1 << 63, "", "x" * 5_000, {"": ""}, DEEP)

Path = tuple[str | int, ...]


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Return the path to every value inside, the whole left out."""
    items: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for key, item in items:
        yield (*at, key)
        yield from places(item, (*at, key))


def replaced(body: Any, at: Path, value: Any) -> Any:
    changed = copy.deepcopy(body)
    parent = changed
    for key in at[:-1]:
        parent = parent[key]
    parent[at[-1]] = value
    return changed


def calls(member: str) -> list[tuple[str, str, Any]]:
    order = bodies.order(
        bodies.line(category="a", brand="b", discounts=[{"amount": "1.00"}], earns=True),
        member=member,
        version=1,
        tenders=[{"kind": "cash", "amount": "1.00"}],
        coupons=["c"],
        store="s",
    )
    refund = bodies.refund(lines=[{"line_no": 1, "quantity": 1, "amount": "1.00"}], points=1)
    interaction = bodies.interaction(member=member, data={"a": [1, "b"]})
    person = bodies.enrolment(
        name="n", birthday="1990-01-01", consents=[{"purpose": "sms", "granted": True}],
        attributes={"a": 1},
    )  # fmt: skip
    path = f"/members/{member}"
    return [
        ("PUT", "/orders/till/{n}", order),
        ("POST", "/orders/till/{n}/refunds", refund),
        ("POST", "/orders/till/{n}/claim", {"identifier": {"kind": "phone", "value": "1"}}),
        ("POST", "/interactions", interaction),
        (
            "POST",
            "/facts/batch",
            {"facts": [{"type": "order", "source": "till", "order_no": "1", **order}]},
        ),
        ("POST", "/members", person),
        ("POST", "/members/batch", {"members": [person]}),
        ("POST", "/members/lookup", person["identifiers"][0]),
        ("PATCH", path, {"name": "n", "birthday": "1990-01-01", "attributes": {"a": 1}}),
        ("PUT", f"{path}/consents", {"consents": person["consents"]}),
        ("POST", f"{path}/adjustments", {"points": 1, "reason": "r"}),
    ]


@pytest.mark.parametrize(
    "values", [FEW, pytest.param(NASTY, marks=pytest.mark.prove)], ids=["few", "all"]
)
@pytest.mark.parametrize("number", range(11))
def test_nasty_value_is_answered(till: Caller, number: int, values: tuple[Any, ...]) -> None:
    method, path, body = calls(str(members.member().public_id))[number]
    for at in places(body):
        for value in values:
            answer = till.call(
                method,
                path.format(n=bodies.number()),
                replaced(body, at, value),
                Idempotency_Key=bodies.number(),
            )
            assert answer.status < 500, (at, value, answer.body)
            if answer.status == 400:
                assert answer.code
