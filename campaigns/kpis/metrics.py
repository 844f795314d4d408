"""What a metric is: its name, its definition for people, and what is counted where.

A source is one pass over one table; every metric that needs it is an aggregate of that pass, so the
number of statements and of scans does not grow with the number of metrics. Windows end with the
instant that is asked for, so a figure of any day's end can be read again from the data.

Source: KPI-01 to KPI-13.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from django.utils.functional import Promise

from config.base import clock, money

_INSTANT: Final = timedelta(microseconds=1)
WINDOWS: Final = (1, 7, 30, 90, 180, 365, 545, 730)
_HUNDRED: Final = Decimal(100)


class Unit(StrEnum):
    """What a value counts, and so how it is shown."""

    COUNT = "count"
    POINTS = "points"
    MONEY = "money"
    PERCENT = "percent"
    TIMES = "times"


class Group(StrEnum):
    """The page on which a metric stands."""

    MEMBERS = "members"
    TIERS = "tiers"
    POINTS = "points"
    COMMERCE = "commerce"
    REWARDS = "rewards"
    ADVOCACY = "advocacy"


@dataclass(frozen=True, slots=True)
class Measure:
    """An aggregate over one source; the source's text is what stands after FROM."""

    source: str
    expression: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure; with a denominator it is a quotient and says nothing where that is zero."""

    code: str
    title: Promise
    definition: Promise
    unit: Unit
    group: Group
    numerator: Measure
    denominator: Measure | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """What was read of a metric. Units: as the metric says; percent as a share of one."""

    numerator: Decimal
    denominator: Decimal | None = None

    @property
    def number(self) -> Decimal | None:
        """Return the figure; None for a quotient of nothing."""
        if self.denominator is None:
            return self.numerator
        return self.numerator / self.denominator if self.denominator else None


def parameters(until: datetime) -> dict[str, Any]:
    """Return the instants that sources name: `until`, and where each window begins.

    A window of N days is the N local days that end with the day of the last instant before `until`.
    """
    last_day = clock.local_day(until - _INSTANT)
    begins = {f"d{days}": clock.day_start(last_day - timedelta(days=days - 1)) for days in WINDOWS}
    return {
        "until": until,
        "zone": clock.zone().key,
        "minor_units": 10 ** money.exponent(),
        **begins,
    }


def scaled(unit: str, number: Decimal) -> Decimal:
    """Return a figure as people write it: a share of one in per cent, all else as it is."""
    return number * _HUNDRED if unit == Unit.PERCENT else number


Values = Mapping[str, Value]
