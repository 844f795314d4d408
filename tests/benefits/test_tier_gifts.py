"""Gifts on entering a tier: once, told at the till, taken back with an entry that is undone.

Days count from 2 March 2026.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from members.models import Case, Member, MemberEvent
from rewards.models import Grant, Reward
from tests.benefits.shops import grants_of
from tests.engine.shop import Shop, day, order
from tests.factories.benefits import left, only
from tests.factories.gifts import points, rule, uses
from tests.flows.stories import proven_shop
from tiers.services import entitlements

pytestmark = [pytest.mark.django_db, pytest.mark.req("ENG-06")]


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    yield from (shop for shop in proven_shop() if only() is not None)


def pack(code: str = "upgrade_silver", tier: str = "silver", **values: Any) -> None:
    rule(code, "tier_entered", (0, [uses("voucher", 2), uses("delivery", 2)]), tier=tier, **values)


def use(who: Member, code: str, *, on: float) -> None:
    entitlements.use(member=who.pk, code=code, uses=1, at=day(on), actor="till")


def test_the_order_that_earns_a_tier_brings_its_pack_and_says_so(shop: Shop) -> None:
    pack()
    ann = shop.join("ann")
    outcome = shop.buy(ann, "A", 1000, on=1)
    assert [(item["kind"], item["code"], item["gift"]) for item in outcome.data["issued"]] == [
        ("benefit", "voucher", "upgrade_silver"), ("benefit", "delivery", "upgrade_silver"),
    ]  # fmt: skip
    assert left(ann, day(1)) == {"voucher": 2, "delivery": 2}
    assert grants_of(ann) == [("upgrade_silver", "tier", "given")]
    again = shop.buy(ann, "A", 1000, on=1)
    assert (again.data["replayed"], again.data["issued"]) == (True, outcome.data["issued"])
    assert MemberEvent.objects.filter(kind="grant.given").count() == 1


def test_who_goes_straight_to_gold_gets_the_pack_of_gold(shop: Shop) -> None:
    pack()
    pack("upgrade_gold", "gold")
    ann = shop.join("ann")
    shop.buy(ann, "A", 3000, on=1)
    assert grants_of(ann) == [("upgrade_gold", "tier", "given")]


def test_coming_back_after_a_downgrade_gives_the_pack_no_second_time(shop: Shop) -> None:
    pack()
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    shop.pass_time(380)
    assert shop.tier(ann) == "basic"
    shop.buy(ann, "B", 1000, on=400)
    assert shop.tier(ann) == "silver"
    assert grants_of(ann) == [("upgrade_silver", "tier", "given")]


def test_where_the_rule_says_so_each_cycle_has_its_pack(shop: Shop) -> None:
    pack(repeat="cycle")
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    shop.pass_time(380)
    shop.buy(ann, "B", 1000, on=400)
    assert [grant[1] for grant in grants_of(ann)] == ["cycle:2026-03-03", "cycle:2027-04-06"]


def test_within_a_cycle_coming_back_gives_nothing(shop: Shop) -> None:
    pack(repeat="cycle")
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    use(ann, "voucher", on=2)
    shop.give_back("A", "r1", on=5, amount=500)
    shop.buy(ann, "B", 500, on=6)
    assert shop.tier(ann) == "silver"
    assert [grant[2] for grant in grants_of(ann)] == ["revoked"], "what was used is not given twice"


def test_a_withdrawn_tier_takes_its_unused_gifts_along(shop: Shop) -> None:
    pack()
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    shop.give_back("A", "r1", on=5, amount=500)
    assert grants_of(ann) == [("upgrade_silver", "tier", "revoked")]
    assert left(ann, day(5)) == {}
    assert not Case.objects.exists()
    shop.buy(ann, "B", 500, on=6)
    assert grants_of(ann) == [("upgrade_silver", "tier", "given")], "taken back whole, given again"
    assert left(ann, day(6)) == {"voucher": 2, "delivery": 2}


def test_what_was_used_of_a_withdrawn_tiers_gift_opens_a_case(shop: Shop) -> None:
    pack()
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    use(ann, "voucher", on=2)
    shop.give_back("A", "r1", on=5, amount=500)
    assert left(ann, day(5)) == {}
    case = Case.objects.get(code="gift_to_return")
    assert (case.member_id, case.details["used"]) == (
        ann.pk, [{"kind": "benefit", "benefit": "voucher"}],
    )  # fmt: skip
    shop.buy(ann, "B", 500, on=6)
    assert grants_of(ann) == [("upgrade_silver", "tier", "revoked")]


def test_history_gives_nothing(shop: Shop) -> None:
    only(("silver", "lounge"))
    pack()
    ann = shop.join("ann")
    shop.send(order(ann, "A", 1000, on=1), at=1, history=True)
    assert shop.tier(ann) == "silver"
    assert grants_of(ann) == []
    assert left(ann, day(1)) == {"lounge": None}, "benefits are state, not gifts"


def test_a_gift_that_has_run_out_waits_and_is_given_whole_later(shop: Shop) -> None:
    good = Reward.objects.create(code="mug", name_zh="杯", name_en="Mug", kind="good")
    rule(
        "pack", "tier_entered",
        (0, [points(50), {"kind": "reward", "reward": good, "quantity": 1}]), tier="silver",
    )  # fmt: skip
    ann = shop.join("ann")
    outcome = shop.buy(ann, "A", 1000, on=1)
    assert outcome.data["issued"] == []
    assert Grant.objects.get().evidence["waiting"]
    assert shop.balance(ann)[1] == 1000, "all or nothing"
