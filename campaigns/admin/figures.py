"""Metrics as cards: the figure, how it has moved, and its definition one click away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext

from campaigns import words
from campaigns.kpis import reading, registry
from campaigns.kpis.metrics import Metric, Value, Values
from config.base import clock
from config.base.admin import charts

COMPARED_DAYS: Final = 30
# Where less of a figure is better, a fall is good news.
LESS_IS_BETTER: Final = frozenset({"churn_rate", "points_debt", "points_expired", "breakage_rate"})


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric as a card shows it."""

    metric: Metric
    shown: str
    change: str = ""
    tone: str = ""
    parts: str = ""
    spark: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A chart with its numbers beside it, and what they mean."""

    title: str
    definition: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]
    chart: Mapping[str, str] | None = None
    is_open: bool = False
    nothing: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant of a page: now, or the end of an earlier day."""

    until: datetime
    day: date
    is_now: bool

    def values(self, codes: Sequence[str]) -> Values:
        """Return metrics at this instant, at most a minute old."""
        if self.is_now:
            return registry.current(codes, at=self.until)
        return registry.at_day_end(codes, until=self.until)

    def before(self, codes: Sequence[str]) -> Values:
        """Return metrics of some days earlier."""
        until = reading.day_end(self.day - timedelta(days=COMPARED_DAYS))
        return registry.at_day_end(codes, until=until)

    def since(self, days: int) -> datetime:
        """Return where a window of so many days begins."""
        return clock.day_start(self.day - timedelta(days=days - 1))


def moment(text: str, at: datetime) -> Moment:
    """Return the instant that a page is asked for; now for today and for what is no day."""
    today = clock.local_day(at)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today
    if day >= today or day.year < 2000:
        return Moment(at, today, is_now=True)
    return Moment(reading.day_end(day), day, is_now=False)


def figures(metrics: Sequence[Metric], seen: Moment) -> list[Figure]:
    """Return the cards of metrics, compared with some days earlier."""
    codes = [metric.code for metric in metrics]
    now, before = seen.values(codes), seen.before(codes)
    return [figure(metric, now, before) for metric in metrics]


def figure(
    metric: Metric, now: Values, before: Values, *, spark: str = "", url: str = ""
) -> Figure:
    """Return one card."""
    value = now[metric.code]
    earlier = before[metric.code].number if metric.code in before else None
    moved, direction = words.change(metric, value.number, earlier)
    good = -direction if metric.code in LESS_IS_BETTER else direction
    parts = ""
    if value.denominator is not None:
        parts = f"{words.rounded(value.numerator, 0):,} ÷ {words.rounded(value.denominator, 0):,}"
    return Figure(
        metric, words.shown(metric.unit, value.number), moved,
        {1: "is-good", -1: "is-bad"}.get(good, ""), parts, spark, url,
    )  # fmt: skip


def spark_of(values: Sequence[Value]) -> str:
    """Return the points of a small line through what was measured."""
    numbers = [value.number for value in values]
    return charts.sparkline([float(number) for number in numbers if number is not None])


def compared_with(seen: Moment) -> str:
    """Return what changes are measured against, for people."""
    day = seen.day - timedelta(days=COMPARED_DAYS)
    return gettext("compared with %(day)s") % {"day": day.isoformat()}


def number(value: Decimal | None) -> float | None:
    """Return what a chart draws for a figure."""
    return None if value is None else float(value)
