"""Write down what the runs of a batch have decided. The one place that writes the ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from config.base import money
from config.base.bulk import Writes, fetch
from rewards.domain.account import Account
from rewards.domain.holds import HoldState
from rewards.domain.posting import Decided, FactOutcome, MemberRun
from rewards.domain.programme import ProgrammeBook
from rewards.domain.receipt import dumps
from rewards.domain.subjects import INTERACTION, ORDER
from rewards.domain.transfers import Transfer
from rewards.services import tables
from rewards.services.loading import Locked, StandingRow
from tiers.domain.changes import StandingChange
from tiers.domain.progress import ProgressMetric

LOT_REASONS_OF_OPENING: Final = frozenset({"opening"})

_NEXT_IDS: Final = """
SELECT array(SELECT nextval('rewards_entry_id_seq') FROM generate_series(1, %s::bigint)),
       array(SELECT nextval('rewards_lot_id_seq') FROM generate_series(1, %s::bigint))
"""


@dataclass(slots=True)
class MemberWrite:
    """One member's run, ready to be written.

    `standings` are the stored ones, needed when the member was refolded.
    """

    locked: Locked
    run: MemberRun | None
    account: Account
    standings: Sequence[StandingRow]

    @property
    def is_changed(self) -> bool:
        """Say whether there is anything to write: a hold of no points moves none."""
        account = self.account
        return bool(account.transfers or account.touched_holds or self.run is not None)


def next_ids(entries: int, lots: int) -> tuple[list[int], list[int]]:
    """Take ids for that many entries and lots from their sequences, in one statement."""
    row = fetch(_NEXT_IDS, [entries, lots])[0]
    return row[0], row[1]


Ids = tuple[list[int], list[int]]


def write_accounts(
    writes: Writes, members: Iterable[MemberWrite], *, ids: Ids | None = None
) -> None:
    """Add entries, lots, lot uses, reservations and balances of all members to the writes.

    `ids` are those of the entries and lots, where they were taken with another statement.
    """
    changed = [each for each in members if each.is_changed]
    transfers = sum(len(each.account.transfers) for each in changed)
    lots = sum(len(each.account.new_lots) for each in changed)
    entry_ids, lot_ids = ids or (next_ids(transfers, lots) if transfers else ([], []))
    assert (len(entry_ids), len(lot_ids)) == (transfers, lots), "each row has an id of its own"
    next_entry, next_lot = iter(entry_ids), iter(lot_ids)
    for each in changed:
        _write_account(writes, each, next_entry, next_lot)


def _write_account(
    writes: Writes, each: MemberWrite, entry_ids: Iterable[int], lot_ids: Iterable[int]
) -> None:
    account, member = each.account, each.locked.member
    lot_id = {lot.key: key for lot, key in zip(account.new_lots, lot_ids, strict=False)}
    entry_of_lot: dict[int, tuple[int, str]] = {}
    for transfer, entry_id in zip(account.transfers, entry_ids, strict=False):
        writes.insert(tables.ENTRIES, _entry_row(entry_id, account.key, member, transfer))
        if transfer.lot is not None:
            entry_of_lot[transfer.lot] = (entry_id, transfer.reason)
        for key, points in transfer.uses:
            writes.insert(tables.LOT_USES, (entry_id, lot_id.get(key, key), member, points))
    for lot in account.new_lots:
        entry_id, reason = entry_of_lot[lot.key]
        order, interaction = _subject_ids(lot.subject)
        writes.insert(
            tables.LOTS,
            (lot_id[lot.key], account.key, member, entry_id, order, interaction, lot.rule,
             lot.points, lot.remaining, lot.expired, lot.pending,
             reason in LOT_REASONS_OF_OPENING, lot.earned_at, lot.available_at, lot.expires_at),
        )  # fmt: skip
    for key in sorted(account.touched_lots):
        if key > 0:
            lot = account.lots[key]
            writes.update(
                tables.LOT_STATES,
                (key, lot.remaining, lot.expired, lot.pending, lot.available_at, lot.expires_at),
            )
    _write_holds(writes, each)
    last_fact_at = each.locked.last_fact_at
    if each.run is not None:
        # None where the only order has gone to another member.
        position = each.run.fold.position
        last_fact_at = None if position is None else position[0]
    writes.update(
        tables.ACCOUNTS,
        (account.key, account.pending, account.available, account.reserved, account.debt,
         account.earned, account.redeemed, account.expired, account.reversed, account.adjusted,
         account.seq, account.head_hash, account.settled_at, account.next_due_at(), last_fact_at),
    )  # fmt: skip


def _entry_row(entry_id: int, account: int, member: int, transfer: Transfer) -> tuple[Any, ...]:
    order, interaction = _subject_ids(transfer.subject)
    cause = transfer.cause
    return (
        entry_id, account, member, transfer.seq, transfer.source.value, transfer.target.value,
        transfer.points, None if cause.fact is None else cause.fact.key,
        None if transfer.rule is None else transfer.rule.key, order, interaction, transfer.hold,
        str(transfer.reason), cause.actor, transfer.occurred_at, cause.recorded_at, transfer.hash,
    )  # fmt: skip


def _subject_ids(subject: str | None) -> tuple[int | None, int | None]:
    if subject is None:
        return None, None
    kind, _, number = subject.partition(":")
    return (int(number), None) if kind == ORDER else (None, int(number))


def _write_holds(writes: Writes, each: MemberWrite) -> None:
    account = each.account
    for key in sorted(account.touched_holds):
        hold = account.holds[key]
        if hold.state is not HoldState.HELD:
            writes.update(
                tables.RESERVATIONS,
                (key, hold.state.value, hold.captured, hold.given_back,
                 _subject_ids(hold.subject)[0], account.settled_at),
            )  # fmt: skip


def write_snapshot(writes: Writes, member: int, run: MemberRun) -> None:
    """Add where the fold now stands."""
    state, position = run.fold.to_json()
    writes.upsert(
        tables.SNAPSHOTS,
        (member, dumps(position), dumps(state), run.fold.tiers.next_due_at(run.book.ladders)),
    )


def write_evaluation(writes: Writes, member: int, decided: Decided, result: dict[str, Any]) -> None:
    """Add one evaluation."""
    kind, number = decided.subject
    writes.insert(
        tables.EVALUATIONS,
        (decided.fact.key, member, number if kind == ORDER else None,
         number if kind == INTERACTION else None, sum(decided.awards.values()), decided.delta,
         dumps(list(decided.awards.items())), dumps(decided.explanation), dumps(result),
         decided.recorded_at),
    )  # fmt: skip


def write_progress(writes: Writes, member: int, outcome: FactOutcome, at: datetime) -> None:
    """Add what a fact added to or took from the progress towards tiers."""
    for dated, delta in outcome.progress:
        is_money = delta.metric is ProgressMetric.SPEND
        amount = str(money.from_minor(delta.amount) if is_money else delta.amount)
        writes.insert(
            tables.PROGRESS, (member, delta.metric.value, amount, dated, outcome.fact.key, at)
        )


def write_standings(writes: Writes, each: MemberWrite, run: MemberRun) -> list[StandingChange]:
    """Add what the fold says about the member's standing; returns the changes that are news."""
    changes, book = run.fold.tiers.changes, run.book
    stored = list(each.standings)
    if not run.is_refolded:
        stored = [] if each.locked.open_standing is None else [each.locked.open_standing]
        wanted = _continue(book, stored[0], changes) if stored else _extend(book, [], changes)
    else:
        wanted = _extend(book, [], changes)
    _rewrite(writes, each.locked.member, stored, wanted, book.tier_ids)
    known = {(row.from_at, row.tier) for row in stored}
    begun = [change for change in changes if change.begins_standing]
    return [c for c in begun if (c.at, book.tier_at(c.at, c.rank).code) not in known]


@dataclass(slots=True)
class Interval:
    """A standing as it should be stored; the tier by its code."""

    tier: str
    from_at: datetime
    ended_at: datetime | None
    kept_until_on: Any
    reason: str
    evidence: dict[str, Any]


def _continue(
    book: ProgrammeBook, open_row: StandingRow, changes: Sequence[StandingChange]
) -> list[Interval]:
    first = Interval(
        open_row.tier, open_row.from_at, None, open_row.kept_until_on, open_row.reason, {}
    )
    return _extend(book, [first], changes)


def _extend(
    book: ProgrammeBook, intervals: list[Interval], changes: Sequence[StandingChange]
) -> list[Interval]:
    for change in changes:
        if change.begins_standing:
            if intervals:
                intervals[-1].ended_at = change.at
            intervals.append(
                Interval(
                    book.tier_at(change.at, change.rank).code, change.at, None,
                    change.kept_until_on, change.reason.value, change.evidence,
                )
            )  # fmt: skip
        else:
            intervals[-1].kept_until_on = change.kept_until_on
    return intervals


def _rewrite(
    writes: Writes,
    member: int,
    stored: Sequence[StandingRow],
    wanted: Sequence[Interval],
    tier_ids: Mapping[str, int],
) -> None:
    """Keep stored rows that are still right, end or move those that changed, add the rest."""
    kept = 0
    for row, interval in zip(stored, wanted, strict=False):
        first = kept == 0 and row.tier == interval.tier and row.reason == interval.reason
        if not first and (row.tier, row.from_at, row.reason) != (
            interval.tier, interval.from_at, interval.reason,
        ):  # fmt: skip
            break
        kept += 1
        now = (interval.from_at, interval.ended_at, interval.kept_until_on)
        if (row.from_at, row.ended_at, row.kept_until_on) != now:
            writes.update(tables.STANDING_ENDS, (row.id, *now))
    for row in stored[kept:]:
        writes.delete(tables.GONE_STANDINGS, (row.id,))
    for interval in wanted[kept:]:
        writes.insert(
            tables.STANDINGS,
            (member, tier_ids[interval.tier], interval.from_at, interval.ended_at,
             interval.kept_until_on, interval.reason, dumps(interval.evidence)),
        )  # fmt: skip
