"""Caps on what one rule gives one member in a period."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from config.base import clock
from rewards.domain.evaluation import Award
from rewards.domain.rules import RuleSpec
from rewards.domain.subjects import OrderState, SubjectState

RuleOf = Callable[[int], RuleSpec | None]


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


def within_caps(
    caps: dict[str, int],
    awards: Iterable[Award],
    state: SubjectState,
    placed_at: datetime,
    rule_of: RuleOf,
) -> dict[int, int]:
    """Return the awards within the member's caps, and count them in `caps`.

    An order's share of a cap never grows after it first counted, so that neither the order nor
    the split of later refunds matters.
    """
    allowances = state.allowances if isinstance(state, OrderState) else {}
    used_before = dict(state.awards)
    wanted: dict[int, int] = {}
    for award in awards:
        points = award.points
        if award.cap_points is not None:
            period = cap_key(award.rule, placed_at)
            others = caps.get(period, 0) - used_before.pop(award.rule_key, 0)
            room = max(0, award.cap_points - others)
            allowance = min(allowances.get(award.rule_key, room), room)
            allowances[award.rule_key] = allowance
            if points > allowance:
                points = allowance
                state.explanation += (capped(award, points),)
            caps[period] = others + points
        if points:
            wanted[award.rule_key] = points
    _free(caps, used_before, placed_at, rule_of)
    return wanted


def _free(
    caps: dict[str, int], unused: Mapping[int, int], placed_at: datetime, rule_of: RuleOf
) -> None:
    """Give room back that an order used under rules that no longer award it anything."""
    for key, points in unused.items():
        rule = rule_of(key)
        if rule is not None and rule.cap_points is not None:
            period = cap_key(rule, placed_at)
            caps[period] = caps.get(period, 0) - points
