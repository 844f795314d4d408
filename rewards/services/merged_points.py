"""Points of a merged member go over to its survivor: when they are merged, and what comes later.

A merged member keeps its orders. What a refund or a late version does to them is posted on its own
account and handed over at once, so that nothing is ever left there.
Source: MEM-04.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from config.base.bulk import Writes
from members.models import MemberMerge
from members.services import merging
from rewards.domain import receipt as receipts
from rewards.domain.account import Account
from rewards.domain.buckets import TRANSFER_IN, Bucket
from rewards.domain.lots import Lot, debit_order
from rewards.domain.posting import FactOutcome
from rewards.domain.receipt import Receipt
from rewards.domain.subjects import ORDER, Merging
from rewards.domain.transfers import Cause, Grounds
from rewards.models import MergedLot, PointsAccount
from rewards.services import ledger, loading, tables
from rewards.services.happened import TierNews
from rewards.services.ledger import MemberWrite
from rewards.services.loading import Locked
from rewards.services.programme import current_book
from tiers.domain.changes import Reason

MERGED: Final = "merged"
UNDONE: Final = "merge_undone"
OF_MERGES: Final = frozenset({Reason.MERGED.value, Reason.MERGE_UNDONE.value})
_INSTANT: Final = timedelta(microseconds=1)

Debts = Sequence[tuple[str | None, int]]
"""Points owed, and of which subject they were taken back."""


@dataclass(slots=True)
class Handover:
    """Two accounts, locked, between which points go over; both are written at once.

    `points` are what the taker has got, less what it owes for the giver now.
    """

    giver: Locked
    taker: Locked
    cause: Cause
    reason: str
    pairs: list[tuple[int, Lot]] = field(default_factory=list)
    points: int = 0

    def move(self, lots: Iterable[Lot]) -> None:
        """Hand over what is left of lots, each as a lot of the taker with the same dates."""
        book = current_book()
        for lot in sorted(lots, key=debit_order):
            rule = None if lot.rule is None else book.ref(lot.rule)
            grounds = Grounds(lot.subject, rule, self.reason, self.cause)
            at = self.cause.recorded_at
            points = self.giver.account.hand_over(grounds, lot, at)
            taken = self.taker.account.take_over(grounds, points, lot, at)
            self.pairs.append((lot.key, taken))
            self.points += points

    def owe(self, subject: str | None, points: int) -> None:
        """Let the taker pay what the giver owes: from lots of the subject first, else as debt."""
        at = self.cause.recorded_at
        grounds = Grounds(subject, None, self.reason, self.cause)
        self.taker.account.fall(grounds, points, at, into=Bucket.TRANSFER)
        free = Grounds(None, None, self.reason, self.cause)
        self.giver.account.adjust(free, points, at, flow=TRANSFER_IN)
        self.points -= points

    def write(self) -> list[tuple[int, int]]:
        """Write both accounts; returns the ids of the lots given and made of them."""
        both = (self.giver.account, self.taker.account)
        entries = sum(len(account.transfers) for account in both)
        ids = ledger.next_ids(entries, sum(len(account.new_lots) for account in both))
        writes = Writes()
        written = [MemberWrite(each, None, each.account, []) for each in (self.giver, self.taker)]
        ledger.write_accounts(writes, written, ids=ids)
        writes.flush(tables.COPY_ORDER)
        made = [lot for account in both for lot in account.new_lots]
        id_of = {id(lot): key for lot, key in zip(made, ids[1], strict=True)}
        return [(key, id_of[id(lot)]) for key, lot in self.pairs]


def between(
    *, giver: int, taker: int, cause: Cause, reason: str, subjects: Iterable[str | None] = ()
) -> Handover:
    """Lock both accounts in the order of their ids and load what they have left.

    `subjects` are those of which points are about to be taken back.
    """
    locked = loading.lock([giver, taker])
    orders = [int(each.partition(":")[2]) for each in subjects if each and each.startswith(ORDER)]
    loading.attach_lots([each.account for each in locked.values()], orders=orders)
    return Handover(locked[giver], locked[taker], cause, reason)


def pass_on(accounts: Mapping[int, Account], *, at: datetime, actor: str) -> set[int]:
    """Hand over what merged members have or owe; returns whose points have moved.

    `accounts` are theirs as they have just been written. Where there is nothing, no statement.
    """
    moved: set[int] = set()
    waiting = dict(accounts)
    while waiting:
        member = min(waiting)
        account = waiting.pop(member)
        if account.available or account.pending or account.debt or account.scheduled:
            merge = active([member])[member]
            handover = hand_over(merge, at=at, actor=actor, account=account)
            moved |= {member, merge.into_id}
            if handover.taker.survivor is not None:
                waiting[merge.into_id] = handover.taker.account
    return moved


def hand_over(
    merge: MemberMerge, *, at: datetime, actor: str, account: Account | None = None
) -> Handover:
    """Hand over all that a merged member has or owes; returns what has gone over.

    `account` is the member's as it was written, for what has just happened to it.
    """
    debts = [] if account is None else _debts(account)
    handover = between(
        giver=merge.away_id, taker=merge.into_id, cause=Cause(None, actor, at), reason=MERGED,
        subjects=[subject for subject, _points in debts],
    )  # fmt: skip
    giver, taker = handover.giver.account, handover.taker.account
    for subject, available_at in () if account is None else account.scheduled:
        taker.schedule(subject, max(available_at, at), handover.cause)
    handover.move([lot for lot in giver.lots.values() if lot.remaining])
    owed = giver.debt
    of_none: Debts = [(None, owed)]
    for whose, points in [*debts, *of_none]:
        if part := min(points, giver.debt):
            handover.owe(whose, part)
    pairs = handover.write()
    MergedLot.objects.bulk_create(
        [MergedLot(merge=merge, from_lot_id=old, lot_id=new) for old, new in pairs]
    )
    if owed:
        merging.take_on_debt(merge, owed)
    return handover


def give_back(merge: MemberMerge, *, at: datetime, actor: str) -> int:
    """Return what is left of the lots that a merge has moved; returns the points less the debt.

    What the survivor has spent of them stays spent. Of the debt that it took on, what it still owes
    goes back.
    """
    handover = between(
        giver=merge.into_id, taker=merge.away_id, cause=Cause(None, actor, at), reason=UNDONE
    )
    giver = handover.giver.account
    lots = MergedLot.objects.filter(merge=merge, lot__remaining__gt=0)
    handover.move([giver.lots[key] for key in lots.values_list("lot_id", flat=True)])
    merge.refresh_from_db(fields=["debt_points"])
    owed = min(giver.debt, merge.debt_points)
    if owed:
        handover.owe(None, owed)
    handover.write()
    return handover.points


def _debts(account: Account) -> Debts:
    """Return which subjects' points have just become debt."""
    return [
        (transfer.subject, transfer.points)
        for transfer in account.transfers
        if transfer.source is Bucket.DEBT
    ]


def without_merges(tiers: Iterable[TierNews], locked: Mapping[int, Locked]) -> list[TierNews]:
    """Return the tiers entered that something may follow from.

    One that was taken over gives nothing, who had it before has had its gifts; and nothing is
    given any more to who was merged.
    """
    return [t for t in tiers if t.reason not in OF_MERGES and locked[t.member].survivor is None]


def corrections(results: Sequence[tuple[Locked, FactOutcome]], *, at: datetime) -> list[Receipt]:
    """Return the facts by which survivors learn what has become of merged members' progress."""
    changed = [(locked.member, outcome) for locked, outcome in results if outcome.progress]
    if not changed:
        return []
    merges = active({member for member, _outcome in changed})
    acting = acting_at({merge.into_id for merge in merges.values()}, at)
    return [
        receipts.of_merge(
            member=merges[member].into_id,
            ref=f"{merges[member].pk}:{outcome.fact.key}",
            at=acting[merges[member].into_id],
            merging=Merging(tuple(delta for _at, delta in outcome.progress)),
        )
        for member, outcome in changed
    ]


def active(members: Collection[int]) -> dict[int, MemberMerge]:
    """Return the merge of each merged member."""
    rows = MemberMerge.objects.filter(away_id__in=members, undone_at__isnull=True)
    return {merge.away_id: merge for merge in rows}


def acting_at(members: Collection[int], at: datetime) -> dict[int, datetime]:
    """Return for each member an instant after all its facts, now if that is later."""
    rows = PointsAccount.objects.filter(member_id__in=members)
    lasts = rows.values_list("member_id", "last_fact_at")
    return {member: at if last is None or last < at else last + _INSTANT for member, last in lasts}
