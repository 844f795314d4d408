"""Whether a campaign acts for one member on one occurrence, and why not. Pure.

Source: CMP-02, CMP-15, CMP-16, SEG-07.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

ACTIVE: Final = "active"


class Skip(StrEnum):
    """Why a campaign did not act."""

    NOT_RUNNING = "not_running"
    DONE = "done"
    OUTSIDE_PERIOD = "outside_period"
    NOT_ACTIVE = "member_not_active"
    NOT_IN_AUDIENCE = "not_in_audience"
    EXCLUDED = "excluded"
    GLOBAL_HOLDOUT = "global_holdout"
    HOLDOUT = "holdout"
    WAITING = "waiting"
    COOLDOWN = "cooldown"
    GROUP = "group"
    LIMIT = "limit"
    BUDGET_POINTS = "budget_points"
    BUDGET_MONEY = "budget_money"
    BUDGET_ACTS = "budget_acts"


UNRECORDED: Final = frozenset(
    {Skip.NOT_RUNNING, Skip.DONE, Skip.OUTSIDE_PERIOD, Skip.NOT_ACTIVE, Skip.NOT_IN_AUDIENCE,
     Skip.EXCLUDED, Skip.GLOBAL_HOLDOUT, Skip.WAITING, Skip.COOLDOWN}
)  # fmt: skip
"""What leaves no act behind: the occurrence is nobody's, or may still come true."""


@dataclass(slots=True)
class Met:
    """What is known of a member when a campaign meets them.

    `acts` are the instants of what they were given; `keys` the occurrences that are dealt with.
    """

    member: int
    status: str
    arm: str | None
    variant: str
    is_in_audience: bool
    is_excluded: bool
    is_held_out: bool
    has_better: bool
    segments: frozenset[str] = frozenset()
    keys: set[str] = field(default_factory=set)
    acts: list[datetime] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Terms:
    """When a version acts and how often for one member. `limit` None: as often as it comes.

    After an act the next one is at least `cooldown` later.
    """

    starts_at: datetime | None
    ends_at: datetime | None
    limit: int | None
    cooldown: timedelta


def refuse(met: Met, terms: Terms, key: str, at: datetime, period: Sequence[datetime]) -> str:
    """Return why a campaign does not act; empty where it does.

    `period` holds the acts for this member in the period of the limit.
    """
    if key in met.keys:
        return Skip.DONE
    if (terms.starts_at and at < terms.starts_at) or (terms.ends_at and at >= terms.ends_at):
        return Skip.OUTSIDE_PERIOD
    return _member(met) or _arm(met) or _limits(met, terms, at, period)


def _member(met: Met) -> str:
    if met.status != ACTIVE:
        return Skip.NOT_ACTIVE
    if met.is_excluded:
        return Skip.EXCLUDED
    if met.is_held_out:
        return Skip.GLOBAL_HOLDOUT
    return "" if met.is_in_audience else Skip.NOT_IN_AUDIENCE


def _arm(met: Met) -> str:
    if met.arm == "treated":
        return ""
    known = {"holdout": Skip.HOLDOUT, "waiting": Skip.WAITING, "excluded": Skip.EXCLUDED}
    return known.get(met.arm or "", Skip.NOT_IN_AUDIENCE)


def _limits(met: Met, terms: Terms, at: datetime, period: Sequence[datetime]) -> str:
    if terms.cooldown and any(when > at - terms.cooldown for when in met.acts):
        return Skip.COOLDOWN
    if met.has_better:
        return Skip.GROUP
    if terms.limit is not None and len(period) >= terms.limit:
        return Skip.LIMIT
    return ""
