"""The weeks and months that reports are about."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

WEEKLY, MONTHLY = "weekly", "monthly"
CAUGHT_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Period:
    """Some days, the first and the last counted."""

    kind: str
    starts_on: date
    ends_on: date

    @property
    def following(self) -> "Period":
        """Return the period after this one."""
        return containing(self.kind, self.ends_on + timedelta(days=1))

    @property
    def preceding(self) -> "Period":
        """Return the period before this one."""
        return containing(self.kind, self.starts_on - timedelta(days=1))


def containing(kind: str, day: date) -> Period:
    """Return the week (Monday to Sunday) or the month of a day."""
    if kind == WEEKLY:
        monday = day - timedelta(days=day.weekday())
        return Period(kind, monday, monday + timedelta(days=6))
    last = monthrange(day.year, day.month)[1]
    return Period(kind, day.replace(day=1), day.replace(day=last))


def missing(kind: str, *, newest_start: date | None, today: date) -> Iterator[Period]:
    """Yield the periods that are over and have no report yet, oldest first.

    Without any report the last period is enough: what was before is not reported. After a long
    standstill only the last few are, since a report is read for what to do next.
    """
    last = containing(kind, today).preceding
    period = oldest = last
    for _ in range(CAUGHT_UP - 1):
        oldest = oldest.preceding
    if newest_start is not None:
        period = containing(kind, max(newest_start, oldest.preceding.starts_on)).following
    while period.ends_on < today:
        yield period
        period = period.following
