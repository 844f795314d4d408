"""Compare what is stored of a member with a fold of all its facts from zero.

Pure: the fold and what was read from the database in, differences out.

Source: design §5.1 (3), §7 (recompute).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rewards.domain.fold import MemberFold
from rewards.domain.subjects import INTERACTION, ORDER, Subject
from tiers.domain.progress import COLUMN_NAMES, DayBook
from tiers.domain.state import FoldState

Awards = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is stored otherwise than the facts say; `subject` names whose it is."""

    part: str
    subject: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.part} {self.subject}: {self.expected} ≠ {self.found}"


@dataclass(frozen=True, slots=True)
class StandingInterval:
    """A standing as stored, or as the fold says."""

    tier: str
    from_at: datetime
    ended_at: datetime | None
    kept_until_on: date | None
    reason: str

    def __str__(self) -> str:
        end = "" if self.ended_at is None else self.ended_at.isoformat()
        return (
            f"{self.tier} {self.from_at.isoformat()}–{end} until {self.kept_until_on}"
            f" ({self.reason})"
        )


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order as stored. Units: minor units."""

    version: int
    net: int
    qualifying: int


@dataclass(slots=True)
class Stored:
    """What the database holds of a member; `names` say how people know a subject."""

    awards: Mapping[Subject, Awards]
    standings: Sequence[StandingInterval]
    orders: Mapping[int, StoredOrder] = field(default_factory=dict)
    state: Mapping[str, Any] | None = None
    position: Sequence[Any] | None = None
    review_due_at: datetime | None = None
    first_purchase_on: date | None = None


def differences(fold: MemberFold, stored: Stored, first_on: date | None) -> Iterator[Difference]:
    """Return everything that is stored otherwise than the fold says.

    `first_on` is the local day of the first order that counts.
    """
    yield from _awards(fold, stored.awards)
    yield from _orders(fold, stored.orders)
    yield from _standings(intervals(fold), stored.standings)
    if stored.state is not None:
        yield from _snapshot(fold, stored)
    elif fold.position is not None:
        yield Difference("snapshot", "", "a snapshot", "none")
    yield from _same("first_purchase", "", first_on, stored.first_purchase_on)


def intervals(fold: MemberFold) -> list[StandingInterval]:
    """Return the standings that the fold's changes make, oldest first."""
    found: list[StandingInterval] = []
    for change in fold.tiers.changes:
        reason = change.reason.value
        if change.begins_standing:
            if found:
                found[-1] = _ended(found[-1], change.at)
            found.append(
                StandingInterval(
                    fold.book.tier_at(change.at, change.rank).code,
                    change.at,
                    None,
                    change.kept_until_on,
                    reason,
                )
            )
        else:
            last = found[-1]
            found[-1] = StandingInterval(
                last.tier, last.from_at, None, change.kept_until_on, last.reason
            )
    return found


def _ended(standing: StandingInterval, at: datetime) -> StandingInterval:
    return StandingInterval(
        standing.tier, standing.from_at, at, standing.kept_until_on, standing.reason
    )


def _awards(fold: MemberFold, stored: Mapping[Subject, Awards]) -> Iterator[Difference]:
    """Compare per order or interaction, and per rule."""
    wanted: dict[Subject, Awards] = {(ORDER, key): s.awards for key, s in fold.orders.items()}
    wanted |= {(INTERACTION, key): s.awards for key, s in fold.interactions.items()}
    for subject in sorted(wanted.keys() | stored.keys()):
        now, then = wanted.get(subject, {}), stored.get(subject, {})
        for rule in sorted(now.keys() | then.keys()):
            code = fold.book.ref(rule).code if fold.book.rule(rule) else str(rule)
            name = f"{_name(fold, subject)} rule {code}"
            yield from _same("award", name, now.get(rule, 0), then.get(rule, 0))


def _orders(fold: MemberFold, stored: Mapping[int, StoredOrder]) -> Iterator[Difference]:
    for key, order in stored.items():
        state = fold.orders.get(key)
        name = _name(fold, (ORDER, key))
        if state is None or state.version is None or state.net is None:
            yield Difference("order", name, "no such order", f"version {order.version}")
            continue
        spend = state.counted.spend if state.counted.counts else 0
        yield from _same("order_version", name, state.version.version, order.version)
        yield from _same("order_net", name, state.net.net, order.net)
        yield from _same("order_qualifying", name, spend, order.qualifying)


def _standings(
    wanted: Sequence[StandingInterval], stored: Sequence[StandingInterval]
) -> Iterator[Difference]:
    for place in range(max(len(wanted), len(stored))):
        now = wanted[place] if place < len(wanted) else None
        then = stored[place] if place < len(stored) else None
        yield from _same("standing", str(place + 1), now, then)


def _snapshot(fold: MemberFold, stored: Stored) -> Iterator[Difference]:
    assert stored.state is not None
    state, position = fold.to_json()
    yield from _same("position", "", position, stored.position and list(stored.position))
    caps, kept = _counters(state["c"]), _counters(stored.state["c"])
    for name in sorted(caps.keys() | kept.keys()):
        yield from _same("cap", name, caps.get(name, 0), kept.get(name, 0))
    yield from _same("fold", "attributes", state.get("a"), stored.state.get("a"))
    yield from _tiers(fold.tiers, FoldState.from_json(dict(stored.state["t"])))
    due_at = fold.tiers.next_due_at(fold.book.ladders)
    yield from _same("review_due_at", "", due_at, stored.review_due_at)


def _counters(counters: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counters.items() if count}


def _tiers(wanted: FoldState, stored: FoldState) -> Iterator[Difference]:
    names = ("joined_at", "since_at", "acted_at", "rank", "kept_until", "requalify_on", "version")
    for name in names:
        yield from _same("fold", name, getattr(wanted, name), getattr(stored, name))
    yield from _same("fold", "anchors", wanted.progress.anchors, stored.progress.anchors)
    yield from _same("fold", "upgrades", wanted.upgrades, stored.upgrades)
    yield from _days(wanted.progress.days, stored.progress.days)


def _days(wanted: DayBook, stored: DayBook) -> Iterator[Difference]:
    """Compare progress in all and day by day, as far back as both still know single days."""
    for name, now, then in zip(COLUMN_NAMES, wanted.totals, stored.totals, strict=True):
        yield from _same("progress", name, now, then)
    first = max(wanted.kept_from, stored.kept_from)
    left, right = dict(_sums(wanted, first)), dict(_sums(stored, first))
    nothing = (0,) * len(COLUMN_NAMES)
    for day in sorted(left.keys() | right.keys()):
        name = date.fromordinal(day).isoformat()
        yield from _same("progress_day", name, left.get(day, nothing), right.get(day, nothing))


def _sums(book: DayBook, first: int) -> Iterable[tuple[int, tuple[int, ...]]]:
    for row, day in enumerate(book.days):
        sums = tuple(column[row] for column in book.columns)
        if day >= first and any(sums):
            yield day, sums


def _name(fold: MemberFold, subject: Subject) -> str:
    kind, key = subject
    if kind == ORDER and key in fold.orders:
        return f"{kind} {fold.orders[key].source}/{fold.orders[key].order_no}"
    if kind == INTERACTION and key in fold.interactions:
        return f"{kind} {fold.interactions[key].source}/{fold.interactions[key].ref}"
    return f"{kind} #{key}"


def _same(part: str, subject: str, expected: Any, found: Any) -> Iterator[Difference]:
    if expected != found:
        yield Difference(part, subject, str(expected), str(found))
