"""What an account asks for before it changes anything, and what it never allows."""

from dataclasses import replace

import pytest

from rewards.domain import chain
from rewards.domain.account import Account
from rewards.domain.holds import Hold
from rewards.domain.journal import AccountBrokenError
from rewards.domain.lot_book import LotsNeededError
from tests.rewards.accounts import (
    BASE,
    TIME,
    account,
    day,
    two_lots_held,
    why,
)

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
