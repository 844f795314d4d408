"""What coupons take off carts, and why one cannot be used: numbers to check by hand.

Units: money in minor units.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from rewards import coupon_words
from rewards.domain import coupon_terms, coupons
from rewards.domain.cart import Line
from rewards.domain.coupon_terms import CouponTerms, CouponTermsError, Kind, Stacking
from rewards.domain.coupons import CouponState, Occasion, Verdict
from tests.rewards.carts import INSTANT, line

NOW = Occasion(INSTANT)


def amount(off: int, template: str = "a", **values: Any) -> CouponTerms:
    return CouponTerms(template, Kind.AMOUNT, amount=off, **values)


def percent(bp: int, template: str = "p", **values: Any) -> CouponTerms:
    return CouponTerms(template, Kind.PERCENT, percent_bp=bp, **values)


def state(terms: CouponTerms, code: str = "C", **values: Any) -> CouponState:
    return CouponState(code, terms, **values)


def judged(terms: CouponTerms, *lines: Line, occasion: Occasion = NOW, **values: Any) -> Verdict:
    return coupons.judge(state(terms, **values), lines, occasion)


def brand_is(name: str) -> Any:
    return coupon_terms.parse_line_conditions({"field": "line.brand", "op": "eq", "value": name})


def test_amount_is_spread_by_largest_remainder() -> None:
    verdict = judged(amount(1_000), line(1, 3_333), line(2, 3_333), line(3, 3_334))

    assert verdict.by_line == {1: 333, 2: 333, 3: 334}


def test_amount_is_never_more_than_the_lines_cost() -> None:
    verdict = judged(amount(10_000), line(1, 600), line(2, 0), line(3, 400))

    assert verdict.by_line == {1: 600, 3: 400}


def test_percentage_is_rounded_down_once_and_capped() -> None:
    # 15 % of 99.99 is 14.9985.
    plain = judged(percent(1_500), line(1, 3_333), line(2, 6_666))
    capped = judged(percent(1_500, max_discount=1_000), line(1, 3_333), line(2, 6_666))

    assert (plain.discount, capped.discount) == (1_499, 1_000)


def test_free_item_is_the_cheapest_piece() -> None:
    terms = CouponTerms("f", Kind.FREE_ITEM, free_sku="tea")
    lines = (
        line(1, 9_000, sku="tea", quantity=3_000),
        line(2, 2_500, sku="tea"),
        line(3, 100, sku="cup"),
    )

    assert judged(terms, *lines).by_line == {2: 2_500}
    assert judged(terms, lines[0], lines[2]).by_line == {1: 3_000}
    assert judged(terms, lines[2]).reasons == ({"code": "free_item_missing", "sku": "tea"},)


def test_free_shipping_takes_the_shipping_lines() -> None:
    terms = CouponTerms("s", Kind.FREE_SHIPPING, min_spend=5_000)

    verdict = judged(terms, line(1, 5_000), line(2, 800, "shipping"), line(3, 200, "fee"))

    assert verdict.by_line == {2: 800}


def test_coupon_leaves_gift_cards_fees_and_shipping_alone() -> None:
    lines = [line(1, 500, "gift_card"), line(2, 500, "fee"), line(3, 500, "shipping")]

    assert judged(amount(100), *lines).reason_codes == ["scope_matches_nothing"]


@pytest.mark.req("RWD-07")
def test_min_spend_counts_what_the_coupon_is_for_net_of_other_discounts() -> None:
    terms = amount(2_000, min_spend=10_000, line_conditions=brand_is("acme"))
    lines = (line(1, 9_950, brand="acme"), line(2, 50_000, brand="zen"))

    verdict = judged(terms, *lines)

    assert verdict.reasons == (
        {"code": "min_spend_not_met", "min_spend": "100.00", "missing": "0.50"},
    )
    assert judged(terms, line(1, 10_000, brand="acme"), lines[1]).by_line == {1: 2_000}


@pytest.mark.req("RWD-05")
def test_window_is_half_open_and_hours_are_those_of_the_programme() -> None:
    window = {"valid_from": INSTANT, "expires_at": INSTANT + timedelta(hours=1)}
    codes = [
        judged(amount(1), line(1, 100), occasion=Occasion(at), **window).reason_codes
        for at in (INSTANT - timedelta(seconds=1), INSTANT, INSTANT + timedelta(hours=1))
    ]
    happy_hour = coupon_terms.parse_conditions(
        {
            "all": [
                {"field": "order.hour", "op": "between", "value": [14, 16]},
                {"field": "order.weekday", "op": "in", "value": [1, 2]},
            ]
        }
    )
    terms = amount(1, conditions=happy_hour)
    at_three = Occasion(INSTANT, {"order.hour": 15, "order.weekday": 2})
    at_five = Occasion(INSTANT, {"order.hour": 17, "order.weekday": 2})

    assert codes == [["not_yet_valid"], [], ["expired"]]
    assert judged(terms, line(1, 100), occasion=at_three).is_usable
    (reason,) = judged(terms, line(1, 100), occasion=at_five).reasons
    assert reason["code"] == "condition_not_met"
    assert [cause["field"] for cause in reason["failed"]] == ["order.hour"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({"used": 1}, ["redeemed"]),
        ({"held": 1}, ["held"]),
        ({"is_revoked": True}, ["revoked"]),
        ({"is_theirs": False}, ["not_yours"]),
        ({"used": 1, "max_uses": 2}, []),
        ({"used": 1, "held": 1, "max_uses": 2}, ["held"]),
        ({"expires_at": INSTANT, "used": 1}, ["redeemed", "expired"]),
    ],
)
def test_code_that_cannot_be_used_says_why(values: dict[str, Any], codes: list[str]) -> None:
    verdict = judged(amount(1), line(1, 100), **values)

    assert verdict.reason_codes == codes
    assert verdict.discount == (0 if codes else 1)


def test_member_limit_counts_all_coupons_of_the_template() -> None:
    terms = amount(1, uses_per_member=2)

    assert judged(terms, line(1, 100), member_uses=1).is_usable
    assert judged(terms, line(1, 100), member_uses=2).reasons == (
        {"code": "member_limit_reached", "limit": 2},
    )


@pytest.mark.req("RWD-06")
def test_first_order_coupon_is_for_the_first_order() -> None:
    terms = amount(1, is_first_order_only=True)
    later = Occasion(INSTANT, {}, is_first_order=False)

    assert judged(terms, line(1, 100)).is_usable
    assert judged(terms, line(1, 100), occasion=later).reason_codes == ["not_first_order"]


@pytest.mark.req("CMP-16")
def test_percentage_goes_before_amount_and_each_sees_what_is_left() -> None:
    stacking = {"stacking": Stacking.OTHERS}
    given = [state(amount(1_000, **stacking), "B"), state(percent(1_000, **stacking), "A")]

    applied = coupons.apply(given, [line(1, 10_000)], NOW)

    assert [(v.code, v.discount) for v in applied.verdicts] == [("A", 1_000), ("B", 1_000)]
    assert applied.lines[0].amount == 8_000
    assert applied.lines[0].discounts == (
        {"amount": 1_000, "kind": "coupon", "code": "A"},
        {"amount": 1_000, "kind": "coupon", "code": "B"},
    )


@pytest.mark.req("CMP-16")
@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (Stacking.ALONE, Stacking.ANY, False),
        (Stacking.ALONE, Stacking.ALONE, False),
        (Stacking.OTHERS, Stacking.OTHERS, True),
        (Stacking.OTHERS, Stacking.ANY, True),
        (Stacking.ANY, Stacking.ANY, True),
    ],
)
def test_coupons_of_two_templates_combine_if_both_allow(
    one: Stacking, other: Stacking, together: bool
) -> None:
    given = [
        state(amount(500, "a", stacking=one), "A"), state(amount(700, "b", stacking=other), "B")
    ]  # fmt: skip

    applied = coupons.apply(given, [line(1, 10_000)], NOW)

    assert applied.discount == (1_200 if together else 700)
    if not together:
        assert applied.of("A").reasons == ({"code": "not_combinable", "coupons": ["B"]},)


@pytest.mark.req("CMP-16")
@pytest.mark.parametrize(("stacking", "discount"), [(Stacking.OTHERS, 500), (Stacking.ANY, 1_000)])
def test_two_coupons_of_one_template_combine_only_with_any(
    stacking: Stacking, discount: int
) -> None:
    terms = amount(500, stacking=stacking)

    applied = coupons.apply([state(terms, "A"), state(terms, "B")], [line(1, 10_000)], NOW)

    assert applied.discount == discount


def test_member_limit_holds_within_one_cart() -> None:
    terms = amount(500, stacking=Stacking.ANY, uses_per_member=1)

    applied = coupons.apply([state(terms, "B"), state(terms, "A")], [line(1, 10_000)], NOW)

    assert [v.reason_codes for v in applied.verdicts] == [[], ["member_limit_reached"]]


def test_min_spend_is_tested_on_what_coupons_before_have_left() -> None:
    given = [
        state(percent(5_000, stacking=Stacking.OTHERS), "P"),
        state(amount(500, stacking=Stacking.OTHERS, min_spend=6_000), "A"),
    ]

    applied = coupons.apply(given, [line(1, 10_000)], NOW)

    assert applied.discount == 5_000
    assert applied.of("A").reason_codes == ["min_spend_not_met"]


def test_what_lines_say_of_coupons_is_added_back() -> None:
    discounts: tuple[Mapping[str, str | int], ...] = (
        {"kind": "tier", "code": "gold", "amount": 500},
        {"code": "sum-mer", "amount": 700},
        {"kind": "coupon", "code": "other", "amount": 100},
    )
    sold = replace(line(1, 8_700), discounts=discounts)

    (before,) = coupons.without_coupons([sold], {"SUMMER"})

    assert (before.amount, before.discounts) == (9_500, discounts[:1])
    assert coupons.taken_by([sold], "SUMMER") == 700
    assert coupons.taken_by([sold], "WINTER") is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": Kind.AMOUNT}, "amount"),
        ({"kind": Kind.PERCENT, "percent_bp": 10_001}, "percent"),
        ({"kind": Kind.FREE_ITEM}, "free_sku"),
        ({"kind": Kind.FREE_SHIPPING, "min_spend": -1}, "min_spend"),
        ({"kind": Kind.FREE_SHIPPING, "max_discount": 0}, "max_discount"),
    ],
)
def test_terms_that_say_nothing_are_refused(values: dict[str, Any], field: str) -> None:
    with pytest.raises(CouponTermsError) as refused:
        CouponTerms("x", **values)

    assert refused.value.field == field


def test_every_reason_has_a_sentence_in_both_languages() -> None:
    reasons = coupons.CODE_REASONS | coupons.TERM_REASONS
    assert reasons | {"coupon_unknown", "coupon_code_mistyped"} == coupon_words.known_codes()
    instant = INSTANT.isoformat()
    item = {
        "limit": 2, "missing": "1.00", "min_spend": "2.00", "sku": "tea", "coupons": ["A"],
        "failed": [], "from": instant, "at": instant,
    }  # fmt: skip
    for language in ("zh-hans", "en"):
        with translation.override(language):
            for code in coupon_words.known_codes():
                assert coupon_words.render({**item, "code": code}) not in {"", code}
