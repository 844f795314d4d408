"""What a report freezes: plain JSON, so that page and PDF of years ago stay as they were."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from campaigns.domain.periods import Period
from campaigns.kpis import goals, month_end, reading, registry
from campaigns.kpis.metrics import Group, Values
from config.base import clock

_SALES: Final = """
SELECT count(*), count(DISTINCT member_id), coalesce(sum(net_amount), 0)
FROM members_order
WHERE placed_at >= %(since)s AND placed_at < %(until)s
  AND status <> 'cancelled' AND net_amount > 0
"""
_JOINED: Final = """
SELECT count(*) FROM members_member
WHERE joined_at >= %(since)s AND joined_at < %(until)s
  AND status NOT IN ('erased', 'merged', 'closed')
"""
_TIERS: Final = """
SELECT t.rank, t.name_zh, t.name_en, count(s.id)
FROM tiers_tier t
LEFT JOIN tiers_standing s ON s.tier_id = t.id AND s.from_at < %(until)s
    AND (s.ended_at IS NULL OR s.ended_at >= %(until)s)
GROUP BY t.id ORDER BY t.rank
"""

STATES: Final = (
    "members", "active_members", "participation_rate", "referral_rate", "churn_rate",
    "tier_members", "tier_revenue_share", "points_outstanding", "points_debt", "use_rate",
    "breakage_rate", "repurchase_rate", "retention_rate", "frequency", "spend_per_buyer",
    "order_value", "stranger_order_value",
)  # fmt: skip
"""Metrics whose windows end with the period; what the period itself brought stands beside them."""


def figures(period: Period) -> dict[str, Any]:
    """Return everything that the report of a period says, with the period before beside it.

    Source: STF-09, KPI-14.
    """
    until = reading.day_end(period.ends_on)
    before = clock.day_start(period.starts_on)
    return {
        "schema": 1,
        "metrics": _numbers(registry.read(STATES, until=until)),
        "metrics_before": _numbers(registry.read(STATES, until=before)),
        "period": _period(before, until),
        "period_before": _period(clock.day_start(period.preceding.starts_on), before),
        "points": month_end.period(since=before, until=until).figures(),
        "tiers": [list(row) for row in reading.rows(_TIERS, {"until": until})],
        "unit_cost": str(month_end.unit_cost(period.ends_on)),
        "goals": [
            {
                "name": standing.goal.name, "metric": standing.goal.metric,
                "target": str(standing.goal.target), "status": str(standing.status),
                "value": None if standing.value is None else str(standing.value),
                "ends_on": standing.goal.ends_on.isoformat(),
            }
            for standing in goals.standings(on=period.ends_on)
        ],
    }  # fmt: skip


def group_of(code: str) -> Group:
    """Return the group under which a report shows a metric."""
    return registry.METRICS[code].group


def _numbers(values: Values) -> Mapping[str, str | None]:
    return {
        code: None if value.number is None else str(value.number) for code, value in values.items()
    }


def _period(since: datetime, until: datetime) -> dict[str, Any]:
    values = {"since": since, "until": until}
    ((orders, buyers, net),) = reading.rows(_SALES, values)
    ((joined,),) = reading.rows(_JOINED, values)
    return {"orders": orders, "buyers": buyers, "net": str(net), "joined": joined}
