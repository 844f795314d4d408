"""Who may have a reward, and why not: the same answer for a list, a reservation and a redemption.

Pure: what a reward says and how the member stands in, reasons out. Each reason has a stable code
and what a sentence needs.
Source: RWD-03, RWD-08, BEN-01, BEN-12.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import orjson

from config.base import clock, conditions

Reason = dict[str, Any]

NOT_LISTED: Final = "reward_not_listed"
NOT_YET: Final = "reward_not_yet_available"
OVER: Final = "reward_over"
TIER: Final = "reward_not_for_tier"
CONDITIONS: Final = "reward_conditions_not_met"
MEMBER_LIMIT: Final = "reward_member_limit"
TOTAL_LIMIT: Final = "reward_total_limit"
OUT_OF_STOCK: Final = "out_of_stock"
SLOT_NEEDED: Final = "slot_required"
SLOT_OVER: Final = "slot_over"
POINTS: Final = "insufficient_points"
DEBT: Final = "points_debt"

# Where the shortage of points stands beside others, they are told first: points can be earned.
ABOUT_POINTS: Final = frozenset({POINTS, DEBT})


@dataclass(frozen=True, slots=True)
class Pool:
    """A part of a reward's stock: for everybody (rank None), or kept for a rank and higher ones."""

    key: int
    slot: int | None
    rank: int | None
    free: int


@dataclass(frozen=True, slots=True)
class Slot:
    """One date of an experience."""

    key: int
    code: str
    place: str
    starts_at: datetime
    ends_at: datetime
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in a local period."""

    count: int
    period: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a reward asks of those who want it. Units: `points` for one.

    `accesses` are (rank, instant): members of that rank or a higher one may have it from then on.
    `conditions` is JSON as text, so that it is compiled once for each text.
    """

    points: int
    needs_slot: bool = False
    is_listed: bool = True
    is_active: bool = True
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    min_rank: int | None = None
    min_tier: str | None = None
    conditions: str | None = None
    member_limit: Limit | None = None
    total_limit: Limit | None = None
    tracks_stock: bool = True
    accesses: tuple[tuple[int, datetime], ...] = ()
    pools: tuple[Pool, ...] = ()
    slots: tuple[Slot, ...] = ()

    def opens_at(self, rank: int) -> datetime | None:
        """Return from when on members of a rank may have it; None: since ever.

        Of the windows that a rank may use the earliest counts, and never one after the public date.
        Source: BEN-12.
        """
        early = [opens_at for tier, opens_at in self.accesses if rank >= tier]
        if self.valid_from is None or not early:
            return self.valid_from
        return min(self.valid_from, *early)

    def free(self, rank: int, slot: int | None) -> int:
        """Return how many one member of a rank can have of the stock at once."""
        return max((pool.free for pool in self.usable_pools(rank, slot)), default=0)

    def usable_pools(self, rank: int, slot: int | None) -> list[Pool]:
        """Return the pools that members of a rank draw from, the most exclusive first."""
        usable = [
            pool
            for pool in self.pools
            if pool.slot == slot and (pool.rank is None or rank >= pool.rank)
        ]
        return sorted(usable, key=lambda pool: -1 if pool.rank is None else pool.rank, reverse=True)

    def slot(self, code: str) -> Slot | None:
        """Return the slot of a code."""
        return next((slot for slot in self.slots if slot.code == code), None)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a member stands: rank, what conditions may ask, and points; nobody in particular: None.

    `taken` and `taken_by_all` count what of the limits has been used in their periods.
    """

    rank: int
    facts: Mapping[str, object] = field(default_factory=dict)
    available: int | None = None
    debt: int = 0
    taken: int = 0
    taken_by_all: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """How many of a reward, and for which slot."""

    quantity: int = 1
    slot: Slot | None = None


ANYBODY: Final = Standing(rank=0)


def may_have(terms: Terms, standing: Standing, wish: Wish, at: datetime) -> list[Reason]:
    """Return every reason why a member may not have a reward; none: it may be had.

    What only points are missing for comes last.
    Source: RWD-08, RWD-13, BEN-01, BEN-12.
    """
    checks: Sequence[Callable[[], Reason | None]] = (
        lambda: None if terms.is_active and terms.is_listed else {"code": NOT_LISTED},
        lambda: _window(terms, standing.rank, at),
        lambda: _tier(terms, standing.rank),
        lambda: _conditions(terms, standing),
        lambda: _limit(MEMBER_LIMIT, terms.member_limit, standing.taken, wish.quantity),
        lambda: _limit(TOTAL_LIMIT, terms.total_limit, standing.taken_by_all, wish.quantity),
        lambda: _slot(terms, wish, at),
        lambda: _stock(terms, standing.rank, wish),
        lambda: _points(terms, standing, wish.quantity),
    )
    return [reason for check in checks if (reason := check()) is not None]


def still_may_have(terms: Terms, standing: Standing) -> list[Reason]:
    """Return the reasons that stand against a reward that was reserved before (BEN-01)."""
    return [r for r in (_tier(terms, standing.rank), _conditions(terms, standing)) if r is not None]


def is_reachable(reasons: Sequence[Reason]) -> bool:
    """Say whether a member may have a reward as soon as there are enough points."""
    return all(reason["code"] in ABOUT_POINTS for reason in reasons)


def period_start(period: str, at: datetime) -> datetime | None:
    """Return the first instant of the local period of a limit; None for the whole of time."""
    day = clock.local_day(at)
    starts: dict[str, date] = {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "year": day.replace(month=1, day=1),
    }
    return clock.day_start(starts[period]) if period in starts else None


def _window(terms: Terms, rank: int, at: datetime) -> Reason | None:
    opens_at = terms.opens_at(rank)
    if opens_at is not None and at < opens_at:
        return {"code": NOT_YET, "opens_at": opens_at.isoformat()}
    if terms.valid_until is not None and at >= terms.valid_until:
        return {"code": OVER, "ended_at": terms.valid_until.isoformat()}
    return None


def _tier(terms: Terms, rank: int) -> Reason | None:
    if terms.min_rank is None or rank >= terms.min_rank:
        return None
    return {"code": TIER, "tier": terms.min_tier}


def _conditions(terms: Terms, standing: Standing) -> Reason | None:
    if terms.conditions is None or compiled(terms.conditions)(standing.facts)[0]:
        return None
    return {"code": CONDITIONS}


@lru_cache(maxsize=1_000)
def compiled(text: str) -> Callable[[Mapping[str, object]], tuple[bool, ...]]:
    """Return conditions about the member, compiled.

    Raises: ConditionError.
    """
    return conditions.compile_python([conditions.parse(orjson.loads(text), ("member",))])


def _limit(code: str, limit: Limit | None, taken: int, quantity: int) -> Reason | None:
    if limit is None or taken + quantity <= limit.count:
        return None
    left = max(0, limit.count - taken)
    return {"code": code, "limit": limit.count, "period": limit.period, "left": left}


def _slot(terms: Terms, wish: Wish, at: datetime) -> Reason | None:
    if wish.slot is None:
        return {"code": SLOT_NEEDED} if terms.needs_slot else None
    if wish.slot.is_cancelled or wish.slot.starts_at <= at:
        return {"code": SLOT_OVER, "slot": wish.slot.code}
    return None


def _stock(terms: Terms, rank: int, wish: Wish) -> Reason | None:
    if not terms.tracks_stock or (terms.needs_slot and wish.slot is None):
        return None
    free = terms.free(rank, None if wish.slot is None else wish.slot.key)
    if free >= wish.quantity:
        return None
    return {"code": OUT_OF_STOCK, "left": free}


def _points(terms: Terms, standing: Standing, quantity: int) -> Reason | None:
    needed = terms.points * quantity
    if standing.available is None or not needed:
        return None
    if standing.debt:
        return {"code": DEBT, "debt": standing.debt}
    if needed > standing.available:
        return {"code": POINTS, "needed": needed, "available": standing.available}
    return None
