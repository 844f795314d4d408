"""How long points are valid and when they become available, from the instant they belong to."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from config.base import clock

_DAY: Final = timedelta(days=1)


class ExpiryKind(StrEnum):
    """How the last valid day of points follows from the day they were earned on."""

    MONTH_END = "month_end"
    ROLLING_DAYS = "rolling_days"
    ROLLING_MONTHS = "rolling_months"
    FIXED_DATE = "fixed_date"
    SLIDING = "sliding"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ExpiryPolicy:
    """An expiry rule.

    Units: `count` is days for rolling_days and months for the rest. `month_day` is the (month, day)
    of fixed_date, 31 December if not given; a day that a month does not have is its last one. A
    sliding policy counts months from the latest activity: earning gives that expiry, later activity
    extends it.
    """

    kind: ExpiryKind
    count: int = 0
    month_day: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("count must not be negative")
        if self.month_day is not None and self.kind is not ExpiryKind.FIXED_DATE:
            raise ValueError("month_day belongs to fixed_date")
        if self.month_day is not None:
            date(2000, *self.month_day)  # a leap year, so that 29 February is a day


def expires_at(policy: ExpiryPolicy, at: datetime) -> datetime | None:
    """Return the first instant after the last valid day of points earned at an instant.

    Source: design §5.3 (a lot is usable while t < expires_at).
    """
    last = last_valid_day(policy, clock.local_day(at))
    return None if last is None else clock.day_start(last + _DAY)


@lru_cache(maxsize=4096)
def last_valid_day(policy: ExpiryPolicy, earned_on: date) -> date | None:
    """Return the last local day on which points earned that day can be used; None = for ever."""
    match policy.kind:
        case ExpiryKind.MONTH_END:
            return clock.month_end(clock.add_months(earned_on, policy.count))
        case ExpiryKind.ROLLING_DAYS:
            return earned_on + policy.count * _DAY
        case ExpiryKind.ROLLING_MONTHS | ExpiryKind.SLIDING:
            return clock.add_months(earned_on, policy.count)
        case ExpiryKind.FIXED_DATE:
            month, day = policy.month_day or (12, 31)
            return _next_fixed(month, day, clock.add_months(earned_on, policy.count))
        case ExpiryKind.NEVER:
            return None


def _next_fixed(month: int, day: int, earliest: date) -> date:
    this_year = _in_year(earliest.year, month, day)
    return this_year if this_year >= earliest else _in_year(earliest.year + 1, month, day)


def _in_year(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def available_at(at: datetime, return_window_days: int) -> datetime:
    """Return when points become available: after that many full days, starting the day after.

    Units: local days; 0 means at once.
    Source: design §5.6 (the full days begin with the day after the order).
    """
    if return_window_days <= 0:
        return at
    return end_of_day_after(at, return_window_days)


def end_of_day_after(at: datetime, days: int) -> datetime:
    """Return the end of the n-th local day after an instant's own day."""
    return clock.day_start(clock.local_day(at) + (days + 1) * _DAY)
