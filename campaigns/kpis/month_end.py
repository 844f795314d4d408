"""The month-end figures of the ledger, as of any month and as known at any instant.

Everything is summed from entries and lot uses, so a closed month can be read again as it was known
when it closed. Source: KPI-11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import F

from campaigns.domain.month_end import Column, Flow, Month, months
from campaigns.kpis import reading
from campaigns.models import UnitCost
from config.base import clock
from rewards.models import PointsPolicy

_FLOWS: Final = """
SELECT date_trunc('month', occurred_at AT TIME ZONE %(zone)s)::date, source, target, sum(points),
       coalesce(sum(points) FILTER (WHERE recorded_at >=
           (date_trunc('month', occurred_at AT TIME ZONE %(zone)s) + interval '1 month')
           AT TIME ZONE %(zone)s), 0)
FROM rewards_entry
WHERE occurred_at < %(until)s AND recorded_at <= %(known_at)s
GROUP BY 1, 2, 3
"""

_PERIOD: Final = """
SELECT %(first)s::date, source, target,
       coalesce(sum(points) FILTER (WHERE occurred_at >= %(since)s), 0),
       coalesce(sum(points) FILTER (WHERE occurred_at < %(since)s), 0)
FROM rewards_entry WHERE occurred_at < %(until)s
GROUP BY 2, 3
"""

# What holds took from lots is still outstanding and stands in a row of its own.
_EXPIRY: Final = """
SELECT date_trunc('month', (l.expires_at AT TIME ZONE %(zone)s) - interval '1 microsecond')::date,
       sum(l.points - coalesce(u.used, 0))
FROM rewards_lot l
JOIN rewards_entry e ON e.id = l.entry_id
    AND e.occurred_at < %(until)s AND e.recorded_at <= %(known_at)s
LEFT JOIN (
    SELECT u.lot_id, sum(u.points) AS used
    FROM rewards_lotuse u
    JOIN rewards_entry e ON e.id = u.entry_id
    WHERE e.occurred_at < %(until)s AND e.recorded_at <= %(known_at)s
    GROUP BY u.lot_id
) u ON u.lot_id = l.id
GROUP BY 1
HAVING sum(l.points - coalesce(u.used, 0)) <> 0
ORDER BY 1 NULLS LAST
"""

# What is paid settles the oldest debt first, so what is owed is the newest of what was incurred.
_DEBT: Final = """
WITH owed AS (
    SELECT account_id,
           sum(CASE WHEN source = 'debt' THEN points ELSE -points END) AS debt
    FROM rewards_entry
    WHERE (source = 'debt' OR target = 'debt')
      AND occurred_at < %(until)s AND recorded_at <= %(known_at)s
    GROUP BY account_id
), incurred AS (
    SELECT e.account_id, e.occurred_at, e.points, o.debt,
           sum(e.points) OVER (
               PARTITION BY e.account_id ORDER BY e.occurred_at DESC, e.seq DESC) AS newer
    FROM rewards_entry e
    JOIN owed o ON o.account_id = e.account_id AND o.debt > 0
    WHERE e.source = 'debt' AND e.occurred_at < %(until)s AND e.recorded_at <= %(known_at)s
), open AS (
    SELECT account_id, occurred_at, least(points, debt - (newer - points)) AS points
    FROM incurred WHERE debt > newer - points
)
SELECT width_bucket(extract(epoch FROM %(until)s - occurred_at) / 86400,
                    ARRAY[31, 91, 181, 366]::float8[]),
       sum(points), count(DISTINCT account_id)
FROM open GROUP BY 1 ORDER BY 1
"""
AGES: Final = ("0–30", "31–90", "91–180", "181–365", "> 365")

_ENTRIES: Final = """
SELECT e.id, e.occurred_at, e.recorded_at, e.member_id, m.card_number, e.source, e.target, e.points,
       e.reason, e.seq
FROM rewards_entry e JOIN members_member m ON m.id = e.member_id
WHERE e.occurred_at >= %(since)s AND e.occurred_at < %(until)s AND e.recorded_at <= %(known_at)s
  AND (e.source = ANY(%(sources)s) OR e.target = ANY(%(targets)s))
ORDER BY e.occurred_at, e.id
LIMIT %(limit)s OFFSET %(offset)s
"""

# Which buckets name the entries of a column.
_BUCKETS: Final[dict[Column, tuple[list[str], list[str]]]] = {
    Column.ISSUED: (["issuance"], []),
    Column.USED: (["redeemed"], ["redeemed"]),
    Column.EXPIRED: (["expired"], ["expired"]),
    Column.REVERSED: ([], ["reversed"]),
    Column.ADJUSTED: (["adjustment"], ["adjustment"]),
    Column.TRANSFERRED: (["transfer"], ["transfer"]),
    Column.DEBT_INCURRED: (["debt"], []),
    Column.DEBT_SETTLED: ([], ["debt"]),
}


@dataclass(frozen=True, slots=True)
class Expiring:
    """Outstanding points whose last valid day is in a month; None: they never end."""

    month: date | None
    points: int


@dataclass(frozen=True, slots=True)
class Debt:
    """Points owed since so many days, and by how many accounts."""

    age: str
    points: int
    accounts: int


@dataclass(frozen=True, slots=True)
class PeriodPoints:
    """The points of some days, with what was outstanding before and after."""

    month: Month

    def figures(self) -> dict[str, int]:
        """Return opening, columns and closing by name."""
        columns = {str(column): points for column, points in self.month.columns.items()}
        return {"opening": self.month.opening, **columns, "closing": self.month.closing}


def month_ends(calendar: Sequence[date], *, until: datetime, known_at: datetime) -> list[Month]:
    """Return what led each month from its opening to its closing, as known at an instant."""
    values = {"zone": clock.zone().key, "until": until, "known_at": known_at}
    flows = [
        Flow(month, source, target, int(points), int(late))
        for month, source, target, points, late in reading.rows(_FLOWS, values)
    ]
    return months(flows, calendar)


def period(*, since: datetime, until: datetime) -> PeriodPoints:
    """Return the points of a period of any length."""
    first = clock.local_day(since)
    found = reading.rows(_PERIOD, {"first": first, "since": since, "until": until})
    before = clock.add_months(first, -1)
    flows = [Flow(first, source, target, int(points)) for _day, source, target, points, _e in found]
    flows += [Flow(before, source, target, int(points)) for _d, source, target, _p, points in found]
    return PeriodPoints(months(flows, [first])[0])


def expiring(*, until: datetime, known_at: datetime) -> list[Expiring]:
    """Return what is outstanding and not held, by the month of its last valid day."""
    values = {"zone": clock.zone().key, "until": until, "known_at": known_at}
    return [Expiring(month, int(points)) for month, points in reading.rows(_EXPIRY, values)]


def debts(*, until: datetime, known_at: datetime) -> list[Debt]:
    """Return what is owed by its age in days; payments settle the oldest debt first."""
    found = {
        bucket: (int(points), accounts)
        for bucket, points, accounts in reading.rows(_DEBT, {"until": until, "known_at": known_at})
    }
    return [Debt(age, *found.get(place, (0, 0))) for place, age in enumerate(AGES)]


def entries(
    column: Column, month: date, *, known_at: datetime, limit: int | None, offset: int = 0
) -> list[dict[str, Any]]:
    """Return the entries behind one cell, oldest first."""
    sources, targets = _BUCKETS[column]
    values = {
        "since": clock.day_start(month), "until": clock.day_start(clock.add_months(month, 1)),
        "known_at": known_at, "sources": sources, "targets": targets, "limit": limit,
        "offset": offset,
    }  # fmt: skip
    names = (
        "id", "occurred_at", "recorded_at", "member", "card", "source", "target", "points",
        "reason", "seq",
    )  # fmt: skip
    return [dict(zip(names, row, strict=True)) for row in reading.rows(_ENTRIES, values)]


def unit_cost(on: date) -> Decimal:
    """Return what a point is reckoned to cost on a day.

    Finance's own figure, or what a point is worth when paid with. Units: the programme's currency.
    """
    cost = UnitCost.objects.filter(effective_on__lte=on).order_by("-effective_on").first()
    if cost is not None:
        return cost.amount
    begun = PointsPolicy.objects.exclude(effective_from__gte=reading.day_end(on))
    policy = begun.order_by(F("effective_from").desc(nulls_last=True)).first()
    return Decimal() if policy is None else policy.pay_amount / policy.pay_points
