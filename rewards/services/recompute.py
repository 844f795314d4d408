"""Fold members from their first fact and report where what is stored differs. Writes nothing.

Source: design §5.1 (3), §7; reliability: a cache that cannot be rebuilt is not one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import orjson
from django.db import connection, transaction

from config.base import bulk, clock, money
from rewards.domain import receipt as receipts
from rewards.domain import recomputation
from rewards.domain.fold import MemberFold, fold_all
from rewards.domain.programme import ProgrammeBook
from rewards.domain.receipt import Receipt
from rewards.domain.recomputation import Awards, Difference, StandingInterval, Stored, StoredOrder
from rewards.domain.subjects import ORDER, FoldFact, MemberFacts, Subject, oldest_instant
from rewards.services import decisions, loading, member_facts
from rewards.services.programme import current_book

SLICE: Final = 200

_MEMBERS = f"""
SELECT m.id, m.public_id::text, p.first_purchase_on, f.state::text, f.position::text,
       f.review_due_at, {member_facts.COLUMNS}
FROM members_member m
LEFT JOIN members_memberprofile p ON p.member_id = m.id
LEFT JOIN rewards_foldsnapshot f ON f.member_id = m.id
WHERE m.id = ANY(%s::bigint[])
ORDER BY m.id
"""  # noqa: S608 - column names

_ORDERS = """
SELECT o.member_id, o.id, o.version, o.net_amount, o.qualifying_amount
FROM members_order o WHERE o.member_id = ANY(%s::bigint[])
"""


@dataclass(slots=True)
class _Member:
    """One member as read, without its facts."""

    id: int
    public_id: str
    facts: MemberFacts
    first_purchase_on: date | None
    state: dict[str, Any] | None
    position: list[Any] | None
    review_due_at: datetime | None

    @property
    def is_forgotten(self) -> bool:
        """Tell whether erasure took what the fold went by: it cannot be folded again."""
        return bool(self.state and "a" in self.state and not self.facts.changes)


def member_ids(*, sample: int | None = None) -> list[int]:
    """Return all members, or a sample spread evenly over the ids, in their order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM members_member ORDER BY id")
        ids = [row[0] for row in cursor.fetchall()]
    if sample is None or sample >= len(ids):
        return ids
    return [ids[place * len(ids) // sample] for place in range(sample)]


def recompute(*, members: Sequence[int]) -> Iterator[tuple[int, list[tuple[str, Difference]]]]:
    """Fold these members from zero; returns, slice by slice, how many and where they differ.

    A slice is read in one snapshot, so that facts which arrive meanwhile do not disturb it.
    Raises: ProgrammeMissingError.
    """
    for start in range(0, len(members), SLICE):
        ids = members[start : start + SLICE]
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield len(ids), recompute_slice(ids)


def recompute_slice(ids: Sequence[int]) -> list[tuple[str, Difference]]:
    """Fold these members inside the caller's transaction; return where each differs."""
    book = current_book()
    history = loading.history_of(ids)
    posted = decisions.posted_of(history)
    standings = loading.standings_of(ids)
    orders = _orders_of(ids)
    folded = _by_viewer(history, ids)
    found: list[tuple[str, Difference]] = []
    for member in _members(ids):
        if member.is_forgotten:
            continue
        stored = Stored(
            posted.get(member.id, {}),
            [_interval(row) for row in standings[member.id]],
            orders.get(member.id, {}),
            member.state,
            member.position,
            member.review_due_at,
            member.first_purchase_on,
        )
        fold = _fold(book, member, folded[member.id])
        differences = recomputation.differences(fold, stored, _first_purchase_on(fold))
        found += [(member.public_id, difference) for difference in differences]
    return found


@dataclass(frozen=True, slots=True)
class Folded:
    """One member, folded under each of several programmes, and what was posted."""

    public_id: str
    folds: tuple[MemberFold, ...]
    posted: Mapping[Subject, Awards]


def folded(ids: Sequence[int], books: Sequence[ProgrammeBook]) -> Iterator[Folded]:
    """Fold these members from zero under each programme, inside the caller's transaction."""
    history = loading.history_of(ids)
    posted = decisions.posted_of(history)
    facts = _by_viewer(history, ids)
    for member in _members(ids):
        if not member.is_forgotten:
            folds = tuple(_fold(book, member, facts[member.id]) for book in books)
            yield Folded(member.public_id, folds, posted.get(member.id, {}))


def _fold(book: ProgrammeBook, member: _Member, facts: Sequence[FoldFact]) -> MemberFold:
    """Fold everything, and what time alone has done by the instant that the snapshot stands at."""
    fold = MemberFold.fresh(book, member.facts, oldest_instant(facts))
    fold_all(fold, facts)
    if member.state is not None:
        acted_at = datetime.fromisoformat(member.state["t"]["acted"])
        fold.settle(max(acted_at, fold.tiers.acted_at))
    return fold


def _first_purchase_on(fold: MemberFold) -> date | None:
    days = [clock.local_day(s.placed_at) for s in fold.orders.values() if s.counted.counts]
    return min(days, default=None)


def _by_viewer(history: Iterable[Receipt], ids: Collection[int]) -> dict[int, list[FoldFact]]:
    """Return the facts that each member sees: an order's go to everyone it ever named."""
    facts = list(history)
    owners: dict[int, set[int]] = {}
    for fact in facts:
        if fact.kind == ORDER and fact.order is not None and fact.member is not None:
            owners.setdefault(fact.order, set()).add(fact.member)
    seen: dict[int, list[FoldFact]] = {member: [] for member in ids}
    for fact in facts:
        viewers = {fact.member} if fact.order is None else owners.get(fact.order, set())
        for viewer in viewers:
            if viewer is not None and viewer in seen:
                seen[viewer].append(receipts.as_fold_fact(fact, viewer))
    return seen


def _members(ids: Sequence[int]) -> Iterator[_Member]:
    for row in bulk.fetch(_MEMBERS, [list(ids)]):
        yield _Member(
            row[0],
            row[1],
            member_facts.read(row[6:]),
            row[2],
            None if row[3] is None else orjson.loads(row[3]),
            None if row[4] is None else orjson.loads(row[4]),
            row[5],
        )


def _orders_of(ids: Sequence[int]) -> dict[int, dict[int, StoredOrder]]:
    found: dict[int, dict[int, StoredOrder]] = {}
    for member, key, version, net, qualifying in bulk.fetch(_ORDERS, [list(ids)]):
        order = StoredOrder(version, money.to_minor(net), money.to_minor(qualifying))
        found.setdefault(member, {})[key] = order
    return found


def _interval(row: loading.StandingRow) -> StandingInterval:
    return StandingInterval(row.tier, row.from_at, row.ended_at, row.kept_until_on, row.reason)
