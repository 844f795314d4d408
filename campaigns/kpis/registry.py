"""All metrics, and reading any number of them with one statement."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection

from campaigns.kpis import advocacy, commerce, members, points, tiers
from campaigns.kpis.metrics import Group, Measure, Metric, Value, Values, parameters
from campaigns.models import MetricValue
from config.base import clock
from config.base.admin.kept import kept
from config.base.errors import DomainError

KEPT_SECONDS: Final = 60
"""How old a figure of today may be. Source: KPI-13."""

ON_START_PAGE: Final = ("points_outstanding", "active_members", "issued_today", "used_today")
"""What the start page shows: measured in the background, so that it opens at once."""
MEASURE_SECONDS: Final = 20
FRESH: Final = timedelta(seconds=2 * MEASURE_SECONDS)
"""How old a figure that was measured in the background may be; it is kept for as long again as is
left of a minute."""

METRICS: Final[dict[str, Metric]] = {
    metric.code: metric
    for metric in (
        *members.METRICS,
        *tiers.METRICS,
        *points.METRICS,
        *commerce.METRICS,
        *advocacy.METRICS,
    )
}


class MetricUnknownError(DomainError):
    """There is no metric of this code."""


def of_group(group: Group) -> list[Metric]:
    """Return the metrics of one page, in order."""
    return [metric for metric in METRICS.values() if metric.group is group]


def read(codes: Collection[str], *, until: datetime) -> Values:
    """Return what each metric was at an instant, by one statement and one pass per source.

    Raises: MetricUnknownError.
    """
    unknown = sorted(set(codes) - METRICS.keys())
    if unknown:
        raise MetricUnknownError("metric_unknown", f"no metric: {', '.join(unknown)}")
    if not codes:
        return {}
    metrics = [METRICS[code] for code in dict.fromkeys(codes)]
    places, statement = _statement(_measures(metrics))
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters(until))
        row = cursor.fetchone()
    return {metric.code: _value(metric, places, row) for metric in metrics}


def current(codes: Collection[str], *, at: datetime) -> Values:
    """Return what metrics are now, as it was read within the last minute."""
    return _kept(f"now:{clock.local_day(at)}", codes, at)


def on_start_page(*, at: datetime) -> Values:
    """Return the start page's figures, as they were measured or else read in the last minute."""
    return kept(
        f"kpis:start:{clock.local_day(at)}",
        lambda: _measured(ON_START_PAGE, at) or read(ON_START_PAGE, until=at),
        seconds=MEASURE_SECONDS,
    )


def _measured(codes: Collection[str], at: datetime) -> Values:
    """Return what was measured lately of today; nothing where any is missing."""
    rows = MetricValue.objects.filter(
        metric__in=codes, day=clock.local_day(at), measured_at__gt=at - FRESH, measured_at__lte=at
    )
    found = {row.metric: Value(row.numerator, row.denominator) for row in rows}
    return found if found.keys() == set(codes) else {}


def at_day_end(codes: Collection[str], *, until: datetime) -> Values:
    """Return what metrics were at a day's end; late facts show within a minute."""
    return _kept(until.isoformat(), codes, until)


def _kept(moment: str, codes: Collection[str], until: datetime) -> Values:
    """Return the values, each set of codes read once a minute."""
    key = f"kpis:{moment}:{','.join(sorted(codes))}"
    return kept(key, lambda: read(codes, until=until), seconds=KEPT_SECONDS)


def _measures(metrics: Iterable[Metric]) -> list[Measure]:
    pairs = ((metric.numerator, metric.denominator) for metric in metrics)
    return list(dict.fromkeys(part for pair in pairs for part in pair if part is not None))


def _statement(measures: Collection[Measure]) -> tuple[dict[Measure, int], str]:
    """Return the column of each measure, and the statement: one row, a sub-query per source."""
    places: dict[Measure, int] = {}
    sources = dict.fromkeys(measure.source for measure in measures)
    parts = []
    for number, source in enumerate(sources):
        own = [measure for measure in measures if measure.source == source]
        columns = []
        for measure in own:
            places[measure] = len(places)
            columns.append(f"{measure.expression} AS v{places[measure]}")
        parts.append(f"(SELECT {', '.join(columns)} FROM {source} q{number}) s{number}")  # noqa: S608
    return places, f"SELECT * FROM {' CROSS JOIN '.join(parts)}"  # noqa: S608 - our own texts


def _value(metric: Metric, places: dict[Measure, int], row: tuple[Decimal | int, ...]) -> Value:
    numerator = Decimal(row[places[metric.numerator]])
    if metric.denominator is None:
        return Value(numerator)
    return Value(numerator, Decimal(row[places[metric.denominator]]))
