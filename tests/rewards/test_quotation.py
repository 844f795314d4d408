"""The tier's discount on a cart: worked examples, and what always holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.domain.cart import KINDS, SPEND_KINDS, Line
from rewards.domain.quotation import take_tier_discount, total

pytestmark = pytest.mark.req("BEN-04")


def line(number: int, amount: int, kind: str = "goods") -> Line:
    return Line(number, f"S{number}", kind, None, None, 1_000, amount)


def test_the_discount_is_rounded_down_once_and_spread_by_largest_remainder() -> None:
    # 2 % of 10.00 + 10.00 + 13.33 is 0.6666: 0.66, of which the third line takes the larger part.
    lines, discount = take_tier_discount(
        [line(1, 1_000), line(2, 1_000), line(3, 1_333)], tier="silver", bp=200
    )
    assert discount.amount == 66
    assert [each.amount for each in lines] == [980, 980, 1_307]
    assert lines[2].discounts == ({"amount": 26, "kind": "tier", "code": "silver"},)


def test_freight_fees_and_gift_cards_are_not_discounted() -> None:
    lines, discount = take_tier_discount(
        [line(1, 10_000), line(2, 1_000, "shipping"), line(3, 5_000, "gift_card")],
        tier="gold",
        bp=500,
    )
    assert discount.amount == 500
    assert [each.amount for each in lines] == [9_500, 1_000, 5_000]


def test_a_tier_without_discount_leaves_the_lines_alone() -> None:
    lines = (line(1, 999),)
    assert take_tier_discount(lines, tier="basic", bp=0)[0] == lines


amounts = st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(sorted(KINDS))), min_size=1)


@given(amounts, st.integers(0, 10_000))
def test_what_is_taken_off_is_what_the_lines_lose(cart: list[tuple[int, str]], bp: int) -> None:
    before = [line(number, amount, kind) for number, (amount, kind) in enumerate(cart)]
    after, discount = take_tier_discount(before, tier="t", bp=bp)
    assert total(before) - total(after) == discount.amount
    assert all(0 <= new.amount <= old.amount for new, old in zip(after, before, strict=True))
    assert all(new == old for new, old in zip(after, before, strict=True)
               if old.kind not in SPEND_KINDS)  # fmt: skip
