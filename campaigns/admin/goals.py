"""The page of goals, and the form in which they are set."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from campaigns import words
from campaigns.admin.dashboards import TEAL
from campaigns.admin.figures import number
from campaigns.kpis import goals, registry
from campaigns.kpis.goals import GoalStanding
from campaigns.models import Goal
from campaigns.services import goals as goal_service
from campaigns.services.goals import GoalTerms
from config.base import clock
from config.base.admin import charts, site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.panels import Visit

VIEW, ADD, CHANGE = "campaigns.view_goal", "campaigns.add_goal", "campaigns.change_goal"
POINTS_OF_LINE: Final = 13
SHOWN_AT_START: Final = 4
_DAY: Final = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _metric_choices() -> list[tuple[str, str]]:
    return [(code, str(metric.title)) for code, metric in registry.METRICS.items()]


class GoalForm(forms.Form):
    """What a goal says; its service decides whether it can be."""

    name = forms.CharField(label=_("Name"), max_length=80)
    metric = forms.ChoiceField(label=_("Metric"), choices=_metric_choices)
    baseline = forms.DecimalField(
        label=_("Baseline"), max_digits=20, decimal_places=4,
        help_text=_("Where the figure stands at the beginning; shares in per cent."),
    )  # fmt: skip
    target = forms.DecimalField(
        label=_("Target"), max_digits=20, decimal_places=4,
        help_text=_("Where it has to be on the last day. Below the baseline: it has to fall."),
    )  # fmt: skip
    starts_on = forms.DateField(label=_("Starts on"), widget=_DAY)
    ends_on = forms.DateField(label=_("Ends on"), widget=_DAY)
    owner = forms.ModelChoiceField(
        get_user_model().objects.filter(is_active=True, is_staff=True), label=_("Owner")
    )

    def terms(self) -> GoalTerms:
        """Return what was filled in."""
        values = dict(self.cleaned_data)
        return GoalTerms(owner_id=values.pop("owner").pk, **values)


def goals_page(request: HttpRequest) -> HttpResponse:
    """Show the goals that run or have lately ended, and how each stands.

    Source: KPI-12.
    """
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    at = clock.now()
    followed = goals.current(at=at)
    context = {
        **site.current().each_context(request),
        "title": gettext("Goals"),
        "goals": [_shown(standing) for standing in followed],
        "may_add": request.user.has_perm(ADD),
        "may_change": request.user.has_perm(CHANGE),
    }
    return TemplateResponse(request, "admin/campaigns/goals.html", context)


def goal_page(request: HttpRequest, goal_id: int | None = None) -> HttpResponse:
    """Set a goal, or change one."""
    if not request.user.has_perm(ADD if goal_id is None else CHANGE):
        raise PermissionDenied
    goal = None if goal_id is None else get_object_or_404(Goal, pk=goal_id)
    form = GoalForm(request.POST or None, initial=model_to_dict(goal) if goal else None)
    if request.method == "POST" and form.is_valid() and _is_set(request, form, goal_id):
        return redirect("admin:goals")
    context = {
        **site.current().each_context(request),
        "title": gettext("Set a goal") if goal is None else gettext("Change the goal"),
        "form": form,
        "submit": gettext("Save"),
        "back": "admin:goals",
    }
    return TemplateResponse(request, "admin/campaigns/form.html", context)


@require_POST
def give_up_page(request: HttpRequest, goal_id: int) -> HttpResponse:
    """Stop following a goal."""
    if not request.user.has_perm(CHANGE):
        raise PermissionDenied
    get_object_or_404(Goal, pk=goal_id)
    try:
        goal_service.give_up(goal_id=goal_id, at=clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, gettext("The goal is no longer followed."))
    return redirect("admin:goals")


def goals_panel(visit: Visit) -> Mapping[str, Any] | None:
    """Show on the start page how the goals stand; nothing where there are none."""
    followed = goals.current(at=visit.at)
    if not followed:
        return None
    return {"goals": [_shown(standing, with_chart=False) for standing in followed[:SHOWN_AT_START]]}


def _is_set(request: HttpRequest, form: GoalForm, goal_id: int | None) -> bool:
    try:
        goal_service.set_goal(
            terms=form.terms(), goal_id=goal_id, actor=actor_of(request), at=clock.now()
        )
    except DomainError as error:
        form.add_error(None, str(error.message))
        return False
    messages.success(request, gettext("The goal is set."))
    return True


def _shown(standing: GoalStanding, *, with_chart: bool = True) -> Mapping[str, Any]:
    goal = standing.goal
    metric = registry.METRICS[goal.metric]
    label, tone = words.STATUSES[standing.status]
    return {
        "goal": goal,
        "metric": metric,
        "value": words.written(metric.unit, standing.value),
        "baseline": words.written(metric.unit, goal.baseline),
        "target": words.written(metric.unit, goal.target),
        "expected": words.written(metric.unit, standing.expected),
        "progress": standing.progress_percent,
        "elapsed": int(standing.path.elapsed(standing.on) * 100),
        "status": label,
        "tone": tone,
        "chart": _chart(standing) if with_chart else None,
    }


def _chart(standing: GoalStanding) -> Mapping[str, str]:
    """Draw the straight line of a goal, and the measured figures as far as there are any."""
    days = sorted({*standing.path.days(POINTS_OF_LINE), min(standing.on, standing.path.ends_on)})
    measured = dict(goals.history(standing.goal))
    measured[min(standing.on, standing.path.ends_on)] = standing.value
    figures = [measured.get(day) for day in days]
    return charts.lines(
        [day.isoformat() for day in days],
        [
            (gettext("Straight line to the target"),
             [number(standing.path.expected(day)) for day in days], charts.MUTED),
            (gettext("Figure"), [number(value) for value in figures], TEAL),
        ],
        from_zero=False,
    )  # fmt: skip
