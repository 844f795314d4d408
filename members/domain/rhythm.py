"""A member's own rhythm of buying: the usual gap, when they fall dormant, when they came back.

Source: SEG-13, SEG-15.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil


@dataclass(frozen=True, slots=True)
class Dormancy:
    """After how long without an order a member is dormant.

    `by_rhythm`: `percent` of the median gap between the member's own days of purchase, at least
    `least` and at most `most` days; until there are `gaps` of them, and without it always,
    `fixed_days`.
    """

    by_rhythm: bool = True
    fixed_days: int = 90
    percent: int = 300
    least: int = 30
    most: int = 180
    gaps: int = 3

    def days(self, ordered_gaps: Sequence[int]) -> int:
        """Return the days after which somebody with these gaps, in ascending order, is dormant."""
        if not self.by_rhythm or len(ordered_gaps) < self.gaps:
            return self.fixed_days
        wanted = ceil(median(ordered_gaps) * self.percent / 100)
        return max(self.least, min(self.most, wanted))


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What the days of purchase say; `returned_on` is the last purchase made while dormant."""

    median_gap: Decimal | None = None
    dormant_on: date | None = None
    returned_on: date | None = None


def churn_risk(last_on: date | None, dormant_on: date | None, today: date) -> int | None:
    """Return the days since the last order, in per cent of those after which one is dormant.

    100 is the day on which dormancy begins; None without an order.
    Source: CMP-03.
    """
    if last_on is None or dormant_on is None or dormant_on <= last_on:
        return None
    return max(0, (today - last_on).days) * 100 // (dormant_on - last_on).days


def median(ordered: Sequence[int]) -> Decimal:
    """Return the middle value, or the mean of the two in the middle."""
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return Decimal(ordered[middle])
    return Decimal(ordered[middle - 1] + ordered[middle]) / 2


def read(days: Sequence[date], dormancy: Dormancy) -> Rhythm:
    """Read the rhythm from the days of purchase, in order; several on one day are one.

    Every purchase is held against what was usual before it: so who comes back is won back, on the
    day on which a daily job would have said so.
    """
    gaps: list[int] = []
    returned_on: date | None = None
    last: date | None = None
    for day in days:
        if last is not None and day > last:
            gap = (day - last).days
            if gap >= dormancy.days(gaps):
                returned_on = day
            insort(gaps, gap)
        last = day
    if last is None:
        return Rhythm()
    dormant_on = last + timedelta(days=dormancy.days(gaps))
    return Rhythm(median(gaps) if gaps else None, dormant_on, returned_on)
