"""How many statements a request takes, counted by the server."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from config.base import clock
from config.bench.statements import counted
from members.models import Member
from rewards.services import reservation
from tests import databases
from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import members
from tiers.models import Benefit
from tiers.services import entitlements

MOST = 8

pytestmark = [
    pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the server's statistics are not ours"),
]


def _order(phone: str, **place: str) -> dict[str, Any]:
    identifier = {"kind": "phone", "value": phone}
    return bodies.order(bodies.line(1), bodies.line(2), identifier=identifier, **place)


def _enrolled(till: Caller, count: int) -> list[str]:
    phones = [members.phone() for _number in range(count)]
    people = [bodies.enrolment(identifiers=[{"kind": "phone", "value": phone}]) for phone in phones]
    for start in range(0, count, 100):
        till.post("/members/batch", {"members": people[start : start + 100]})
    return phones


def _batch(till: Caller, phones: list[str]) -> Callable[[], None]:
    facts = [
        _order(phone, type="order", source="till", order_no=bodies.number()) for phone in phones
    ]

    def send() -> None:
        answer = till.post("/facts/batch", {"facts": facts})
        assert {result["status"] for result in answer.body["results"]} == {200}

    return send


def test_a_batch_of_200_takes_the_statements_of_one_order(till: Caller) -> None:
    phones = _enrolled(till, 200)
    _batch(till, phones)()

    counts = [counted(databases.current(), _batch(till, some)) for some in (phones[:1], phones)]

    assert counts[0] == counts[1]
    assert 0 < counts[0] <= MOST


def test_one_order_takes_few_statements(till: Caller) -> None:
    (phone,) = _enrolled(till, 1)
    path = f"/orders/till/{bodies.number()}"
    till.put(f"/orders/till/{bodies.number()}", _order(phone))

    count = counted(databases.current(), lambda: till.put(path, _order(phone)))

    assert 0 < count <= MOST


def test_a_balance_takes_few_statements(till: Caller) -> None:
    (phone,) = _enrolled(till, 1)
    member = till.put(f"/orders/till/{bodies.number()}", _order(phone)).body["member"]

    count = counted(databases.current(), lambda: till.get(f"/members/{member}/points"))

    assert 0 < count <= MOST


def test_a_summary_takes_few_statements_with_all_that_it_tells(till: Caller) -> None:
    (phone,) = _enrolled(till, 1)
    placed_at = bodies.at(days=400)
    facts = [
        {**_order(phone, type="order", source="till", order_no=bodies.number()), "placed_at": at}
        for at in (placed_at, bodies.at(days=300))
    ]
    outcome = till.post("/facts/batch", {"facts": facts}).body["results"][0]
    path = f"/members/{outcome['member']}/summary"
    # Reservations and benefits read more; a hold that has lapsed is due and settled in memory.
    member = Member.objects.get(public_id=outcome["member"])
    reservation.hold(
        member=member.pk, points=1, ttl=timedelta(milliseconds=1), at=clock.now(), actor="t"
    )
    benefit = Benefit.objects.create(code="b", name_zh="b", name_en="b")
    entitlements.grant(
        member=member.pk, benefit=benefit, quota=3, period="year",
        from_at=clock.now() - timedelta(days=1), until_at=None, source="test", source_ref="1",
    )  # fmt: skip
    body = till.get(path).body
    assert body["points"]["reserved"] == 0
    assert body["benefits"]

    count = counted(databases.current(), lambda: till.get(path))

    assert 0 < count <= MOST


def test_a_member_token_takes_one_statement_to_check(till: Caller) -> None:
    (phone,) = _enrolled(till, 1)
    member = till.put(f"/orders/till/{bodies.number()}", _order(phone)).body["member"]
    token = till.post(f"/members/{member}/token", {}).body["token"]
    path = f"/members/{member}/points"
    with_key = counted(databases.current(), lambda: till.get(path))

    with_token = counted(databases.current(), lambda: Caller(till.touchpoint, token).get(path))

    assert 0 < with_token == with_key
