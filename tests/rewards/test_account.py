"""Worked examples of the points account, with numbers that a person can check."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rewards.domain import chain
from rewards.domain.account import Account
from rewards.domain.buckets import TRANSFER_IN
from rewards.domain.holds import Hold, HoldClosedError, HoldState
from rewards.domain.journal import AccountBrokenError
from rewards.domain.lot_book import InsufficientPointsError, LotsNeededError, PointsDebtError
from rewards.domain.lots import last_taken, without_last
from rewards.domain.transfers import SYSTEM, Cause, FactRef, Grounds, RuleRef

START = datetime(2026, 3, 1, 16, tzinfo=UTC)  # midnight in Shanghai: 2 March begins
TIME = Cause(None, SYSTEM, START)
BASE, TIER = RuleRef(1, "base", 1), RuleRef(2, "tier", 1)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def why(subject: str | None = None, rule: RuleRef | None = None, reason: str = "order") -> Grounds:
    fact = FactRef(7, "pos", "order", "A-1", 1)
    return Grounds(subject, rule, reason, Cause(fact, "touchpoint:pos", START))


def account() -> Account:
    return Account(key=1, member="m", lots_loaded=True, settled_at=START)


def moves(book: Account, after: int = 0) -> list[str]:
    return [f"{entry.source}>{entry.target} {entry.points}" for entry in book.transfers[after:]]


def balances(book: Account) -> tuple[int, int, int, int]:
    return (book.pending, book.available, book.reserved, book.debt)


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


def two_lots_held() -> Account:
    book = account()
    book.rise(why("order:1"), 50, day(0), expires_at=day(50))
    book.rise(why("order:2"), 50, day(0), expires_at=day(60))
    book.hold(why("reservation:1"), 1, 80, day(1), day(2))
    return book


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


# Loading what is needed, and invariants


def stored() -> tuple[Account, Account]:
    """Return an account with 10 points until day 50 and a hold of 4, and the same not loaded."""
    book = account()
    lot = book.rise(why("order:1"), 14, day(0), expires_at=day(50))
    book.hold(why(), 1, 4, day(1), day(20))
    book.lots = {11: replace(lot, key=11)}
    book.holds[1].uses = ((11, 4),)
    bare = Account(
        key=1, member="m", available=10, reserved=4, earned=14, seq=book.seq,
        head_hash=book.head_hash, settled_at=day(1), due_at=book.next_due_at(),
    )  # fmt: skip
    return book, bare


def test_earning_needs_no_lots() -> None:
    full, bare = stored()
    for book in (full, bare):
        book.rise(why("order:2", BASE), 5, day(2), expires_at=day(40))
    assert bare.head_hash == full.head_hash
    assert bare.next_due_at() == day(20)


@pytest.mark.parametrize(
    "operation",
    [
        lambda book: book.fall(why("order:1"), 2, day(2)),
        lambda book: book.redeem(why(), 2, day(2)),
        lambda book: book.hold(why(), 2, 2, day(2), day(3)),
        lambda book: book.capture(why(), 1, 3, day(2)),
        lambda book: book.release(why(), 1, day(2)),
        lambda book: book.adjust(why(), -2, day(2)),
        lambda book: book.settle(day(20), TIME),
        lambda book: book.rise(why("order:2"), 5, day(21)),
        lambda book: book.extend_lots(day(60), day(2), TIME),
    ],
)
def test_an_operation_asks_for_lots_before_it_changes_anything(operation) -> None:  # type: ignore[no-untyped-def]
    full, bare = stored()
    with pytest.raises(LotsNeededError):
        operation(bare)
    assert (bare.transfers, bare.seq, bare.available) == ([], 2, 10)
    bare.attach(full.lots.values(), full.holds.values())
    operation(bare)
    bare.check()


def test_lots_beyond_the_open_ones_are_asked_for_by_key() -> None:
    _, bare = stored()
    bare.attach([], [])
    with pytest.raises(LotsNeededError) as needed:
        bare.give_back(why(), ((5, 3), (6, 3)), 4, day(2))
    assert needed.value.lots == {5, 6}
    with pytest.raises(LotsNeededError) as needed:
        bare.give_back_captured(why(), 9, 1, day(2))
    assert needed.value.holds == {9}


@pytest.mark.req("PTS-11")
@pytest.mark.parametrize(
    "change",
    [
        {"available": 11},
        {"available": 11, "earned": 15},
        {"pending": -1, "available": 11},
        {"debt": 2, "available": 12},
        {"expired": -1, "redeemed": 1},
    ],
)
def test_a_broken_account_is_refused(change: dict[str, int]) -> None:
    book, _ = stored()
    book.check()
    for name, value in change.items():
        setattr(book, name, value)
    with pytest.raises(AccountBrokenError):
        book.check()


def test_the_chain_goes_on_over_all_operations() -> None:
    book = two_lots_held()
    book.capture(why(), 1, 60, day(1.5))
    book.give_back_captured(why(), 1, 15, day(2))
    book.settle(day(100), TIME)
    assert chain.first_break("m", "points", book.transfers) is None
    assert book.transfers[-1].hash == book.head_hash


def test_a_hold_keeps_what_it_took() -> None:
    hold = Hold(1, 80, ((1, 50), (2, 30)), day(1), captured=60, given_back=15)
    assert hold.captured_uses == ((1, 50), (2, 10))
    assert hold.spent_uses == ((1, 45),)
