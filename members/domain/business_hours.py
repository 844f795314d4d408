"""Arithmetic with the hours at which the desk is there.

Pure. A calendar says for each local day from when to when; outside of it no time passes. Without
any hours the desk is there around the clock.

Source: SVC-02.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from config.base import clock

DAY: Final = timedelta(days=1)
SEARCHED_DAYS: Final = 400
"""A desk that is closed for longer than this is taken to be there around the clock."""


@dataclass(frozen=True, slots=True)
class Hours:
    """From when to when the desk is there on a local day."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Calendar:
    """The hours of each weekday (1 = Monday), and of days unlike it (None: closed)."""

    week: Mapping[int, Hours] = field(default_factory=dict)
    special: Mapping[date, Hours | None] = field(default_factory=dict)

    def hours_on(self, day: date) -> Hours | None:
        """Return the hours of a local day."""
        return self.special.get(day, self.week.get(day.isoweekday()))

    def open_times(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield when the desk is there from an instant on, as far as days are searched."""
        first = clock.local_day(since)
        for number in range(SEARCHED_DAYS):
            hours = self.hours_on(first + number * DAY)
            if hours is not None:
                start, end = _span(first + number * DAY, hours)
                if end > since:
                    yield max(start, since), end


def _span(day: date, hours: Hours) -> tuple[datetime, datetime]:
    # Differences are taken in UTC: on one's own clock an hour may pass twice, or not at all.
    zone = clock.zone()
    return (
        datetime.combine(day, hours.opens, zone).astimezone(UTC),
        datetime.combine(day, hours.closes, zone).astimezone(UTC),
    )


def add(calendar: Calendar, since: datetime, worked: timedelta) -> datetime:
    """Return the instant at which so much time of the desk has passed.

    Ends on the earliest such instant: what is due with the last minute of a day is due that day.
    """
    left, reached = worked, since
    for start, end in calendar.open_times(since):
        if end - start >= left:
            return start + left
        left, reached = left - (end - start), end
    return reached + left


def between(calendar: Calendar, since: datetime, until: datetime) -> timedelta:
    """Return how much time of the desk lies between two instants; none where they are reversed."""
    total, is_ever_there = timedelta(), False
    for start, end in calendar.open_times(since):
        is_ever_there = True
        if start >= until:
            break
        total += min(end, until) - start
    return total if is_ever_there else max(timedelta(), until - since)
