"""Coupons on orders: used, given back, used again; whatever comes when, and however often."""

import dataclasses
import itertools
from decimal import Decimal
from typing import Any

import pytest

from members.models import Case, Member, MemberEvent
from rewards.domain.submission import Submission
from rewards.models import Coupon, CouponStatus, CouponUse, CouponUseStatus
from rewards.services import coupon_revocation, reservation
from tests.engine.shop import Shop, back, day, line, order, refund, unknown
from tests.factories import catalogue, coupons
from tests.flows.stories import proven_shop

proven_shop = pytest.fixture(name="shop")(proven_shop)
pytestmark = [pytest.mark.django_db, pytest.mark.req("RWD-01")]


def status(coupon: Coupon, on: float = 1) -> CouponStatus:
    return Coupon.objects.get(pk=coupon.pk).status_at(day(on))


def uses(coupon: Coupon) -> list[str]:
    rows = CouponUse.objects.filter(coupon=coupon).order_by("pk")
    return list(rows.values_list("status", flat=True))


def issues(outcome: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = outcome.data["issues"]
    return found


def codes_of(outcome: Any) -> list[tuple[str, list[str]]]:
    return [(i["code"], [why["code"] for why in i.get("why", ())]) for i in issues(outcome)]


def discounted(number: int, amount: str, code: str, off: int) -> Any:
    return line(number, amount, discounts=({"code": code, "amount": off},))


def events(kind: str) -> int:
    return MemberEvent.objects.filter(kind=kind).count()


def test_coupon_of_an_order_is_used_once(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0))

    first = shop.buy(ann, "O1", 100, on=1, coupons=(coupon.code.lower(),))
    second = shop.buy(ann, "O2", 100, on=2, coupons=(coupon.code,))

    assert issues(first) == []
    assert issues(second) == [
        {"code": "coupon_not_usable", "coupon": coupon.code, "why": [{"code": "redeemed"}]}
    ]
    assert status(coupon) == CouponStatus.REDEEMED
    use = CouponUse.objects.get()
    assert (use.order and use.order.order_no, use.discount, use.member) == ("O1", Decimal(20), ann)
    assert shop.cases() == ["coupon_not_usable"]
    assert events("coupon.redeemed") == 1


def test_unknown_and_pooled_codes_are_the_same_issue(shop: Shop) -> None:
    ann = shop.join("ann")
    pooled = Coupon.objects.filter(template=coupons.pool(at=day(0), count=1)).get()

    outcome = shop.buy(ann, "O1", 100, on=1, coupons=("NOSUCH", pooled.code))

    assert sorted(issues(outcome), key=lambda issue: issue["coupon"] != "NOSUCH") == [
        {"code": "coupon_unknown", "coupon": code} for code in ("NOSUCH", pooled.code)
    ]
    assert shop.cases() == ["coupon_unknown", "coupon_unknown"]


def test_issue_is_told_again_when_the_order_is_replayed(shop: Shop) -> None:
    ann = shop.join("ann")

    answers = [shop.buy(ann, "O1", 100, on=1, coupons=("NOSUCH",)) for _turn in range(2)]

    assert issues(answers[0]) == issues(answers[1]) == [
        {"code": "coupon_unknown", "coupon": "NOSUCH"}
    ]  # fmt: skip
    assert shop.cases() == ["coupon_unknown"]


def test_partial_refund_keeps_it_full_refund_gives_it_back(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0), expires_after_days=30)
    shop.buy(ann, "O1", 60, 40, on=1, coupons=(coupon.code,))

    shop.give_back("O1", "r1", on=2, lines=(back(1, 60),))
    partly = status(coupon)
    shop.give_back("O1", "r2", on=3, lines=(back(2, 40),))

    assert (partly, status(coupon)) == (CouponStatus.REDEEMED, CouponStatus.ISSUED)
    assert uses(coupon) == ["returned"]
    assert events("coupon.returned") == 1
    again = Coupon.objects.get(pk=coupon.pk)
    assert again.expires_at == coupon.expires_at
    assert again.status_at(day(31)) == CouponStatus.EXPIRED


def test_cancelled_order_gives_it_back_and_a_reopened_one_uses_it_again(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0), expires_after_days=5)
    named = {"coupons": (coupon.code,)}
    shop.buy(ann, "O1", 100, on=1, **named)

    shop.buy(ann, "O1", 100, on=1, version=2, changed=2, status="cancelled", **named)
    cancelled = status(coupon)
    # Its order was placed while it was good, so it may be used again after its end.
    reopened = shop.buy(ann, "O1", 100, on=1, version=3, changed=9, **named)

    assert (cancelled, status(coupon)) == (CouponStatus.ISSUED, CouponStatus.REDEEMED)
    assert issues(reopened) == []
    assert uses(coupon) == ["returned", "redeemed"]


def test_coupon_used_elsewhere_meanwhile_is_not_there_when_the_order_reopens(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0))
    named = {"coupons": (coupon.code,)}
    shop.buy(ann, "O1", 100, on=1, **named)
    shop.buy(ann, "O1", 100, on=1, version=2, changed=2, status="cancelled", **named)
    shop.buy(ann, "O2", 100, on=3, **named)

    reopened = shop.buy(ann, "O1", 100, on=1, version=3, changed=4, **named)

    assert codes_of(reopened) == [("coupon_not_usable", ["redeemed"])]
    assert CouponUse.objects.get(status="redeemed").order.order_no == "O2"  # type: ignore[union-attr]


def test_coupon_dropped_by_a_later_version_comes_back(shop: Shop) -> None:
    ann = shop.join("ann")
    one, other = (coupons.coupon(ann, at=day(0)) for _number in range(2))
    shop.buy(ann, "O1", 100, on=1, coupons=(one.code,))

    shop.buy(ann, "O1", 100, on=1, version=2, changed=2, coupons=(other.code,))

    assert (status(one), status(other)) == (CouponStatus.ISSUED, CouponStatus.REDEEMED)


def test_order_that_moves_to_another_member_takes_only_what_that_one_may_use(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    mine = coupons.coupon(ann, at=day(0))
    (bearer,) = coupons.bearer(at=day(0))
    named = {"coupons": (mine.code, bearer.code)}
    shop.buy(ann, "O1", 100, on=1, **named)

    moved = shop.buy(bob, "O1", 100, on=1, version=2, changed=2, **named)

    assert codes_of(moved) == [("coupon_not_usable", ["not_yours"])]
    assert (uses(mine), uses(bearer)) == (["returned"], ["returned", "redeemed"])
    assert CouponUse.objects.get(status="redeemed").member == bob


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"valid_until": day(1)}, "expired"),
        ({"valid_from": day(3)}, "not_yet_valid"),
        ({"uses_per_member": 1}, "member_limit_reached"),
    ],
)
def test_coupon_that_cannot_be_used_stays_unused(
    shop: Shop, values: dict[str, Any], why: str
) -> None:
    ann = shop.join("ann")
    of = coupons.template(**values)
    one, other = (coupons.coupon(ann, of, at=day(0)) for _number in range(2))
    if "uses_per_member" in values:
        shop.buy(ann, "O1", 100, on=1, coupons=(one.code,))

    outcome = shop.buy(ann, "O2", 100, on=2, coupons=(other.code,))

    assert codes_of(outcome) == [("coupon_not_usable", [why])]
    assert uses(other) == []


def test_revoked_coupon_cannot_be_used(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0))
    coupon_revocation.revoke(coupons=[coupon.pk], reason="mistake", at=day(1), actor="staff:eve")

    outcome = shop.buy(ann, "O1", 100, on=2, coupons=(coupon.code,))

    assert codes_of(outcome) == [("coupon_not_usable", ["revoked"])]
    assert status(coupon) == CouponStatus.REVOKED


@pytest.mark.req("RWD-07")
def test_conditions_not_met_are_told_and_the_coupon_is_used_up(shop: Shop) -> None:
    ann = shop.join("ann")
    of = coupons.template(min_spend=Decimal(200))
    coupon = coupons.coupon(ann, of, at=day(0))
    sold = (discounted(1, "80.00", coupon.code, 2_000),)

    outcome = shop.buy(ann, "O1", on=1, lines=sold, coupons=(coupon.code,))

    assert issues(outcome) == [
        {
            "code": "coupon_not_usable", "coupon": coupon.code,
            "why": [{"code": "min_spend_not_met", "min_spend": "200.00", "missing": "100.00"}],
        }
    ]  # fmt: skip
    assert status(coupon) == CouponStatus.REDEEMED
    # What the till says that it took off is kept.
    assert CouponUse.objects.get().discount == Decimal(20)


def test_min_spend_is_met_before_the_coupon_took_something_off(shop: Shop) -> None:
    ann = shop.join("ann")
    of = coupons.template(min_spend=Decimal(100))
    coupon = coupons.coupon(ann, of, at=day(0))
    sold = (discounted(1, "80.00", coupon.code, 2_000),)

    outcome = shop.buy(ann, "O1", on=1, lines=sold, coupons=(coupon.code,))

    assert issues(outcome) == []


@pytest.mark.req("RWD-06")
def test_first_order_coupon_is_for_the_first_order_of_any_channel(shop: Shop) -> None:
    ann, bob, cyn = shop.join("ann"), shop.join("bob"), shop.join("cyn")
    of = coupons.template(is_first_order_only=True)
    held = {who: coupons.coupon(who, of, at=day(0)) for who in (ann, bob, cyn)}
    shop.buy(bob, "B1", 100, on=1, source="marketplace")
    shop.buy(cyn, "C1", 100, on=1)
    shop.give_back("C1", "r1", on=2)

    outcomes = {
        who: shop.buy(who, f"{who.pk}-2", 100, on=3, coupons=(held[who].code,))
        for who in (ann, bob, cyn)
    }

    assert [codes_of(outcomes[who]) for who in (ann, bob, cyn)] == [
        [], [("coupon_not_usable", ["not_first_order"])], [],
    ]  # fmt: skip


@pytest.mark.req("RWD-06")
def test_first_order_is_asked_of_merged_members_as_one(shop: Shop) -> None:
    ann, old = shop.join("ann"), shop.join("old")
    shop.buy(old, "O1", 100, on=1)
    coupon = coupons.coupon(ann, is_first_order_only=True, at=day(1))
    theirs = coupons.coupon(old, at=day(1))
    Member.objects.filter(pk=old.pk).update(status="merged", merged_into=ann)

    outcome = shop.buy(ann, "A1", 100, on=2, coupons=(coupon.code, theirs.code))

    whys = {issue["coupon"]: [why["code"] for why in issue["why"]] for issue in issues(outcome)}
    assert whys[coupon.code] == ["not_first_order"]
    assert theirs.code not in whys
    Member.objects.filter(pk=old.pk).update(status="active", merged_into=None)


def test_reservation_holds_a_coupon_until_its_order_uses_it(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    (coupon,) = coupons.bearer(at=day(0))
    held = catalogue.hold(ann, at=day(1), coupons=(coupon.code,), minutes=9_999).reservation

    elsewhere = shop.buy(bob, "B1", 100, on=1, coupons=(coupon.code,))
    during = status(coupon)
    own = shop.buy(ann, "A1", 100, on=2, coupons=(coupon.code,), held=held)

    assert codes_of(elsewhere) == [("coupon_not_usable", ["held"])]
    assert (during, status(coupon)) == (CouponStatus.HELD, CouponStatus.REDEEMED)
    assert issues(own) == []
    assert uses(coupon) == ["redeemed"]
    assert CouponUse.objects.get().order.order_no == "A1"  # type: ignore[union-attr]


def test_coupon_of_a_reservation_need_not_be_named_and_comes_back_with_its_order(
    shop: Shop,
) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0))
    held = catalogue.hold(ann, at=day(1), coupons=(coupon.code,), minutes=9_999).reservation
    shop.buy(ann, "A1", 100, on=2, held=held)
    used = status(coupon)

    shop.buy(ann, "A1", 100, on=2, held=held, version=2, changed=3, status="cancelled")
    gone = status(coupon)
    shop.buy(ann, "A1", 100, on=2, held=held, version=3, changed=4)

    assert (used, gone, status(coupon)) == (
        CouponStatus.REDEEMED, CouponStatus.ISSUED, CouponStatus.REDEEMED,
    )  # fmt: skip


@pytest.mark.parametrize("way", ["released", "lapsed"])
def test_reservation_that_ends_gives_the_coupon_back(shop: Shop, way: str) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0))
    held = catalogue.hold(ann, at=day(1), coupons=(coupon.code,)).reservation
    if way == "released":
        reservation.release(reservation=held.public_id, at=day(1), actor="till")
    else:
        shop.pass_time(2)

    assert status(coupon) == CouponStatus.ISSUED
    assert uses(coupon) == ["returned"]
    assert events("coupon.returned") == 0


def test_lapsed_hold_of_somebody_else_is_over_without_any_job(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    (coupon,) = coupons.bearer(at=day(0))
    catalogue.hold(ann, at=day(1), coupons=(coupon.code,), minutes=15)

    outcome = shop.buy(bob, "B1", 100, on=2, coupons=(coupon.code,))

    assert issues(outcome) == []
    assert uses(coupon) == ["returned", "redeemed"]
    shop.pass_time(3)
    assert uses(coupon) == ["returned", "redeemed"]


def test_captured_reservation_uses_the_coupon_without_an_order(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0))
    held = catalogue.hold(ann, at=day(1), coupons=(coupon.code,)).reservation

    reservation.capture(reservation=held.public_id, at=day(1), actor="till")

    assert status(coupon) == CouponStatus.REDEEMED
    assert CouponUse.objects.get().order is None


def test_order_of_a_stranger_uses_the_coupon_when_the_member_joins(shop: Shop) -> None:
    (coupon,) = coupons.bearer(at=day(0))
    shop.buy(unknown("new"), "O1", 100, on=1, coupons=(coupon.code,))
    before = uses(coupon)

    shop.join("new", at=2)

    assert (before, uses(coupon)) == ([], ["redeemed"])


def story(ann: Member, code: str, other: str) -> list[Submission]:
    named = {"coupons": (code,)}
    return [
        order(ann, "O1", 60, 40, on=1, **named),
        order(ann, "O1", 60, 40, on=1, version=2, changed=1.2, coupons=(code, other)),
        order(ann, "O1", 60, 40, on=1, version=3, changed=1.4, **named),
        refund("O1", "r1", on=1.6, lines=(back(1, 60),)),
        order(ann, "O2", 10, on=1.1),
    ]


def state_of(*held: Coupon) -> list[tuple[int, int]]:
    rows = Coupon.objects.filter(pk__in=[coupon.pk for coupon in held]).order_by("pk")
    return [(row.held, row.used) for row in rows]


def test_facts_in_any_order_and_repeated_end_the_same(shop: Shop) -> None:
    expected = None
    for number, places in enumerate(itertools.permutations(range(5))):
        if number % 7:
            continue
        ann = shop.join(f"ann-{number}")
        one, other = (coupons.coupon(ann, at=day(0)) for _number in range(2))
        facts = [_named(fact, number) for fact in story(ann, one.code, other.code)]
        for place in [*places, places[0], places[2]]:
            shop.send(facts[place], at=2)
        found = state_of(one, other)
        expected = expected or found
        assert found == expected == [(0, 1), (0, 0)], places


def test_one_batch_is_as_one_by_one(shop: Shop) -> None:
    ann = shop.join("ann")
    one, other = (coupons.coupon(ann, at=day(0)) for _number in range(2))

    shop.send(*story(ann, one.code, other.code), refund("O1", "r2", on=1.8), at=2)

    assert state_of(one, other) == [(0, 0), (0, 0)]
    assert CouponUse.objects.filter(status=CouponUseStatus.REDEEMED).count() == 0


def _named(fact: Any, number: int) -> Any:
    return dataclasses.replace(fact, order_no=f"{fact.order_no}-{number}")


def test_history_uses_coupons_as_facts_do(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0))

    shop.send(order(ann, "O1", 100, on=1, coupons=(coupon.code,)), at=90, history=True)

    assert status(coupon) == CouponStatus.REDEEMED
    assert Case.objects.count() == 0
