"""What the worked examples of the points account share: days, grounds and short views."""

from datetime import UTC, datetime, timedelta

from rewards.domain.account import Account
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


def two_lots_held() -> Account:
    book = account()
    book.rise(why("order:1"), 50, day(0), expires_at=day(50))
    book.rise(why("order:2"), 50, day(0), expires_at=day(60))
    book.hold(why("reservation:1"), 1, 80, day(1), day(2))
    return book
