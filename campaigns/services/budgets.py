"""The budgets of a campaign: as a whole and per period, counted under the campaign's row.

Source: CMP-15.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import F

from campaigns.domain.budget import Purse
from campaigns.domain.effects import Cost
from campaigns.models import Campaign, CampaignBudget, CampaignVersion, LimitPeriod
from config.base import clock

WHOLE: Final = ""


def period_of(kind: str, at: datetime) -> str:
    """Return the name of the period of a kind that an instant lies in; '' is the whole campaign."""
    day = clock.local_day(at)
    if kind == LimitPeriod.LIFETIME:
        return WHOLE
    if kind == LimitPeriod.WEEK:
        return (day - timedelta(days=day.weekday())).isoformat()
    return {LimitPeriod.DAY: f"{day}", LimitPeriod.MONTH: f"{day:%Y-%m}"}.get(
        LimitPeriod(kind), f"{day:%Y}"
    )


def period_start(kind: str, at: datetime) -> datetime | None:
    """Return when the period of a kind began that an instant lies in; None: with the campaign."""
    day = clock.local_day(at)
    first = {
        LimitPeriod.DAY: day, LimitPeriod.WEEK: day - timedelta(days=day.weekday()),
        LimitPeriod.MONTH: day.replace(day=1), LimitPeriod.YEAR: day.replace(month=1, day=1),
    }.get(LimitPeriod(kind))  # fmt: skip
    return None if first is None else clock.day_start(first)


def of_period(campaign: Campaign, version: CampaignVersion, at: datetime) -> CampaignBudget:
    """Return the budget of the period of an instant, locked; a new one has the version's limits."""
    period = period_of(version.budget_period, at)
    CampaignBudget.objects.bulk_create(
        [CampaignBudget(campaign=campaign, period=period, **_limits(version))],
        ignore_conflicts=True,
    )
    rows = CampaignBudget.objects.select_for_update(no_key=True, of=("self",))
    return rows.get(campaign=campaign, period=period)


def set_limits(campaign: Campaign, version: CampaignVersion, at: datetime) -> None:
    """Let the running period have the limits of a version.

    Raises: IntegrityError where more has been given already.
    """
    budget = of_period(campaign, version, at)
    for name, value in _limits(version).items():
        setattr(budget, name, value)
    budget.is_used_by_multipliers = False
    budget.save(update_fields=[*_limits(version), "is_used_by_multipliers"])


def purse_of(budget: CampaignBudget) -> Purse:
    """Return what is left of a budget; of points less than nothing, after multipliers."""
    spent = budget.spent_points + budget.multiplied_points
    return Purse(
        None if budget.limit_points is None else budget.limit_points - spent,
        None if budget.limit_money is None else budget.limit_money - budget.spent_money,
        None if budget.limit_acts is None else budget.limit_acts - budget.spent_acts,
    )


def spend(budget: CampaignBudget, costs: Iterable[Cost]) -> None:
    """Count acts as given; the row itself refuses more than there is."""
    given = list(costs)
    if given:
        CampaignBudget.objects.filter(pk=budget.pk).update(
            spent_points=F("spent_points") + sum(cost.points for cost in given),
            spent_money=F("spent_money") + sum((cost.money for cost in given), Decimal(0)),
            spent_acts=F("spent_acts") + len(given),
        )


def give_back(campaign: Campaign, period: str, cost: Cost) -> None:
    """Count an act as not given after all."""
    CampaignBudget.objects.filter(campaign=campaign, period=period).update(
        spent_points=F("spent_points") - cost.points,
        spent_money=F("spent_money") - cost.money,
        spent_acts=F("spent_acts") - 1,
    )


def _limits(version: CampaignVersion) -> dict[str, object]:
    return {
        "limit_points": version.budget_points,
        "limit_money": version.budget_money,
        "limit_acts": version.budget_acts,
    }
