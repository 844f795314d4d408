"""Reservations of points, rewards and benefits together: they stand or fall as one."""

from typing import Any

import pytest

from config.base.errors import DomainError
from members.models import Case, Member
from rewards.models import CouponTemplate, Entry, GiftItem, Redemption, Reservation, Reward
from rewards.services import coupons, intake, reservation, reward_codes
from rewards.services.holdings import holdings_of
from tests.engine.shop import Shop, day, order
from tests.factories import catalogue
from tests.factories.benefits import benefit
from tiers.models import EntitlementPeriod, EntitlementUse, StandingOverride, Tier
from tiers.services import entitlements

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


@pytest.fixture
def mug(shop: Shop) -> Reward:
    return catalogue.reward("mug", 100, pieces=2)


def refusal(work: Any) -> str:
    with pytest.raises(DomainError) as refused:
        work()
    return refused.value.code


@pytest.mark.req("PTS-02", "INT-01")
def test_points_and_rewards_are_held_apart(shop: Shop, ann: Member, mug: Reward) -> None:
    held = catalogue.hold(ann, "mug", at=day(2), points=200)

    parent, part = Reservation.objects.order_by("id")
    assert (parent, parent.points, parent.parent) == (held.reservation, 200, None)
    assert (part.points, part.parent) == (100, parent)
    assert shop.balance(ann) == (0, 200, 300, 0)
    assert catalogue.left(mug) == (2, 1)
    assert catalogue.statuses(mug) == ["held"]


@pytest.mark.parametrize("verb", ["capture", "release"])
@pytest.mark.req("PTS-02")
def test_a_verb_again_is_the_same_answer_and_the_other_one_is_refused(
    shop: Shop, ann: Member, mug: Reward, verb: str
) -> None:
    key = catalogue.hold(ann, "mug", at=day(2), points=200).reservation.public_id
    verbs = {"capture": reservation.capture, "release": reservation.release}
    other = verbs[{"capture": "release", "release": "capture"}[verb]]

    first = verbs[verb](reservation=key, at=day(2), actor="till")
    again = verbs[verb](reservation=key, at=day(3), actor="till")

    assert first.status == again.status == f"{verb}d"
    assert refusal(lambda: other(reservation=key, at=day(3), actor="till")) == "reservation_closed"
    expected = {"capture": ((0, 200, 0, 0), (1, 0), ["requested"]),
                "release": ((0, 500, 0, 0), (2, 0), ["cancelled"])}  # fmt: skip
    assert (shop.balance(ann), catalogue.left(mug), catalogue.statuses(mug)) == expected[verb]


@pytest.mark.req("PTS-02", "RWD-03")
def test_a_lapsed_reservation_gives_everything_back(shop: Shop, ann: Member, mug: Reward) -> None:
    held = catalogue.hold(ann, "mug", at=day(2), points=200)

    shop.pass_time(3)

    assert shop.balance(ann) == (0, 500, 0, 0)
    assert catalogue.left(mug) == (2, 0)
    assert Redemption.objects.get().close_reason == "lapsed"
    assert set(Reservation.objects.values_list("status", flat=True)) == {"lapsed"}
    key = held.reservation.public_id
    for verb in (reservation.capture, reservation.release):
        assert refusal(lambda: verb(reservation=key, at=day(3), actor="t")) == "reservation_lapsed"  # noqa: B023


def test_the_tender_can_be_captured_in_part_and_rewards_only_whole(
    shop: Shop, ann: Member, mug: Reward
) -> None:
    held = catalogue.hold(ann, "mug", at=day(2), points=200)

    reservation.capture(
        reservation=held.reservation.public_id, points=50, at=day(2), actor="till"
    )  # fmt: skip

    assert shop.balance(ann) == (0, 350, 0, 0)
    assert list(Reservation.objects.order_by("id").values_list("captured_points", flat=True)) == [
        50, 100,
    ]  # fmt: skip


@pytest.mark.req("PTS-02", "INT-01")
def test_an_order_captures_the_tender_and_the_rewards(shop: Shop, ann: Member, mug: Reward) -> None:
    held = catalogue.hold(ann, "mug", at=day(2), points=200, minutes=60 * 48).reservation

    outcome = shop.buy(ann, "O2", 100, on=3, held=held, in_points=2)

    assert outcome.data["issues"] == []
    assert catalogue.statuses(mug) == ["requested"]
    assert catalogue.left(mug) == (1, 0)
    assert shop.balance(ann)[1:3] == (500 - 300 + 98, 0)


@pytest.mark.req("PTS-02")
def test_points_that_nobody_set_aside_pay_for_nothing_and_somebody_looks(
    shop: Shop, ann: Member
) -> None:
    outcome = shop.buy(ann, "O2", 100, on=3, in_points=2)
    shop.give_back("O2", "R1", on=4)

    assert outcome.data["issues"] == [{"code": "tender_without_reservation"}]
    assert [(case.code, case.member) for case in Case.objects.all()] == [
        ("tender_without_reservation", ann)
    ]
    assert shop.balance(ann) == (0, 500, 0, 0)


def test_the_past_may_have_been_paid_with_points(shop: Shop, ann: Member) -> None:
    shop.send(order(ann, "O2", 100, on=3, in_points=2), at=3, history=True)

    assert not Case.objects.exists()


def test_a_pack_that_cannot_be_handed_over_is_for_somebody_to_look_at(
    shop: Shop, ann: Member, mug: Reward
) -> None:
    pack = catalogue.reward("pack", 100, kind="pack")
    GiftItem.objects.create(pack=pack, kind="reward", reward=mug, quantity=2)
    held = catalogue.hold(ann, "pack", at=day(2), minutes=60 * 48).reservation
    catalogue.redeem(ann, "mug", at=day(2))

    outcome = shop.buy(ann, "O2", 100, on=3, held=held)

    assert outcome.data["issues"] == [{"code": "out_of_stock", "reward": "pack"}]
    assert [case.code for case in Case.objects.all()] == ["redemption_unfulfilled"]
    assert catalogue.statuses(pack) == ["requested"]


@pytest.mark.req("PTS-02", "PTS-11")
def test_a_refund_gives_back_the_tender_and_never_the_price_of_a_reward(
    shop: Shop, ann: Member, mug: Reward
) -> None:
    shop.buy(ann, "O0", 50, on=200)
    before = shop.lots(ann)
    held = catalogue.hold(ann, "mug", at=day(201), points=420, minutes=60 * 48).reservation
    shop.buy(ann, "O2", 100, on=202, held=held, in_points="4.20")

    shop.give_back("O2", "R1", on=203)

    assert shop.balance(ann) == (0, 450, 0, 0)
    # The price of 100 went first from the end of what the tender left: 80 of the old lot, 20 of the
    # new one, and the tender came back to the old lot alone.
    assert before == [("2027-03-31", 500), ("2027-09-30", 50)]
    assert shop.lots(ann) == [("2027-03-31", 420), ("2027-09-30", 30)]
    assert catalogue.statuses(mug) == ["requested"]


def test_refused_as_a_whole_when_one_thing_is_missing(shop: Shop, ann: Member, mug: Reward) -> None:
    catalogue.reward("cup", 50, pieces=0, tracks_stock=True)
    asked = {
        "out_of_stock": lambda: catalogue.hold(ann, "mug", "cup", at=day(2), points=200),
        "insufficient_points": lambda: catalogue.hold(ann, "mug", at=day(2), points=450),
        "reward_not_found": lambda: catalogue.hold(ann, "mug", "hat", at=day(2)),
        "reservation_empty": lambda: catalogue.hold(ann, at=day(2)),
        "benefit_not_found": lambda: catalogue.hold(
            ann, "mug", at=day(2), benefits=(("spa", 1),)
        ),
    }  # fmt: skip

    for code, work in asked.items():
        assert refusal(work) == code

    assert not Reservation.objects.exists()
    assert (catalogue.left(mug), shop.balance(ann)) == ((2, 0), (0, 500, 0, 0))


@pytest.mark.req("BEN-01")
def test_a_member_who_dropped_cannot_capture_what_is_for_a_higher_tier(
    shop: Shop, ann: Member
) -> None:
    rare = catalogue.reward("rare", 100, pieces=1, min_tier=Tier.objects.get(code="silver"))
    _lift(ann, until=5)
    held = catalogue.hold(ann, "rare", at=day(3), points=100, minutes=60 * 24 * 9).reservation

    assert refusal(
        lambda: reservation.capture(reservation=held.public_id, at=day(6), actor="till")
    ) == "reward_not_for_tier"  # fmt: skip

    assert catalogue.statuses(rare) == ["held"]
    outcome = shop.buy(ann, "O2", 100, on=6, held=held, in_points=1)
    assert outcome.data["issues"] == [{"code": "reward_not_for_tier"}]
    assert shop.cases() == ["reward_not_for_tier"]
    assert (catalogue.statuses(rare), catalogue.left(rare)) == (["cancelled"], (1, 0))
    assert shop.balance(ann)[1:3] == (500 - 100 + 99, 0)


def _lift(member: Member, *, until: float) -> None:
    StandingOverride.objects.create(
        member=member, tier=Tier.objects.get(code="silver"), from_at=day(1), until_at=day(until),
        reason="x", set_by="staff:eve", approved_by="staff:bob", created_at=day(1),
    )  # fmt: skip


@pytest.mark.req("BEN-15")
def test_uses_of_a_benefit_follow_the_reservation(shop: Shop, ann: Member) -> None:
    entitlements.grant(
        member=ann.pk, benefit=benefit("delivery"), quota=2, period="term", from_at=day(1),
        until_at=None, source="staff", source_ref="sorry",
    )  # fmt: skip

    for place, verb in enumerate((reservation.release, reservation.capture)):
        held = catalogue.hold(ann, at=day(2 + place), benefits=(("delivery", 2),)).reservation
        assert EntitlementPeriod.objects.get().held == 2
        verb(reservation=held.public_id, at=day(2 + place), actor="till")

    period = EntitlementPeriod.objects.get()
    assert (period.held, period.used) == (0, 2)
    assert list(EntitlementUse.objects.order_by("id").values_list("status", flat=True)) == [
        "returned", "used",
    ]  # fmt: skip
    assert not Entry.objects.filter(reservation__isnull=False).exists()


def test_codes_that_are_reserved_are_free_again_when_released(shop: Shop, ann: Member) -> None:
    card = catalogue.reward("card", 10, kind="gift_card")
    reward_codes.load(reward=card, codes=["A-1"], batch="one")
    held = catalogue.hold(ann, "card", at=day(2)).reservation
    assert refusal(lambda: catalogue.hold(ann, "card", at=day(2))) == "out_of_stock"

    reservation.release(reservation=held.public_id, at=day(2), actor="till")

    assert catalogue.redeem(ann, "card", at=day(3)).redemption.status == "fulfilled"


def test_a_batch_captures_what_each_order_names(shop: Shop, ann: Member, mug: Reward) -> None:
    held = [
        catalogue.hold(ann, "mug", at=day(2), points=100, minutes=60 * 48).reservation
        for _number in range(2)
    ]
    facts = [
        order(ann, f"P{number}", 100, on=3, held=each, in_points=1)
        for number, each in enumerate(held)
    ]

    intake.receive(facts, touchpoint=shop.touchpoint, at=day(3))

    assert catalogue.statuses(mug) == ["requested", "requested"]
    assert catalogue.left(mug) == (0, 0)


def test_what_is_held_is_told(shop: Shop, ann: Member, mug: Reward) -> None:
    held = catalogue.hold(ann, "mug", at=day(2), points=200).reservation

    told = holdings_of(held)

    assert [row.reward.code for row in told.redemptions] == ["mug"]
    assert (told.coupons, told.benefits) == ([], [])


@pytest.mark.req("PTS-02")
def test_a_coupon_is_held_and_released_with_the_points(shop: Shop, ann: Member) -> None:
    template = CouponTemplate.objects.create(
        code="ten", name_zh="十元券", name_en="Ten", kind="amount", amount=10
    )
    (coupon,) = coupons.issue(template=template, member=ann.pk, count=1, at=day(1), actor="s")
    held = catalogue.hold(ann, at=day(2), points=100, coupons=(coupon.code,)).reservation

    coupon.refresh_from_db()
    assert (coupon.held, holdings_of(held).coupons) == (1, [coupon.code])
    assert refusal(lambda: catalogue.hold(ann, at=day(2), points=1, coupons=(coupon.code,)))
    assert shop.balance(ann) == (0, 400, 100, 0)
    shop.pass_time(3)

    coupon.refresh_from_db()
    assert (coupon.held, coupon.used, shop.balance(ann)) == (0, 0, (0, 500, 0, 0))
