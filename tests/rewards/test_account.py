"""Worked examples: earning, time, claw-back and corrections of points."""

from datetime import timedelta

import pytest

from rewards.domain.buckets import TRANSFER_IN
from tests.rewards.accounts import BASE, TIER, TIME, account, balances, day, moves, why

# Earning


def test_an_earning_is_one_entry_and_one_lot() -> None:
    book = account()
    lot = book.rise(why("order:1", BASE), 120, day(0), expires_at=day(30))
    assert moves(book) == ["issuance>available 120"]
    assert (lot.key, lot.subject, lot.rule, lot.fact) == (-1, "order:1", 1, 7)
    assert (lot.points, lot.remaining, lot.seq, lot.earned_at) == (120, 120, 1, day(0))
    assert book.transfers[0].lot == lot.key
    assert (book.earned, book.available, book.next_due_at()) == (120, 120, day(30))


@pytest.mark.req("PTS-11")
def test_pending_points_become_available_at_their_instant() -> None:
    book = account()
    book.rise(why("order:1", BASE), 50, day(0), available_at=day(8), expires_at=day(99))
    book.rise(why("order:1", TIER), 5, day(0), available_at=day(8), expires_at=day(99))
    book.settle(day(8) - timedelta(microseconds=1), TIME)
    assert balances(book) == (55, 0, 0, 0)
    book.settle(day(8), TIME)
    assert balances(book) == (0, 55, 0, 0)
    assert moves(book)[2:] == ["pending>available 55"]
    assert (book.transfers[2].reason, book.transfers[2].uses) == ("activated", ())
    assert book.transfers[2].cause.fact is None


def test_a_late_earning_is_available_at_once_when_its_instant_is_past() -> None:
    book = account()
    book.settle(day(8), TIME)
    lot = book.rise(why("order:1"), 50, day(0), available_at=day(8), expires_at=day(99))
    assert moves(book) == ["issuance>pending 50", "pending>available 50"]
    assert [entry.occurred_at for entry in book.transfers] == [day(0), day(8)]
    assert not lot.pending


@pytest.mark.req("PTS-07")
def test_a_lot_is_usable_before_its_end_and_gone_at_it() -> None:
    book = account()
    book.rise(why("order:1"), 30, day(0), expires_at=day(10))
    book.rise(why("order:2"), 12, day(1), expires_at=day(10))
    book.redeem(why(), 10, day(10) - timedelta(microseconds=1))
    book.settle(day(10), TIME)
    assert (book.available, book.expired, book.redeemed) == (0, 32, 10)
    assert moves(book)[-1] == "available>expired 32"
    assert book.transfers[-1].uses == ((-1, 20), (-2, 12))
    assert book.next_due_at() is None


def test_catching_up_posts_each_instant_in_order() -> None:
    book = account()
    book.rise(why("order:1"), 3, day(0), available_at=day(5), expires_at=day(20))
    book.rise(why("order:2"), 4, day(0), available_at=day(5), expires_at=day(20))
    book.rise(why("order:3"), 5, day(0), expires_at=day(7))
    book.settle(day(400), TIME)
    assert moves(book)[3:] == ["pending>available 7", "available>expired 5", "available>expired 7"]
    assert [entry.occurred_at for entry in book.transfers[3:]] == [day(5), day(7), day(20)]
    book.settle(day(400), TIME)
    assert len(book.transfers) == 6


def test_an_earning_that_is_already_over_expires_at_once_and_pays_no_debt() -> None:
    book = account()
    book.fall(why("order:1"), 8, day(0))
    book.settle(day(40), TIME)
    book.rise(why("order:2"), 5, day(1), expires_at=day(30))
    assert balances(book) == (0, 0, 0, 8)
    assert moves(book)[1:] == ["issuance>available 5", "available>expired 5"]
    assert book.transfers[-1].occurred_at == day(30)


def test_points_that_become_available_pay_debt_first() -> None:
    book = account()
    book.fall(why("order:1"), 8, day(0))
    assert moves(book) == ["debt>reversed 8"]
    book.rise(why("order:2"), 5, day(1))
    assert balances(book) == (0, 0, 0, 3)
    book.rise(why("order:3"), 5, day(2))
    assert balances(book) == (0, 2, 0, 0)
    assert moves(book)[-2:] == ["issuance>available 5", "available>debt 3"]
    assert book.transfers[-1].uses == ((-2, 3),)


def test_activation_pays_debt_from_the_lot_that_ends_first() -> None:
    book = account()
    book.rise(why("order:1"), 5, day(0), available_at=day(3), expires_at=day(60))
    book.rise(why("order:2"), 5, day(0), available_at=day(3), expires_at=day(50))
    book.fall(why("order:3"), 6, day(1))
    book.settle(day(3), TIME)
    assert moves(book)[-2:] == ["pending>available 10", "available>debt 6"]
    assert book.transfers[-1].uses == ((-2, 5), (-1, 1))


@pytest.mark.req("PTS-11")
def test_pending_points_can_be_scheduled_anew() -> None:
    book = account()
    book.rise(why("order:1"), 5, day(0), available_at=day(90), expires_at=day(99))
    book.rise(why("order:2"), 6, day(0), available_at=day(90), expires_at=day(99))
    book.touched_lots.clear()
    book.schedule("order:1", day(8), TIME)
    assert book.touched_lots == {-1}
    book.settle(day(8), TIME)
    assert balances(book) == (6, 5, 0, 0)


def test_points_scheduled_into_the_past_become_available_at_once() -> None:
    book = account()
    book.rise(why("order:1"), 5, day(0), available_at=day(90), expires_at=day(9))
    book.fall(why("order:2"), 2, day(1))
    book.settle(day(8), TIME)
    book.schedule("order:1", day(3), TIME)
    assert moves(book)[-2:] == ["pending>available 5", "available>debt 2"]
    assert book.transfers[-2].occurred_at == day(3)
    assert balances(book) == (0, 3, 0, 0)
    assert book.next_due_at() == day(9)


# Claw-back


@pytest.mark.req("PTS-12")
def test_a_fall_takes_pending_then_available_then_expired_then_others_then_debt() -> None:
    book = account()
    book.rise(why("order:1", BASE), 4, day(0), expires_at=day(2))
    book.settle(day(2), TIME)
    book.rise(why("order:1", BASE), 3, day(2), expires_at=day(90))
    book.rise(why("order:1", BASE), 2, day(2), available_at=day(9), expires_at=day(90))
    book.rise(why("order:2", BASE), 5, day(2), expires_at=day(80))
    book.rise(why("order:2", BASE), 6, day(2), available_at=day(9), expires_at=day(80))
    book.fall(why("order:1", BASE, "refund"), 20, day(3))
    assert moves(book)[6:] == [
        "pending>reversed 2",
        "available>reversed 3",
        "expired>reversed 4",
        "available>reversed 5",
        "debt>reversed 6",
    ]
    assert [entry.uses for entry in book.transfers[6:]] == [
        ((-3, 2),),
        ((-2, 3),),
        (),
        ((-4, 5),),
        (),
    ]
    assert balances(book) == (6, 0, 0, 6)
    assert (book.expired, book.reversed, book.lots[-1].expired) == (0, 20, 0)


@pytest.mark.req("PTS-12")
def test_a_fall_takes_the_points_of_its_own_rule_first() -> None:
    book = account()
    book.rise(why("order:1", TIER), 5, day(0), expires_at=day(30))
    book.rise(why("order:1", BASE), 5, day(0), expires_at=day(60))
    book.fall(why("order:1", BASE), 7, day(1))
    assert [entry.uses for entry in book.transfers[2:]] == [((-2, 5), (-1, 2))]


@pytest.mark.req("PTS-12")
def test_held_points_count_as_spent() -> None:
    book = account()
    book.rise(why("order:1"), 10, day(0))
    book.hold(why(), 1, 6, day(1), day(2))
    book.fall(why("order:1"), 10, day(1))
    assert balances(book) == (0, 0, 6, 6)
    book.settle(day(2), TIME)
    assert balances(book) == (0, 0, 0, 0)
    assert moves(book)[-2:] == ["reserved>available 6", "available>debt 6"]


# Corrections


@pytest.mark.req("PTS-15")
def test_an_adjustment_adds_a_lot_or_takes_available_points() -> None:
    book = account()
    book.adjust(why(reason="goodwill"), 30, day(0), expires_at=day(50))
    assert book.adjust(why(reason="correction"), -12, day(1)) == ((-1, 12),)
    assert moves(book) == ["adjustment>available 30", "available>adjustment 12"]
    assert (book.available, book.earned, book.adjusted) == (18, 0, -18)


def test_points_move_to_another_account_with_their_expiry() -> None:
    book = account()
    book.adjust(why(), 30, day(3), expires_at=day(50), earned_at=day(1), flow=TRANSFER_IN)
    lot = book.lots[-1]
    assert (lot.expires_at, lot.earned_at) == (day(50), day(1))
    book.adjust(why(), -30, day(4), flow=TRANSFER_IN)
    assert moves(book) == ["transfer>available 30", "available>transfer 30"]


@pytest.mark.req("PTS-07")
def test_activity_extends_open_lots_under_sliding_validity() -> None:
    book = account()
    book.rise(why("order:1"), 10, day(0), expires_at=day(5))
    book.rise(why("order:2"), 10, day(0), expires_at=day(9))
    book.rise(why("order:3"), 10, day(0), available_at=day(8), expires_at=day(9))
    book.rise(why("order:4"), 10, day(0), expires_at=day(40))
    book.rise(why("order:5"), 10, day(0))
    book.touched_lots.clear()
    book.extend_lots(day(20), day(5), TIME)
    ends = [lot.expires_at for lot in book.lots.values()]
    assert ends == [day(5), day(20), day(20), day(40), None]
    assert book.touched_lots == {-1, -2, -3}
    assert book.expired == 10


@pytest.mark.parametrize("points", [0, -5])
def test_only_positive_numbers_of_points_move(points: int) -> None:
    book = account()
    with pytest.raises(ValueError, match="positive"):
        book.rise(why("order:1"), points, day(0))
    with pytest.raises(ValueError, match="positive"):
        book.fall(why("order:1"), points, day(0))
    assert book.transfers == []
