"""Random coupons on random carts: nothing negative, nothing too much, whatever the order."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.domain import coupon_terms, coupons
from rewards.domain.cart import KINDS, SHIPPING, SPEND_KINDS, Line
from rewards.domain.coupon_terms import CouponTerms, Kind, Stacking
from rewards.domain.coupons import CouponState, Occasion
from tests.rewards.carts import INSTANT

SKUS = ("tea", "cup", "pot")
BRANDS = ("acme", "zen")
NOW = Occasion(INSTANT)
SCOPES = [
    None,
    *(
        coupon_terms.parse_line_conditions({"field": "line.brand", "op": "eq", "value": brand})
        for brand in BRANDS
    ),
]


@st.composite
def lines(draw: st.DrawFn) -> tuple[Line, ...]:
    count = draw(st.integers(1, 6))
    return tuple(
        Line(
            number, draw(st.sampled_from(SKUS)), draw(st.sampled_from([*KINDS, "goods", "goods"])),
            None, draw(st.sampled_from(BRANDS)), draw(st.integers(0, 5_000)),
            draw(st.integers(0, 50_000)),
        )
        for number in range(1, count + 1)
    )  # fmt: skip


@st.composite
def terms(draw: st.DrawFn, template: str) -> CouponTerms:
    return CouponTerms(
        template,
        draw(st.sampled_from(list(Kind))),
        amount=draw(st.integers(1, 30_000)),
        percent_bp=draw(st.integers(1, 10_000)),
        max_discount=draw(st.none() | st.integers(1, 20_000)),
        free_sku=draw(st.sampled_from(SKUS)),
        min_spend=draw(st.sampled_from([0, 0, 1_000, 40_000])),
        line_conditions=draw(st.sampled_from(SCOPES)),
        stacking=draw(st.sampled_from(list(Stacking))),
        uses_per_member=draw(st.none() | st.integers(1, 2)),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[CouponState], tuple[Line, ...]]:
    templates = [draw(terms(f"t{number}")) for number in range(3)]
    count = draw(st.integers(0, 5))
    chosen = [draw(st.sampled_from(templates)) for _number in range(count)]
    return [CouponState(f"C{number}", each) for number, each in enumerate(chosen)], draw(lines())


def eligible(one: CouponTerms, cart: Sequence[Line]) -> int:
    """Return what the lines are worth that a coupon may touch, in the plainest way."""
    if one.kind is Kind.FREE_SHIPPING:
        return sum(line.amount for line in cart if line.kind == SHIPPING)
    return sum(line.amount for line in cart if line.kind in SPEND_KINDS)


@given(cases())
def test_discounts_are_never_negative_nor_more_than_what_they_are_for(
    case: tuple[list[CouponState], tuple[Line, ...]],
) -> None:
    states, cart = case
    for one in states:
        verdict = coupons.judge(one, cart, NOW)
        assert all(part > 0 for part in verdict.by_line.values())
        assert verdict.is_usable is (verdict.discount > 0)
        assert verdict.discount <= eligible(one.terms, cart)

    applied = coupons.apply(states, cart, NOW)

    before, after = sum(line.amount for line in cart), sum(line.amount for line in applied.lines)
    assert before - after == applied.discount
    assert all(line.amount >= 0 for line in applied.lines)
    assert coupons.without_coupons(applied.lines, {one.code for one in states}) == cart


@pytest.mark.req("CMP-16")
@given(cases(), st.randoms(use_true_random=False))
def test_result_does_not_depend_on_the_order_of_rows(
    case: tuple[list[CouponState], tuple[Line, ...]], choose: Random
) -> None:
    states, cart = case
    mixed = list(states)
    choose.shuffle(mixed)

    assert coupons.apply(mixed, cart, NOW) == coupons.apply(states, cart, NOW)


@pytest.mark.req("CMP-16")
@given(cases())
def test_coupons_that_stand_together_may(
    case: tuple[list[CouponState], tuple[Line, ...]],
) -> None:
    states, cart = case

    applied = coupons.apply(states, cart, NOW)

    used = [one for one in states if applied.of(one.code).is_usable]
    for one in used:
        for other in used:
            if one is other:
                continue
            assert Stacking.ALONE not in {one.terms.stacking, other.terms.stacking}
            if one.terms.template == other.terms.template:
                assert one.terms.stacking is Stacking.ANY
    usable = [one for one in states if coupons.judge(one, cart, NOW).is_usable]
    assert bool(used) is bool(usable)
