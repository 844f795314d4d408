"""When a quota begins anew, and which of several claims to one benefit is used.

Source: BEN-08, BEN-14, design §5.2 (periods are local and half-open).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from config.base import clock

_DAY = timedelta(days=1)
_NEVER = datetime.max.replace(tzinfo=UTC)


class Period(StrEnum):
    """Over what a quota counts before it begins anew."""

    TERM = "term"
    MONTH = "month"
    YEAR = "year"
    MEMBERSHIP_YEAR = "membership_year"


@dataclass(frozen=True, slots=True)
class Claim:
    """One open entitlement to a benefit, and how much of its quota is gone in this period.

    `ends_at` is when what is left of it is lost: the claim's own end or that of its period.
    """

    entitlement: int
    quota: int | None
    taken: int
    starts_on: date
    ends_at: datetime | None

    @property
    def left(self) -> int | None:
        """Return how many uses are left in this period, None where there is no limit."""
        return None if self.quota is None else max(0, self.quota - self.taken)


def period_start(period: str, *, at: datetime, from_at: datetime, joined_at: datetime) -> date:
    """Return the first local day of the period of a quota that an instant falls into."""
    today = clock.local_day(at)
    if period == Period.MONTH:
        return today.replace(day=1)
    if period == Period.YEAR:
        return today.replace(month=1, day=1)
    if period == Period.MEMBERSHIP_YEAR:
        return _membership_year(clock.local_day(joined_at), today)[0]
    return clock.local_day(from_at)


def period_end(period: str, *, at: datetime, joined_at: datetime) -> datetime | None:
    """Return the first instant after the period that an instant falls into; None for a term."""
    today = clock.local_day(at)
    if period == Period.MONTH:
        return clock.day_start(clock.month_end(today) + _DAY)
    if period == Period.YEAR:
        return clock.day_start(date(today.year + 1, 1, 1))
    if period == Period.MEMBERSHIP_YEAR:
        return clock.day_start(_membership_year(clock.local_day(joined_at), today)[1])
    return None


def _membership_year(joined_on: date, today: date) -> tuple[date, date]:
    """Return the last anniversary up to a day and the next; before the first, the day joined."""
    if today <= joined_on:
        return joined_on, clock.anniversary(joined_on, joined_on.year + 1)
    following = clock.next_anniversary(joined_on, today)
    started = clock.anniversary(joined_on, following.year - 1)
    return started, following


def soonest(*ends: datetime | None) -> datetime | None:
    """Return the earliest of some ends, None where nothing ends."""
    return min((end for end in ends if end is not None), default=None)


def in_order(claims: Iterable[Claim]) -> list[Claim]:
    """Return claims in the order of their use: what is lost first goes first, unlimited last."""
    return sorted(
        claims, key=lambda each: (each.quota is None, each.ends_at or _NEVER, each.entitlement)
    )


def allocate(claims: Sequence[Claim], uses: int) -> list[tuple[Claim, int]] | None:
    """Return how many uses each claim gives, None where all together do not give enough."""
    taken: list[tuple[Claim, int]] = []
    for claim in in_order(claims):
        share = uses if claim.left is None else min(uses, claim.left)
        if share:
            taken.append((claim, share))
            uses -= share
        if not uses:
            return taken
    return None


def total_left(claims: Iterable[Claim]) -> int | None:
    """Return how many uses all claims leave together, None without limit."""
    total = 0
    for claim in claims:
        if claim.left is None:
            return None
        total += claim.left
    return total
