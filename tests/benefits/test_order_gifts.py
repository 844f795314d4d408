"""Stepped gifts: in one order or over a window, the highest step or all, and refunds below one.

Days count from 2 March 2026; day 30 is 1 April.
"""

from collections.abc import Iterator

import pytest

from members.models import Case
from tests.benefits.shops import grants_of
from tests.engine.shop import Shop, day
from tests.factories.benefits import left, only
from tests.factories.gifts import points, rule, uses
from tests.flows.stories import proven_shop
from tiers.services import entitlements

pytestmark = [pytest.mark.django_db, pytest.mark.req("RWD-04")]

STEPS = ((500, [uses("mug")]), (1000, [uses("bag")]), (2000, [uses("lamp")]))


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    yield from (shop for shop in proven_shop() if only() is not None)


@pytest.mark.parametrize(
    ("mode", "amount", "given"),
    [
        ("highest", "499.99", {}),
        ("highest", 500, {"mug": 1}),
        ("highest", 1999, {"bag": 1}),
        ("highest", 2000, {"lamp": 1}),
        ("all", 500, {"mug": 1}),
        ("all", 2000, {"mug": 1, "bag": 1, "lamp": 1}),
    ],
)
def test_one_order_gives_the_highest_step_or_all(
    shop: Shop, mode: str, amount: int | str, given: dict[str, int]
) -> None:
    rule("spend", "order", *STEPS, step_mode=mode, repeat="each")
    ann = shop.join("ann")
    outcome = shop.buy(ann, "A", amount, on=1)
    assert left(ann, day(1)) == given
    assert {item["code"] for item in outcome.data["issued"]} == set(given)


def test_over_a_month_the_spend_adds_up_and_begins_anew(shop: Shop) -> None:
    rule("month", "order", *STEPS, step_mode="all", step_window="month", repeat="each")
    ann, bob = shop.join("ann"), shop.join("bob")
    shop.buy(ann, "A1", 400, on=1)
    shop.buy(bob, "B1", 600, on=1)
    assert left(ann, day(1)) == {}
    shop.buy(ann, "A2", 100, on=2)
    shop.buy(ann, "A3", 499, on=29)
    assert left(ann, day(29)) == {"mug": 1}
    shop.buy(ann, "A4", 999, on=30)
    assert grants_of(ann) == [("month", "2026-03:500", "given"), ("month", "2026-04:500", "given")]
    shop.buy(ann, "A5", 1, on=31)
    assert grants_of(ann)[-1] == ("month", "2026-04:1000", "given")


def test_the_highest_step_of_a_month_takes_the_place_of_lower_ones(shop: Shop) -> None:
    rule("month", "order", *STEPS, step_window="month", repeat="each")
    ann = shop.join("ann")
    shop.buy(ann, "A1", 500, on=1)
    shop.buy(ann, "A2", 500, on=2)
    assert left(ann, day(2)) == {"bag": 1}
    shop.give_back("A2", "r1", on=3)
    assert left(ann, day(3)) == {}, "what it falls back to is decided by the next order"
    shop.buy(ann, "A3", 1, on=4)
    assert left(ann, day(4)) == {"mug": 1}
    assert not Case.objects.exists()


def test_a_refund_below_the_step_takes_the_gift_back(shop: Shop) -> None:
    rule("spend", "order", *STEPS, step_mode="all", repeat="each")
    ann = shop.join("ann")
    shop.buy(ann, "A", 1200, on=1)
    shop.give_back("A", "r1", on=2, amount=200)
    assert left(ann, day(2)) == {"mug": 1, "bag": 1}, "1,000 is still reached"
    shop.give_back("A", "r2", on=3, amount="0.01")
    assert left(ann, day(3)) == {"mug": 1}
    shop.give_back("A", "r3", on=4)
    assert left(ann, day(4)) == {}


def test_a_gift_that_was_used_is_asked_back(shop: Shop) -> None:
    rule("spend", "order", *STEPS, repeat="each")
    ann = shop.join("ann")
    shop.buy(ann, "A", 500, on=1)
    entitlements.use(member=ann.pk, code="mug", uses=1, at=day(1), actor="till")
    shop.give_back("A", "r1", on=2, amount=1)
    case = Case.objects.get()
    assert (case.code, case.details["reason"], case.fact_id is not None) == (
        "gift_to_return", "no_longer_reached", True,
    )  # fmt: skip


def test_an_order_that_is_cancelled_or_moves_takes_its_gift_along(shop: Shop) -> None:
    rule("spend", "order", *STEPS, repeat="each")
    ann, bob = shop.join("ann"), shop.join("bob")
    shop.buy(ann, "A", 500, on=1)
    shop.buy(bob, "A", 500, on=1, version=2, changed=2)
    assert (left(ann, day(2)), left(bob, day(2))) == ({}, {"mug": 1})
    shop.buy(bob, "A", 500, on=1, version=3, changed=3, status="cancelled")
    assert left(bob, day(3)) == {}


def test_conditions_ask_the_order_and_the_member(shop: Shop) -> None:
    conditions = {
        "all": [
            {"field": "order.channel", "op": "eq", "value": "pos"},
            {"field": "member.rank", "op": "gte", "value": 1},
            {"field": "member.tenure_days", "op": "gte", "value": 2},
        ]
    }
    rule("silver", "order", (0, [uses("mug")]), conditions=conditions, repeat="each")
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    shop.buy(ann, "B", 1, on=1.1)
    assert grants_of(ann) == []
    shop.buy(ann, "C", 1, on=2)
    assert len(grants_of(ann)) == 1


@pytest.mark.req("PTS-13")
def test_the_third_order_of_a_month_gives_a_bonus_once(shop: Shop) -> None:
    rule(
        "third", "order", (3, [points(50)]), step_metric="orders", step_window="month",
        repeat="each",
    )  # fmt: skip
    ann = shop.join("ann")
    outcomes = [shop.buy(ann, f"A{n}", 10, on=n) for n in range(1, 6)]
    told = [outcome.data["issued"] for outcome in outcomes]
    assert told == [[], [], [{"kind": "points", "points": 50, "gift": "third"}], [], []]
    assert outcomes[2].data["balance"]["available"] == 80
    assert shop.balance(ann)[1] == 100
    shop.buy(ann, "A2", 10, on=2)
    assert shop.balance(ann)[1] == 100
    assert grants_of(ann) == [("third", "2026-03", "given")]


@pytest.mark.req("PTS-13")
def test_bonus_points_are_taken_back_and_owed_where_they_were_spent(shop: Shop) -> None:
    rule("big", "order", (100, [points(50)]), repeat="each")
    ann, bob = shop.join("ann"), shop.join("bob")
    for who in (ann, bob):
        shop.buy(who, f"{who.pk}", 100, on=1)
    shop.adjust(bob, -130, on=2)
    outcomes = [shop.give_back(f"{who.pk}", "r1", on=3) for who in (ann, bob)]
    assert (shop.balance(ann), shop.balance(bob)) == ((0, 0, 0, 0), (0, 0, 0, 130))
    assert outcomes[1].data["balance"]["debt"] == 130
    assert not Case.objects.exists()
