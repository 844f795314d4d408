"""Balances as they are read: what is due is subtracted in memory, nothing is written.

The same engine that posts what is due is run on a copy, so a read never differs from what the
next write makes of it. Source: design §5.2, §6 (points), PTS-14.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db.models import QuerySet, Sum

from config.base import clock
from rewards.domain.account import Account
from rewards.domain.buckets import Bucket, Flow
from rewards.domain.journal import BEGINNING
from rewards.domain.transfers import SYSTEM, Cause
from rewards.models import Entry, Lot, LotUse, PointsAccount
from rewards.services import loading

POINTS: Final = "points"
COUNTERS: Final = (
    "pending", "available", "reserved", "debt", "earned", "redeemed", "expired", "reversed",
    "adjusted",
)  # fmt: skip
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Balance:
    """What stands in each bucket of a points account at one instant."""

    pending: int = 0
    available: int = 0
    reserved: int = 0
    debt: int = 0
    earned: int = 0
    redeemed: int = 0
    expired: int = 0
    reversed: int = 0
    adjusted: int = 0

    @property
    def total(self) -> int:
        """Return all that the member has: usable or not yet, less what is owed."""
        return self.pending + self.available + self.reserved - self.debt


@dataclass(frozen=True, slots=True)
class Expiring:
    """Points that end with a day; None = they never do."""

    on: date | None
    points: int


@dataclass(frozen=True, slots=True)
class Points:
    """A points account as it is read at one instant."""

    balance: Balance
    expiring: tuple[Expiring, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One month of a points account.

    opening + earned - spent - expired + adjusted = closing, where earned is what was issued less
    what was clawed back. Source: PTS-14.
    """

    opening: int
    issued: int
    reversed: int
    spent: int
    expired: int
    adjusted: int
    closing: int

    @property
    def earned(self) -> int:
        """Return what was issued, less what was clawed back."""
        return self.issued - self.reversed


@dataclass(slots=True)
class _Due:
    """What the engine would post by an instant: transfers, and what it takes from each lot."""

    flows: list[tuple[Flow, int, datetime]] = field(default_factory=list)
    left: dict[int, int] = field(default_factory=dict)


def points_of(
    member_id: int,
    *,
    at: datetime,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Points:
    """Return balances and expiring points of a member.

    `as_of` asks for another business time, `known_at` for what was recorded by then; with either,
    the entries of this one member are summed.
    """
    account = PointsAccount.objects.filter(member_id=member_id, kind=POINTS).first()
    if account is None:
        return Points(Balance(), ())
    if known_at is None and (as_of is None or as_of >= at):
        return read(account, max(at, as_of or at))
    business = as_of or max(at, known_at or at)
    is_history = known_at is not None and known_at < at
    due = _Due() if is_history else _due(account, min(business, at))
    entries = _entries(account, known_at).filter(occurred_at__lte=business)
    flows = [*_summed(entries), *((flow, points) for flow, points, _at in due.flows)]
    return Points(_balance(flows), _expiring(_left_then(account, entries, due)))


def statement_of(
    member_id: int,
    *,
    month: date,
    at: datetime,
    known_at: datetime | None = None,
) -> Statement:
    """Return the month's statement of a member, by business time.

    Source: PTS-14.
    """
    start = clock.day_start(month)
    end = clock.day_start(clock.add_months(month, 1))
    account = PointsAccount.objects.filter(member_id=member_id, kind=POINTS).first()
    if account is None:
        return Statement(0, 0, 0, 0, 0, 0, 0)
    entries = _entries(account, known_at)
    is_history = known_at is not None and known_at < at
    due = _Due() if is_history else _due(account, min(end - _INSTANT, at))
    before = [
        *_summed(entries.filter(occurred_at__lt=start)),
        *((flow, points) for flow, points, when in due.flows if when < start),
    ]
    within = [
        *_summed(entries.filter(occurred_at__gte=start, occurred_at__lt=end)),
        *((flow, points) for flow, points, when in due.flows if when >= start),
    ]
    opening, month_sums = _balance(before).total, _balance(within)
    return Statement(
        opening=opening,
        issued=month_sums.earned,
        reversed=month_sums.reversed,
        spent=month_sums.redeemed,
        expired=month_sums.expired,
        adjusted=-month_sums.adjusted,
        closing=opening + month_sums.total,
    )


def last_valid_day(expires_at: datetime | None) -> date | None:
    """Return the last programme day on which points with this expiry can be used."""
    return None if expires_at is None else clock.local_day(expires_at - _INSTANT)


def read(account: PointsAccount, at: datetime) -> Points:
    """Return balances and expiring points of an account that is in hand; one statement or two."""
    if account.next_due_at is None or account.next_due_at > at:
        open_lots = Lot.objects.filter(account=account, remaining__gt=0).order_by()
        left = open_lots.values_list("expires_at").annotate(Sum("remaining"))
        return Points(_stored(account), _expiring(left))
    settled = _settled(account, at)
    return Points(
        _stored(settled),
        _expiring((lot.expires_at, lot.remaining) for lot in settled.lots.values()),
    )


def available_of(accounts: Iterable[PointsAccount], at: datetime) -> dict[int, int]:
    """Return what each member can spend; only where something is due a statement is needed."""
    return {
        account.member_id: account.available
        if account.next_due_at is None or account.next_due_at > at
        else _settled(account, at).available
        for account in accounts
    }


def _stored(account: PointsAccount | Account) -> Balance:
    return Balance(*(getattr(account, name) for name in COUNTERS))


def _expiring(left: Iterable[tuple[datetime | None, int]]) -> tuple[Expiring, ...]:
    days: dict[date | None, int] = {}
    for expires_at, points in left:
        if points > 0:
            day = last_valid_day(expires_at)
            days[day] = days.get(day, 0) + points
    ordered = sorted(days.items(), key=lambda item: (item[0] is None, item[0] or date.max))
    return tuple(Expiring(day, points) for day, points in ordered)


def _entries(account: PointsAccount, known_at: datetime | None) -> QuerySet[Entry]:
    entries = Entry.objects.filter(account=account)
    return entries if known_at is None else entries.filter(recorded_at__lte=known_at)


def _summed(entries: QuerySet[Entry]) -> list[tuple[Flow, int]]:
    rows = entries.order_by().values_list("source", "target").annotate(Sum("points"))
    return [((Bucket(source), Bucket(target)), points) for source, target, points in rows]


def _balance(flows: Iterable[tuple[Flow, int]]) -> Balance:
    """Return the buckets after these transfers, from nothing."""
    net: dict[Bucket, int] = dict.fromkeys(Bucket, 0)
    for (source, target), points in flows:
        net[source] -= points
        net[target] += points
    return Balance(
        pending=net[Bucket.PENDING],
        available=net[Bucket.AVAILABLE],
        reserved=net[Bucket.RESERVED],
        debt=-net[Bucket.DEBT],
        earned=-net[Bucket.ISSUANCE],
        redeemed=net[Bucket.REDEEMED],
        expired=net[Bucket.EXPIRED],
        reversed=net[Bucket.REVERSED],
        adjusted=net[Bucket.ADJUSTMENT] + net[Bucket.TRANSFER],
    )


def _left_then(
    account: PointsAccount, entries: QuerySet[Entry], due: _Due
) -> Iterable[tuple[datetime | None, int]]:
    """Return what was left in each lot by the given entries, less what is due."""
    uses = LotUse.objects.filter(entry__in=entries).order_by()
    taken = dict(uses.values_list("lot_id").annotate(Sum("points")))
    issued = Lot.objects.filter(account=account, entry__in=entries)
    for lot_id, points, expires_at in issued.values_list("id", "points", "expires_at"):
        yield expires_at, points - taken.get(lot_id, 0) - due.left.get(lot_id, 0)


def _due(account: PointsAccount, upto: datetime) -> _Due:
    """Return what would be posted by an instant that nobody has posted yet."""
    if account.next_due_at is None or account.next_due_at > upto:
        return _Due()
    settled = _settled(account, upto)
    due = _Due()
    for transfer in settled.transfers:
        flow = (transfer.source, transfer.target)
        due.flows.append((flow, transfer.points, transfer.occurred_at))
        for lot, points in transfer.uses:
            due.left[lot] = due.left.get(lot, 0) + points
    return due


def _settled(row: PointsAccount, at: datetime) -> Account:
    """Return a copy of the account on which everything due by an instant has been posted."""
    settled_at = BEGINNING if row.settled_at is None else row.settled_at.astimezone(UTC)
    account = Account(
        key=row.pk,
        member="",
        kind=row.kind,
        seq=row.seq,
        head_hash=bytes(row.head_hash),
        settled_at=settled_at,
        **{name: getattr(row, name) for name in COUNTERS},
    )
    loading.attach_lots([account])
    account.settle(at, Cause(None, SYSTEM, at))
    return account
