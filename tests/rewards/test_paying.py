"""Points as a means of payment: worked examples, and what always holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.domain.paying import PayTerms, payable

CLASSIC = PayTerms()

pytestmark = pytest.mark.req("PTS-02")


def codes(goods: int, available: int, asked: int | None, debt: int = 0) -> list[str]:
    found = payable(CLASSIC, goods=goods, available=available, debt=debt, asked=asked)
    return [item["code"] for item in found.why]


def test_half_of_the_goods_can_be_paid_in_whole_steps() -> None:
    # Half of 90.99 is 45.49: 4,549 points, in steps of 100.
    found = payable(CLASSIC, goods=9_099, available=10_000, debt=0, asked=None)
    assert (found.most, found.points, found.amount, found.why) == (4_500, 0, 0, ())


def test_points_asked_for_are_used_at_their_rate() -> None:
    found = payable(CLASSIC, goods=9_099, available=10_000, debt=0, asked=4_500)
    assert (found.points, found.amount) == (4_500, 4_500)


@pytest.mark.parametrize(
    ("goods", "available", "asked", "expected"),
    [
        (10_000, 10_000, 50, ["points_below_minimum", "points_not_in_steps"]),
        (10_000, 10_000, 150, ["points_not_in_steps"]),
        (10_000, 300, 400, ["insufficient_points"]),
        (10_000, 10_000, 5_100, ["points_above_share"]),
        (199, 10_000, None, ["points_above_share"]),
        (10_000, 99, None, ["insufficient_points"]),
        (10_000, 10_000, 0, []),
    ],
)
def test_every_refusal_has_its_code(
    goods: int, available: int, asked: int | None, expected: list[str]
) -> None:
    assert codes(goods, available, asked) == expected


def test_a_member_who_owes_points_cannot_pay_with_them() -> None:
    assert codes(10_000, 0, 100, debt=7) == ["points_debt"]


terms_of_any_kind = st.builds(
    PayTerms,
    points=st.integers(1, 500),
    amount=st.integers(1, 500),
    min_points=st.integers(0, 1_000),
    step_points=st.integers(1, 1_000),
    max_bp=st.integers(0, 10_000),
)


@given(terms_of_any_kind, st.integers(0, 10**7), st.integers(0, 10**7))
def test_the_most_can_be_used_and_a_step_more_cannot(
    terms: PayTerms, goods: int, available: int
) -> None:
    most = payable(terms, goods=goods, available=available, debt=0, asked=None).most
    used = payable(terms, goods=goods, available=available, debt=0, asked=most)
    assert used.points == most
    assert used.amount * 10_000 <= goods * terms.max_bp
    more = payable(terms, goods=goods, available=available, debt=0, asked=most + terms.step_points)
    assert more.points == 0 or more.points < terms.min_points
