"""Caps on what one rule gives one member in a period."""

from datetime import date, datetime
from typing import Any

from config.base import clock
from rewards.domain.evaluation import Award
from rewards.domain.rules import RuleSpec


def cap_key(rule: RuleSpec, placed_at: datetime) -> str:
    """Return the name of the counter of a cap: the rule and the local period of an instant."""
    return f"{rule.code}:{_period(rule.cap_period or '', clock.local_day(placed_at))}"


def capped(award: Award, points: int) -> dict[str, Any]:
    """Return the explanation of an award that a cap cut to these points."""
    return {
        "rule": award.rule_code,
        "code": "member_cap",
        "points": points,
        "uncapped": award.points,
        "cap": award.cap_points,
        "period": str(award.cap_period),
    }


def _period(period: str, day: date) -> str:
    if period == "day":
        return day.isoformat()
    if period == "week":
        year, week, _weekday = day.isocalendar()
        return f"{year}-W{week:02}"
    if period == "month":
        return f"{day:%Y-%m}"
    return f"{day:%Y}" if period == "year" else "all"
