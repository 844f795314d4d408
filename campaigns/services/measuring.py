"""Measuring every metric at the end of each of the last days, for trends.

The figures are a cache: a late fact changes the past, so the last days are measured again each day.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Min

from campaigns.kpis import reading, registry
from campaigns.kpis.metrics import Values
from campaigns.models import MetricValue
from config.base import clock
from members.models import Member

TREND_DAYS: Final = 30
# A run every minute catches up in a few minutes and is never long.
DAYS_A_RUN: Final = 5


def measure_days(*, at: datetime, recorded_at: datetime) -> int:
    """Measure some closed days that have not been measured today, newest first; return how many."""
    today = clock.local_day(at)
    first_joined = Member.objects.aggregate(first=Min("joined_at"))["first"]
    if first_joined is None:
        return 0
    oldest = max(today - timedelta(days=TREND_DAYS), clock.local_day(first_joined))
    days = [today - timedelta(days=back) for back in range(1, (today - oldest).days + 1)]
    done = _measured(days, since=clock.day_start(today))
    missing = [day for day in days if day not in done][:DAYS_A_RUN]
    for day in missing:
        _measure(day, recorded_at)
    return len(missing)


def measure_start_page(*, at: datetime) -> None:
    """Measure what the start page shows of today, so that nobody waits for it. Source: KPI-13."""
    _write(clock.local_day(at), registry.read(registry.ON_START_PAGE, until=at), at)


def _measured(days: Collection[date], *, since: datetime) -> set[date]:
    rows = MetricValue.objects.filter(
        metric=next(iter(registry.METRICS)), day__in=days, measured_at__gte=since
    )
    return set(rows.values_list("day", flat=True))


def _measure(day: date, recorded_at: datetime) -> None:
    _write(day, registry.read(list(registry.METRICS), until=reading.day_end(day)), recorded_at)


def _write(day: date, values: Values, measured_at: datetime) -> None:
    MetricValue.objects.bulk_create(
        [
            MetricValue(
                metric=code, day=day, numerator=value.numerator, denominator=value.denominator,
                measured_at=measured_at,
            )
            for code, value in values.items()
        ],
        update_conflicts=True,
        unique_fields=["metric", "day"],
        update_fields=["numerator", "denominator", "measured_at"],
    )  # fmt: skip
