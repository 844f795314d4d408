"""Redeeming points for rewards: with stock, limits and tiers, and back again."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from config.base.errors import DomainError
from members.models import Member, MemberEvent
from members.services import erasure
from rewards.models import (
    Coupon,
    CouponTemplate,
    Entry,
    GiftItem,
    Redemption,
    Reservation,
    Reward,
    RewardAccess,
    RewardCode,
)
from rewards.services import calling_off, redeeming, redemption, reward_codes, stock
from tests.engine.shop import Shop, day
from tests.factories import catalogue
from tiers.models import Tier

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def ann(shop: Shop) -> Member:
    """A member with 500 points of an order of day 1."""
    member = shop.join("ann")
    shop.buy(member, "O1", 500, on=1)
    return member


def refusal(work: Any) -> str:
    with pytest.raises(DomainError) as refused:
        work()
    return refused.value.code


@pytest.mark.req("PTS-03", "RWD-03")
def test_points_and_a_piece_become_a_redemption(shop: Shop, ann: Member) -> None:
    mug = catalogue.reward("mug", 120, pieces=3)

    made = catalogue.redeem(ann, "mug", at=day(2), quantity=2)

    row = Redemption.objects.get()
    held = Reservation.objects.get()
    entry = Entry.objects.get(reservation=held)
    assert (row.status, row.points, row.quantity, row.reservation) == ("requested", 240, 2, held)
    assert (entry.source, entry.target, entry.points) == ("available", "redeemed", 240)
    assert (held.status, held.captured_points) == ("captured", 240)
    assert catalogue.left(mug) == (1, 0)
    assert shop.balance(ann) == (0, 260, 0, 0) == tuple(made.balance)
    assert MemberEvent.objects.filter(kind="redemption.requested").count() == 1


@pytest.mark.req("PTS-03")
def test_a_cancelled_redemption_gives_points_and_piece_back(shop: Shop, ann: Member) -> None:
    mug = catalogue.reward("mug", 450, pieces=1)
    shop.buy(ann, "O2", 500, on=60)
    lots = shop.lots(ann)
    made = catalogue.redeem(ann, "mug", at=day(61)).redemption

    for _again in range(2):
        redeeming.cancel(redemption=made.public_id, at=day(62), actor="till")

    assert shop.lots(ann) == lots
    assert catalogue.left(mug) == (1, 0)
    assert catalogue.statuses(mug) == ["cancelled"]
    assert Reservation.objects.get().given_back_points == 450


def test_what_is_handed_over_is_not_cancelled_but_returned(shop: Shop, ann: Member) -> None:
    mug = catalogue.reward("mug", 100, pieces=1)
    made = catalogue.redeem(ann, "mug", at=day(2)).redemption
    redemption.fulfil(
        redemption=made.pk, at=day(3), actor="staff:eve", carrier="SF", tracking_number="1"
    )

    code = refusal(
        lambda: redeeming.cancel(redemption=made.public_id, at=day(4), actor="till")
    )  # fmt: skip
    redeeming.return_(
        redemption=made.public_id, points_back=True, stock_back=False, reason="broken", at=day(5),
        actor="staff:eve",
    )  # fmt: skip

    assert code == "redemption_not_cancellable"
    assert catalogue.statuses(mug) == ["returned"]
    assert (shop.balance(ann)[1], catalogue.left(mug)) == (500, (0, 0))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"points": 501}, "insufficient_points"),
        ({"pieces": 0, "tracks_stock": True}, "out_of_stock"),
        ({"is_listed": False}, "reward_not_listed"),
        ({"valid_from": day(3)}, "reward_not_yet_available"),
        ({"valid_until": day(2)}, "reward_over"),
        ({"conditions": {"field": "member.rank", "op": "gte", "value": 2}},
         "reward_conditions_not_met"),
        ({"needs_address": True}, "address_required"),
        ({"kind": "experience"}, "slot_required"),
    ],
)  # fmt: skip
@pytest.mark.req("RWD-05", "RWD-08")
def test_a_refused_redemption_changes_nothing(
    shop: Shop, ann: Member, values: dict[str, Any], code: str
) -> None:
    made = catalogue.reward("mug", **{"points": 100, "pieces": 5, **values})
    before = catalogue.left(made)

    assert refusal(lambda: catalogue.redeem(ann, "mug", at=day(2))) == code

    assert not Redemption.objects.exists()
    assert catalogue.left(made) == before
    assert shop.balance(ann) == (0, 500, 0, 0)


@pytest.mark.req("BEN-01")
def test_a_reward_for_a_tier_is_refused_below_it(shop: Shop, ann: Member) -> None:
    catalogue.reward("mug", 100, pieces=5, min_tier=Tier.objects.get(code="silver"))

    assert refusal(lambda: catalogue.redeem(ann, "mug", at=day(2))) == "reward_not_for_tier"

    shop.buy(ann, "O2", 600, on=3)
    assert catalogue.redeem(ann, "mug", at=day(4)).redemption.status == "requested"


@pytest.mark.req("ENG-21")
def test_a_sample_is_given_once_per_member(shop: Shop, ann: Member) -> None:
    catalogue.reward("sample", 0, pieces=5, member_limit=1)
    catalogue.redeem(ann, "sample", at=day(2))

    assert refusal(lambda: catalogue.redeem(ann, "sample", at=day(3))) == "reward_member_limit"

    assert not Reservation.objects.exists()
    assert catalogue.redeem(shop.join("bob"), "sample", at=day(3)).redemption.points == 0


def test_limits_count_per_local_period_and_for_all(shop: Shop, ann: Member) -> None:
    catalogue.reward(
        "mug", 10, pieces=9, member_limit=1, member_limit_period="day", total_limit=2,
        total_limit_period="month",
    )  # fmt: skip
    catalogue.redeem(ann, "mug", at=day(2))
    assert refusal(lambda: catalogue.redeem(ann, "mug", at=day(2))) == "reward_member_limit"
    catalogue.redeem(ann, "mug", at=day(3))
    assert refusal(lambda: catalogue.redeem(ann, "mug", at=day(4))) == "reward_total_limit"
    assert catalogue.redeem(ann, "mug", at=day(31)).redemption.pk


@pytest.mark.req("BEN-12", "BEN-13")
def test_higher_tiers_may_have_a_reward_earlier(shop: Shop, ann: Member) -> None:
    made = catalogue.reward("new", 10, pieces=9, valid_from=day(20))
    for code, opens in (("silver", 15), ("diamond", 10)):
        RewardAccess.objects.create(
            reward=made, tier=Tier.objects.get(code=code), opens_at=day(opens)
        )
    silver, gold = shop.join("silver"), shop.join("gold")
    shop.buy(silver, "O2", 1000, on=1)
    shop.buy(gold, "O3", 3000, on=1)

    assert (
        refusal(lambda: catalogue.redeem(gold, "new", at=day(14.9))) == "reward_not_yet_available"
    )
    catalogue.redeem(gold, "new", at=day(15))
    catalogue.redeem(silver, "new", at=day(15))
    assert refusal(lambda: catalogue.redeem(ann, "new", at=day(19))) == "reward_not_yet_available"
    catalogue.redeem(ann, "new", at=day(20))


@pytest.mark.req("BEN-12")
def test_what_is_kept_for_a_tier_is_never_sold_to_others(shop: Shop, ann: Member) -> None:
    made = catalogue.reward("rare", 10, pieces=1)
    kept = catalogue.receive(made, 1, tier="silver")
    gold = shop.join("gold")
    shop.buy(gold, "O3", 3000, on=1)

    first = catalogue.redeem(gold, "rare", at=day(2)).redemption
    second = catalogue.redeem(ann, "rare", at=day(2)).redemption

    assert first.stock_id == kept.pk
    assert second.stock_id != kept.pk
    redeeming.cancel(redemption=first.public_id, at=day(3), actor="till")
    assert refusal(lambda: catalogue.redeem(ann, "rare", at=day(4))) == "out_of_stock"
    assert catalogue.redeem(gold, "rare", at=day(4)).redemption.stock_id == kept.pk


@pytest.mark.req("RWD-12")
def test_an_experience_has_seats_for_each_date(shop: Shop, ann: Member) -> None:
    made = catalogue.reward("tea", 100, kind="experience", tracks_stock=True)
    catalogue.slot(made, "may", day(60), 1)
    catalogue.slot(made, "june", day(90), 5)

    catalogue.redeem(ann, "tea", at=day(2), slot="may")

    assert refusal(lambda: catalogue.redeem(ann, "tea", at=day(3), slot="may")) == "out_of_stock"
    assert refusal(lambda: catalogue.redeem(ann, "tea", at=day(3), slot="no")) == "slot_not_found"
    assert refusal(lambda: catalogue.redeem(ann, "tea", at=day(91), slot="june")) == "slot_over"


@pytest.mark.req("PTS-05")
def test_entry_fees_go_back_when_the_draw_is_called_off(shop: Shop, ann: Member) -> None:
    draw = catalogue.reward("draw", 50, kind="entry_fee")
    bob = shop.join("bob")
    shop.buy(bob, "O9", 100, on=1)
    lots = shop.lots(ann), shop.lots(bob)
    catalogue.redeem(ann, "draw", at=day(2), quantity=2)
    catalogue.redeem(bob, "draw", at=day(2))
    catalogue.hold(bob, "draw", at=day(2.9), minutes=600)

    done = calling_off.cancel_reward(reward=draw, at=day(3), actor="staff:eve")
    again = calling_off.cancel_reward(reward=draw, at=day(4), actor="staff:eve")

    assert (done, again) == ((3, 0), (0, 0))
    assert (shop.lots(ann), shop.lots(bob)) == lots
    assert refusal(lambda: catalogue.redeem(ann, "draw", at=day(5))) == "reward_not_listed"


def test_a_date_that_is_called_off_takes_nobody_any_more(shop: Shop, ann: Member) -> None:
    made = catalogue.reward("tea", 100, kind="experience", tracks_stock=True)
    may = catalogue.slot(made, "may", day(60), 5)
    catalogue.redeem(ann, "tea", at=day(2), slot="may")

    assert calling_off.cancel_slot(slot=may, at=day(3), actor="staff:eve") == (1, 0)

    assert shop.balance(ann)[1] == 500
    assert catalogue.left(made) == (5, 0)
    assert refusal(lambda: catalogue.redeem(ann, "tea", at=day(4), slot="may")) == "slot_over"


@pytest.mark.req("ENG-22")
def test_points_are_donated(shop: Shop, ann: Member) -> None:
    catalogue.reward("trees", 100, kind="donation")

    made = catalogue.redeem(ann, "trees", at=day(2), quantity=3).redemption

    assert (made.status, made.points, shop.balance(ann)[1]) == ("fulfilled", 300, 200)
    assert refusal(
        lambda: redeeming.cancel(redemption=made.public_id, at=day(3), actor="till")
    ) == "redemption_not_cancellable"  # fmt: skip


def test_each_code_is_given_once_and_stays_readable(shop: Shop, ann: Member) -> None:
    card = catalogue.reward("card", 10, kind="gift_card")
    first = reward_codes.load(reward=card, codes=["A-1", "A-2", "A-1", " "], batch="one")
    second = reward_codes.load(reward=card, codes=["A-2", "A-3"], batch="two")

    given = catalogue.redeem(ann, "card", at=day(2), quantity=2).redemption

    assert ((first.added, first.known), (second.added, second.known)) == ((2, 1), (1, 1))
    assert redeeming.readable_codes(given) == ["A-1", "A-2"]
    assert b"A-1" not in bytes(RewardCode.objects.order_by("id")[0].sealed_code)
    assert refusal(lambda: catalogue.redeem(ann, "card", at=day(3), quantity=2)) == "out_of_stock"
    assert refusal(
        lambda: redeeming.cancel(redemption=given.public_id, at=day(3), actor="till")
    ) == "redemption_not_cancellable"  # fmt: skip


def test_codes_survive_a_rotation_of_the_installation_s_keys(
    shop: Shop, ann: Member, settings: Settings
) -> None:
    card = catalogue.reward("card", 10, kind="gift_card")
    reward_codes.load(reward=card, codes=["A-1", "A-2"], batch="one")
    given = catalogue.redeem(ann, "card", at=day(2)).redemption
    old, new = settings.LOYALTY_KEYS, "2:" + base64.b64encode(bytes(range(32))).decode()

    settings.LOYALTY_KEYS = f"{old},{new}"
    assert (reward_codes.reseal(), reward_codes.reseal()) == (2, 0)
    settings.LOYALTY_KEYS = new

    assert redeeming.readable_codes(given) == ["A-1"]
    assert reward_codes.load(reward=card, codes=["A-2"], batch="two").known == 1


@pytest.mark.req("PTS-03")
def test_a_coupon_bought_with_points_is_revoked_with_its_redemption(
    shop: Shop, ann: Member
) -> None:
    template = CouponTemplate.objects.create(
        code="ten", name_zh="十元券", name_en="Ten", kind="amount", amount=10
    )
    catalogue.reward("ten", 100, kind="coupon", coupon_template=template)
    made = catalogue.redeem(ann, "ten", at=day(2))

    assert [item["template"] for item in made.issued] == ["ten"]
    redeeming.cancel(redemption=made.redemption.public_id, at=day(3), actor="till")

    assert Coupon.objects.get().revoked_at == day(3)
    assert shop.balance(ann)[1] == 500


def _pack(*items: GiftItem) -> Reward:
    pack = catalogue.reward("pack", 200, kind="pack")
    for item in items:
        item.pack = pack
        item.save()
    return pack


@pytest.mark.req("RWD-10")
def test_a_pack_gives_all_of_its_items(shop: Shop, ann: Member) -> None:
    mug = catalogue.reward("mug", 100, pieces=2)
    template = CouponTemplate.objects.create(
        code="ten", name_zh="十元券", name_en="Ten", kind="amount", amount=10
    )
    _pack(
        GiftItem(kind="reward", reward=mug, quantity=2),
        GiftItem(kind="points", quantity=30),
        GiftItem(kind="coupon", coupon_template=template, quantity=2),
    )

    made = catalogue.redeem(ann, "pack", at=day(2))

    assert [item["kind"] for item in made.issued] == ["reward", "points", "coupon", "coupon"]
    assert made.redemption.status == "fulfilled"
    assert catalogue.statuses(mug) == ["requested"]
    assert shop.balance(ann) == (0, 330, 0, 0)
    assert Redemption.objects.get(reward=mug).pack == made.redemption


@pytest.mark.req("RWD-10")
def test_a_pack_of_which_one_item_is_missing_gives_nothing(shop: Shop, ann: Member) -> None:
    mug = catalogue.reward("mug", 100, pieces=1)
    cup = catalogue.reward("cup", 100, pieces=5)
    _pack(
        GiftItem(kind="points", quantity=30),
        GiftItem(kind="reward", reward=cup, quantity=1),
        GiftItem(kind="reward", reward=mug, quantity=2),
    )

    assert refusal(lambda: catalogue.redeem(ann, "pack", at=day(2))) == "out_of_stock"

    assert not Redemption.objects.exists()
    assert (catalogue.left(mug), catalogue.left(cup)) == ((1, 0), (5, 0))
    assert shop.balance(ann) == (0, 500, 0, 0)


@pytest.mark.req("RWD-02")
def test_a_gift_takes_stock_and_no_points(shop: Shop, ann: Member) -> None:
    mug = catalogue.reward("mug", 100, pieces=1, is_listed=False)

    given = redemption.give(member=ann.pk, reward=mug, quantity=1, at=day(2), actor="system")

    assert (given.points, given.reservation_id, given.status) == (0, None, "requested")
    assert catalogue.left(mug) == (0, 0)
    assert shop.balance(ann)[1] == 500
    with pytest.raises(stock.OutOfStockError):
        redemption.give(member=ann.pk, reward=mug, quantity=1, at=day(3), actor="system")


@pytest.mark.req("RWD-11")
def test_the_address_is_unreadable_after_erasure(shop: Shop, ann: Member) -> None:
    catalogue.reward("mug", 100, pieces=1, needs_address=True)
    address = {"name": "安", "line": "南京路 1 号"}
    row = catalogue.redeem(ann, "mug", at=day(2), address=address).redemption

    stored = Redemption.objects.get(pk=row.pk)
    assert "南京路".encode() not in bytes(stored.sealed_address or b"")
    assert redeeming.address_of(stored) == address

    erasure.erase(member=ann, at=day(3), actor="staff:eve", reason="member_request")

    assert redeeming.address_of(Redemption.objects.get(pk=row.pk)) is None


def test_a_redemption_that_needs_approval_is_made_good_when_approved(
    shop: Shop, ann: Member
) -> None:
    card = catalogue.reward("card", 10, kind="gift_card", needs_approval=True)
    reward_codes.load(reward=card, codes=["A-1"], batch="one")
    made = catalogue.redeem(ann, "card", at=day(2)).redemption

    assert (made.status, redeeming.readable_codes(made)) == ("requested", [])
    approved = redemption.approve(redemption=made.pk, at=day(3), actor="staff:eve")

    assert (approved.status, redeeming.readable_codes(approved)) == ("fulfilled", ["A-1"])
    assert approved.approved_at - timedelta(days=1) == day(2)  # type: ignore[operator]
