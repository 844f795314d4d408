"""Setting and giving up goals."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.kpis import registry
from campaigns.models import Goal
from config.base.errors import DomainError


class GoalError(DomainError):
    """A goal cannot be set like this."""


@dataclass(frozen=True, slots=True)
class GoalTerms:
    """What a goal says. Units: baseline and target as people write them, shares in per cent."""

    name: str
    metric: str
    baseline: Decimal
    target: Decimal
    starts_on: date
    ends_on: date
    owner_id: int


def set_goal(*, terms: GoalTerms, goal_id: int | None, actor: str, at: datetime) -> Goal:
    """Set a goal, or change one that has not been given up.

    Raises: GoalError.
    Source: KPI-12.
    """
    _check(terms)
    values = {name: getattr(terms, name) for name in GoalTerms.__slots__}
    if goal_id is None:
        return Goal.objects.create(**values, created_by=actor, created_at=at)
    with transaction.atomic():
        goal = _open(goal_id)
        for name, value in values.items():
            setattr(goal, name, value)
        goal.save(update_fields=list(values))
    return goal


@transaction.atomic
def give_up(*, goal_id: int, at: datetime) -> Goal:
    """Stop following a goal; it stays on record.

    Raises: GoalError.
    """
    goal = _open(goal_id)
    goal.closed_at = at
    goal.save(update_fields=["closed_at"])
    return goal


def _check(terms: GoalTerms) -> None:
    if terms.metric not in registry.METRICS:
        raise GoalError("metric_unknown", _("There is no such metric."))
    if terms.target == terms.baseline:
        raise GoalError("goal_moves_nothing", _("The target must differ from the baseline."))
    if terms.ends_on <= terms.starts_on:
        raise GoalError("goal_ends_before_start", _("The last day comes after the first."))


def _open(goal_id: int) -> Goal:
    goal = Goal.objects.select_for_update(no_key=True).get(pk=goal_id)
    if goal.closed_at is not None:
        raise GoalError("goal_given_up", _("This goal has been given up."), status=409)
    return goal
