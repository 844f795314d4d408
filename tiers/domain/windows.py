"""Windows: over which local days progress counts.

A window always ends with the local day of the evaluation, so it is described by its first day
alone. Days are proleptic ordinals (``date.toordinal``) here: the fold compares and subtracts
them for every order, and integers are several times cheaper than dates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from config.base import clock

MONTHS_A_YEAR = 12
NEVER = date.max.toordinal() + 1


class WindowKind(StrEnum):
    """The ways in which the first day of a window is found."""

    ROLLING_DAYS = "rolling_days"
    CALENDAR_YEAR = "calendar_year"
    MEMBERSHIP_YEAR = "membership_year"
    LIFETIME = "lifetime"
    CURRENT_STANDING = "current_standing"


class TenureUnit(StrEnum):
    """What a tenure threshold counts."""

    DAYS = "days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Window:
    """A period that ends with the day of evaluation; ``days`` only for rolling windows."""

    kind: WindowKind
    days: int | None = None

    @property
    def code(self) -> str:
        """Return the stable text form, such as ``rolling_days:365`` or ``lifetime``."""
        return str(self.kind) if self.days is None else f"{self.kind}:{self.days}"

    @classmethod
    def parse(cls, code: str) -> "Window":
        """Read the text form back.

        Raises: ValueError when the kind or the number of days is not one.
        """
        kind, _, days = code.partition(":")
        return cls(WindowKind(kind), int(days) if days else None)


def rolling(days: int) -> Window:
    """Return the window of ``days`` local days that ends with the evaluation's day."""
    return Window(WindowKind.ROLLING_DAYS, days)


LIFETIME = Window(WindowKind.LIFETIME)
CALENDAR_YEAR = Window(WindowKind.CALENDAR_YEAR)
MEMBERSHIP_YEAR = Window(WindowKind.MEMBERSHIP_YEAR)
CURRENT_STANDING = Window(WindowKind.CURRENT_STANDING)


@dataclass(slots=True)
class Anchors:
    """The days of one member that windows start from.

    ``suspended`` are the days on which the member was frozen: each pair holds the first of them
    and the first that is not, in order, ``NEVER`` while it goes on. Keep the bounds of the year
    found last: almost every evaluation falls into the same one.
    """

    joined: int
    standing: int
    suspended: Sequence[tuple[int, int]] = field(default=(), compare=False)
    calendar: tuple[int, int] = field(default=(0, 0), compare=False)
    membership: tuple[int, int] = field(default=(0, 0), compare=False)

    def first_day(self, window: Window, day: int) -> int:
        """Return the first day of the window that ends with ``day`` (0 for lifetime)."""
        kind = window.kind
        if kind is WindowKind.ROLLING_DAYS:
            return day - (window.days or 0) + 1
        if kind is WindowKind.CALENDAR_YEAR:
            return self.calendar_year(day)[0]
        if kind is WindowKind.MEMBERSHIP_YEAR:
            return self.membership_year(day)[0]
        return 0 if kind is WindowKind.LIFETIME else self.standing

    def last_counted_day(self, window: Window, first: int, day: int) -> int | None:
        """Return the last evaluation day on which progress of day ``first`` still counts.

        None where it never falls out by time alone.
        """
        kind = window.kind
        if kind is WindowKind.ROLLING_DAYS:
            return first + (window.days or 0) - 1
        if kind is WindowKind.CALENDAR_YEAR:
            return self.calendar_year(day)[1] - 1
        if kind is WindowKind.MEMBERSHIP_YEAR:
            return self.membership_year(day)[1] - 1
        return None

    def calendar_year(self, day: int) -> tuple[int, int]:
        """Return the first day of the calendar year of ``day`` and that of the next one."""
        if not self.calendar[0] <= day < self.calendar[1]:
            year = date.fromordinal(day).year
            self.calendar = (date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
        return self.calendar

    def membership_year(self, day: int) -> tuple[int, int]:
        """Return the last membership anniversary up to ``day`` and the one after it."""
        if not self.membership[0] <= day < self.membership[1]:
            years = date.fromordinal(day).year - date.fromordinal(self.joined).year
            if self._anniversary(years) > day:
                years -= 1
            self.membership = (self._anniversary(years), self._anniversary(years + 1))
        return self.membership

    def suspended_days(self, day: int) -> int:
        """Return how many days before ``day`` the member was frozen."""
        return sum(max(0, min(end, day) - first) for first, end in self.suspended)

    def tenure_reached(self, unit: TenureUnit, length: int, *, frozen_counts: bool) -> int | None:
        """Return the day on which a tenure is reached, None while a freeze keeps it away.

        Where frozen days do not count, each puts the day off by one.

        Source: TIR-12.
        """
        day = tenure_day(self.joined, unit, length)
        for first, end in () if frozen_counts else self.suspended:
            if first < day:
                if end == NEVER:
                    return None
                day += end - first
        return day

    def tenure(self, unit: TenureUnit, day: int, *, frozen_counts: bool) -> int:
        """Return how much tenure is complete on ``day``."""
        lost = 0 if frozen_counts else self.suspended_days(day)
        return tenure_length(self.joined, unit, day - lost)

    def _anniversary(self, years: int) -> int:
        return tenure_day(self.joined, TenureUnit.MONTHS, years * MONTHS_A_YEAR)


def tenure_day(joined: int, unit: TenureUnit, length: int) -> int:
    """Return the day on which a tenure of ``length`` is reached.

    Source: TIR-12; whole years follow the programme's rule for 29 February.
    """
    if unit is TenureUnit.DAYS:
        return joined + length
    day = date.fromordinal(joined)
    if length % MONTHS_A_YEAR == 0:
        return clock.anniversary(day, day.year + length // MONTHS_A_YEAR).toordinal()
    return clock.add_months(day, length).toordinal()


def tenure_length(joined: int, unit: TenureUnit, day: int) -> int:
    """Return how much tenure is complete on ``day``, never less than 0."""
    if unit is TenureUnit.DAYS:
        return max(0, day - joined)
    start, end = date.fromordinal(joined), date.fromordinal(day)
    months = (end.year - start.year) * MONTHS_A_YEAR + end.month - start.month
    # 29 February kept as 1 March can complete a year one calendar month later, hence the loop.
    while months > 0 and tenure_day(joined, unit, months) > day:
        months -= 1
    return max(0, months)
