"""Worked examples: spending, holding and giving points back."""

import pytest

from rewards.domain.holds import HoldClosedError, HoldState
from rewards.domain.lot_book import InsufficientPointsError, PointsDebtError
from rewards.domain.lots import last_taken, without_last
from tests.rewards.accounts import TIME, account, balances, day, moves, two_lots_held, why

# Spending


@pytest.mark.req("PTS-11")
def test_spending_takes_the_lot_that_ends_first_and_never_pending_ones() -> None:
    book = account()
    book.rise(why("order:1"), 10, day(0))
    book.rise(why("order:2"), 10, day(1), expires_at=day(60))
    book.rise(why("order:3"), 10, day(2), expires_at=day(50))
    book.rise(why("order:4"), 10, day(2), expires_at=day(50), earned_at=day(1))
    book.rise(why("order:5"), 10, day(2), available_at=day(9), expires_at=day(20))
    assert book.redeem(why(), 35, day(3)) == ((-4, 10), (-3, 10), (-2, 10), (-1, 5))


def test_spending_more_than_available_is_refused_and_changes_nothing() -> None:
    book = account()
    book.rise(why("order:1"), 10, day(0))
    for spend in (
        lambda: book.redeem(why(), 11, day(1)),
        lambda: book.hold(why(), 1, 11, day(1), day(2)),
        lambda: book.adjust(why(), -11, day(1)),
    ):
        with pytest.raises(InsufficientPointsError) as refused:
            spend()
        assert refused.value.details == {"needed": 11, "available": 10}
    assert moves(book) == ["issuance>available 10"]


def test_a_member_in_debt_may_not_spend() -> None:
    book = account()
    book.fall(why("order:1"), 3, day(0))
    for spend in (
        lambda: book.redeem(why(), 1, day(1)),
        lambda: book.hold(why(), 1, 1, day(1), day(2)),
    ):
        with pytest.raises(PointsDebtError) as refused:
            spend()
        assert (refused.value.code, refused.value.details) == ("points_debt", {"debt": 3})


def test_a_command_first_lets_time_pass() -> None:
    book = account()
    book.rise(why("order:1"), 10, day(0), expires_at=day(5))
    with pytest.raises(InsufficientPointsError):
        book.redeem(why(), 1, day(5))
    assert moves(book)[1:] == ["available>expired 10"]
    assert book.transfers[-1].cause == TIME


# Holds


def test_capturing_less_releases_the_rest_last_taken_first() -> None:
    book = two_lots_held()
    uses = book.capture(why("order:9"), 1, 60, day(1.5))
    assert uses == ((-1, 50), (-2, 10))
    assert moves(book)[2:] == [
        "available>reserved 80", "reserved>redeemed 60", "reserved>available 20",
    ]  # fmt: skip
    assert book.transfers[-1].uses == ((-2, -20),)
    assert balances(book) == (0, 40, 0, 0)


def test_a_hold_is_captured_whole_when_nothing_else_is_said() -> None:
    book = two_lots_held()
    book.capture(why(), 1, None, day(1.5))
    assert (book.available, book.reserved, book.redeemed) == (20, 0, 80)
    assert book.touched_holds == {1}
    assert [entry.hold for entry in book.transfers] == [None, None, 1, 1]


def test_capturing_more_than_held_is_refused() -> None:
    book = two_lots_held()
    with pytest.raises(InsufficientPointsError):
        book.capture(why(), 1, 81, day(1.5))
    with pytest.raises(ValueError, match="negative"):
        book.capture(why(), 1, -1, day(1.5))
    assert book.holds[1].state is HoldState.HELD


def test_a_hold_is_over_at_its_expiry_instant() -> None:
    book = two_lots_held()
    book.touched_holds.clear()
    with pytest.raises(HoldClosedError) as refused:
        book.capture(why(), 1, None, day(2))
    assert (refused.value.code, refused.value.status) == ("reservation_lapsed", 409)
    assert moves(book)[-1] == "reserved>available 80"
    lapse = book.transfers[-1]
    assert lapse.hold == 1
    assert (lapse.reason, lapse.subject, lapse.occurred_at) == (
        "hold_lapsed",
        "reservation:1",
        day(2),
    )
    assert book.touched_holds == {1}


def test_a_closed_hold_stays_closed() -> None:
    book = two_lots_held()
    book.release(why(), 1, day(1.5))
    assert balances(book) == (0, 100, 0, 0)
    with pytest.raises(HoldClosedError) as refused:
        book.capture(why(), 1, None, day(1.6))
    assert refused.value.code == "reservation_closed"
    assert refused.value.state is HoldState.RELEASED


def test_points_whose_lot_ended_while_held_are_captured_or_expire_when_released() -> None:
    book = account()
    book.rise(why("order:1"), 10, day(0), expires_at=day(3))
    book.hold(why(), 1, 4, day(1), day(9))
    book.hold(why(), 2, 5, day(1), day(9))
    book.settle(day(5), TIME)
    assert balances(book) == (0, 0, 9, 0)
    book.capture(why(), 1, None, day(5))
    book.release(why(), 2, day(6))
    assert (book.redeemed, book.expired) == (4, 6)
    assert moves(book)[-2:] == ["reserved>available 5", "available>expired 5"]
    assert book.transfers[-1].occurred_at == day(6)


def test_a_hold_needs_time_and_a_key_of_its_own() -> None:
    book = two_lots_held()
    with pytest.raises(ValueError, match="hold"):
        book.hold(why(), 1, 5, day(1), day(2))
    with pytest.raises(ValueError, match="hold"):
        book.hold(why(), 2, 5, day(1), day(1))


# Giving back


@pytest.mark.req("PTS-12")
def test_points_go_back_last_taken_first_and_keep_their_expiry() -> None:
    book = account()
    book.rise(why("order:1"), 50, day(0), expires_at=day(50))
    book.rise(why("order:2"), 50, day(0), expires_at=day(60))
    uses = book.redeem(why(), 80, day(1))
    book.give_back(why(), uses, 40, day(2))
    book.give_back(why(), without_last(uses, 40), 40, day(3))
    assert [entry.uses for entry in book.transfers[-2:]] == [((-2, -30), (-1, -10)), ((-1, -40),)]
    assert (book.redeemed, book.available) == (0, 100)
    assert [lot.expires_at for lot in book.lots.values()] == [day(50), day(60)]


@pytest.mark.req("PTS-12")
def test_refunds_of_a_captured_hold_go_on_where_the_last_one_ended() -> None:
    book = two_lots_held()
    book.capture(why(), 1, 60, day(1.5))
    book.give_back_captured(why(), 1, 15, day(2))
    book.give_back_captured(why(), 1, 20, day(3))
    assert [entry.uses for entry in book.transfers[-2:]] == [((-2, -10), (-1, -5)), ((-1, -20),)]
    assert [entry.hold for entry in book.transfers[-2:]] == [1, 1]
    assert book.holds[1].given_back == 35
    with pytest.raises(ValueError, match="part"):
        book.give_back_captured(why(), 1, 26, day(4))
    assert book.holds[1].given_back == 35


def test_points_given_back_to_a_lot_that_is_over_expire_at_once() -> None:
    book = account()
    book.rise(why("order:1"), 50, day(0), expires_at=day(5))
    uses = book.redeem(why(), 20, day(1))
    book.give_back(why(), uses, 20, day(7))
    assert moves(book)[-2:] == ["redeemed>available 20", "available>expired 20"]
    assert book.transfers[-1].occurred_at == day(7)
    assert book.lots[-1].expired == 50


def test_a_late_giving_back_expires_at_the_end_of_its_lot() -> None:
    book = account()
    book.rise(why("order:1"), 50, day(0), expires_at=day(5))
    uses = book.redeem(why(), 50, day(1))
    book.settle(day(9), TIME)
    book.give_back(why(), uses, 50, day(3), give_back_min_days=30)
    assert [entry.occurred_at for entry in book.transfers[-2:]] == [day(3), day(5)]
    assert book.expired == 50


@pytest.mark.req("PTS-12")
def test_a_minimum_validity_extends_only_a_lot_that_is_over() -> None:
    book = account()
    book.rise(why("order:1"), 10, day(0), expires_at=day(5))
    book.rise(why("order:2"), 10, day(0), expires_at=day(8))
    uses = book.redeem(why(), 20, day(1))
    book.give_back(why(), uses, 20, day(7.5), give_back_min_days=30)
    # day(7.5) is noon of 9 March; the 30th day after it, 8 April, ends where day(38) begins
    assert [lot.expires_at for lot in book.lots.values()] == [day(38), day(8)]
    assert book.available == 20
    book.settle(day(38), TIME)
    assert book.expired == 20


@pytest.mark.req("PTS-12")
def test_all_lots_get_their_points_before_debt_is_settled_in_debit_order() -> None:
    book = account()
    book.rise(why("order:1"), 10, day(0), expires_at=day(50))
    book.rise(why("order:2"), 10, day(0), expires_at=day(60))
    uses = book.redeem(why(), 20, day(1))
    book.fall(why("order:3"), 12, day(2))
    book.give_back(why(), uses, 20, day(3))
    assert moves(book)[-2:] == ["redeemed>available 20", "available>debt 12"]
    assert book.transfers[-1].uses == ((-1, 10), (-2, 2))
    assert balances(book) == (0, 8, 0, 0)


def test_points_given_back_expire_later_though_nothing_was_due_before() -> None:
    book = account()
    book.rise(why("order:1"), 10, day(0), expires_at=day(9))
    uses = book.redeem(why(), 10, day(1))
    book.rise(why("order:2"), 1, day(1), expires_at=day(2))
    book.settle(day(2), TIME)
    assert book.next_due_at() is None
    book.give_back(why(), uses, 10, day(3))
    book.settle(day(9), TIME)
    assert (book.available, book.expired) == (0, 11)


def test_more_than_was_taken_cannot_be_given_back() -> None:
    book = account()
    book.rise(why("order:1"), 10, day(0))
    uses = book.redeem(why(), 5, day(1))
    with pytest.raises(ValueError, match="part"):
        book.give_back(why(), uses, 6, day(2))
    with pytest.raises(ValueError, match="part"):
        last_taken(uses, -1)
    assert book.available == 5
