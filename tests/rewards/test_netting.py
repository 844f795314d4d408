"""What is left of an order after refunds, with numbers a person can check."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.domain.cart import Refund, RefundLine
from rewards.domain.netting import NetOrder, net_order
from tests.rewards.carts import (
    INSTANT,
    Case,
    cases,
    line,
    order,
    refund_all,
    refund_amount,
    refund_of,
)

BASKET = order(line(1, 1_000), line(2, 500, "service"), line(3, 250, "shipping"))


@pytest.mark.req("PTS-17")
def test_order_without_refunds_is_its_own_net() -> None:
    version = order(
        line(1, 1_000),
        line(2, 500, "service"),
        line(3, 250, "shipping"),
        line(4, 300, earns=False),
        line(5, 2_000, "gift_card"),
        paid=400,
    )
    assert net_order(version) == NetOrder(
        left=(1_000, 500, 250, 300, 2_000),
        net=4_050,
        spend=1_800,
        earning_left=1_500,
        earning_sold=1_500,
        points_paid=400,
        original=4_050,
        refunded=0,
        over_refunded=False,
    )


def test_points_paid_belong_to_the_earning_lines_at_most() -> None:
    assert net_order(order(line(1, 300), line(2, 900, "fee"), paid=500)).points_paid == 300


def test_cancelled_order_has_nothing_left() -> None:
    net = net_order(order(line(1, 1_000), status="cancelled"), [refund_amount(100)])
    assert (net.left, net.net, net.refunded, net.over_refunded) == ((0,), 0, 1_000, False)


@pytest.mark.req("PTS-12")
def test_line_refund_lowers_its_line_only() -> None:
    net = net_order(BASKET, [refund_of((1, 400)), refund_of((1, 100), (3, 250))])
    assert net.left == (500, 500, 0)
    assert (net.net, net.spend, net.refunded, net.over_refunded) == (1_000, 1_000, 750, False)


@pytest.mark.parametrize(
    ("refund", "left"),
    [
        (refund_of((2, 501)), (1_000, 0, 250)),
        (refund_of((9, 100)), (1_000, 500, 250)),
        (refund_of((2, 100), quantity=1_001), (1_000, 400, 250)),
        (refund_amount(1_751), (0, 0, 0)),
    ],
    ids=["more than the line", "unknown line", "more pieces than sold", "more than the order"],
)
@pytest.mark.req("PTS-12")
def test_over_refund_is_clamped_and_reported(refund: Refund, left: tuple[int, ...]) -> None:
    net = net_order(BASKET, [refund])
    assert net.left == left
    assert net.over_refunded


def test_amount_is_spread_by_largest_remainder() -> None:
    # 100 over 1000 : 500 : 250 is 57.14…, 28.57…, 14.28…; the odd one goes to the largest part.
    net = net_order(BASKET, [refund_amount(100)])
    assert net.left == (1_000 - 57, 500 - 29, 250 - 14)


def test_equal_remainders_go_by_line_no() -> None:
    version = order(line(1, 100), line(2, 100), line(3, 100))
    assert net_order(version, [refund_amount(2)]).left == (99, 99, 100)


def test_amount_is_spread_over_what_line_refunds_leave() -> None:
    net = net_order(BASKET, [refund_amount(150), refund_of((1, 1_000))])
    assert net.left == (0, 400, 200)


def test_full_refund_takes_whatever_version_is_current() -> None:
    assert net_order(BASKET, [refund_all()]).left == (0, 0, 0)
    raised = order(line(1, 9_000), line(2, 500), version=2)
    net = net_order(raised, [refund_of((1, 400)), refund_all()])
    assert (net.left, net.refunded, net.over_refunded) == ((0, 0), 9_500, False)


def test_line_raised_later_is_net_of_all_its_refunds() -> None:
    refunds = [refund_of((1, 1_500))]
    assert net_order(order(line(1, 1_000)), refunds).left == (0,)
    net = net_order(order(line(1, 2_000), version=2), refunds)
    assert (net.left, net.over_refunded) == ((500,), False)


def test_refund_that_names_lines_ignores_its_total() -> None:
    refund = Refund("r", (RefundLine(1, 1_000, 400),), 400, None, INSTANT)
    assert net_order(BASKET, [refund]).left == (600, 500, 250)


@given(cases(), st.randoms(use_true_random=False))
@pytest.mark.req("PTS-12")
def test_order_of_refunds_never_matters(case: Case, shuffled: random.Random) -> None:
    refunds = list(case.refunds)
    shuffled.shuffle(refunds)
    assert net_order(case.version, refunds) == net_order(case.version, case.refunds)


@given(cases(), st.data())
@pytest.mark.req("PTS-12")
def test_split_of_refunds_never_matters(case: Case, data: st.DataObject) -> None:
    pieces: list[Refund] = []
    for refund in case.refunds:
        pieces += _split(refund, data)
    assert net_order(case.version, pieces) == net_order(case.version, case.refunds)


@given(cases())
def test_net_equals_a_plain_reference(case: Case) -> None:
    net = net_order(case.version, case.refunds)
    assert net.left == _reference(case)
    assert net.net == sum(net.left) == net.original - net.refunded
    pairs = list(zip(case.version.lines, net.left, strict=True))
    assert all(0 <= rest <= sold.amount for sold, rest in pairs)
    assert net.spend == sum(rest for sold, rest in pairs if sold.kind in ("goods", "service"))
    assert net.earning_left <= net.spend
    assert net.points_paid <= net.earning_sold


def _split(refund: Refund, data: st.DataObject) -> list[Refund]:
    if refund.lines:
        return [refund_of((item.line_no, item.amount)) for item in refund.lines]
    if refund.amount is None:
        return [refund, refund]
    first = data.draw(st.integers(0, refund.amount))
    return [refund_amount(first), refund_amount(refund.amount - first)]


def _reference(case: Case) -> tuple[int, ...]:
    """Return what is left per line, with fractions and one unit at a time."""
    lines = case.version.lines
    if case.version.status == "cancelled" or any(refund.is_full for refund in case.refunds):
        return tuple(0 for _ in lines)
    returned = [
        sum(item.amount for refund in case.refunds for item in refund.lines if item.line_no == no)
        for no in (sold.line_no for sold in lines)
    ]
    left = [max(0, sold.amount - back) for sold, back in zip(lines, returned, strict=True)]
    amount = sum(refund.amount or 0 for refund in case.refunds if not refund.lines)
    total = sum(left)
    if amount >= total:
        return tuple(0 for _ in lines)
    exact = [Fraction(amount * rest, total) for rest in left]
    shares = [int(share) for share in exact]
    while sum(shares) < amount:
        gaps = [share - whole for share, whole in zip(exact, shares, strict=True)]
        shares[gaps.index(max(gaps))] += 1
    return tuple(rest - share for rest, share in zip(left, shares, strict=True))
