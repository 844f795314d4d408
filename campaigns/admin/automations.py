"""The page of automations: the table, what each has done, and the switches.

Source: ENG-11, ENG-18, ENG-26.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST

from campaigns import automation_table, choices
from campaigns.services import automations, trigger_calendar
from campaigns.services.automations import Line
from campaigns.services.trigger_days import next_day
from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError

VIEW, RUN = "campaigns.view_campaign", "campaigns.run_campaign"
HORIZON: Final = timedelta(days=400)


def automations_page(request: HttpRequest) -> HttpResponse:
    """Show every automation: what starts it, when it is next due, what it has done."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    at, labels = clock.now(), choices.trigger_labels()
    rules = trigger_calendar.rules()
    context = {
        **site.current().each_context(request),
        "title": gettext("Automations"),
        "rows": [
            {
                "line": line,
                "name": _name(line),
                "says": automation_table.sentence(line.trigger, labels),
                "purpose": automation_table.purpose(line.automation),
                "next": _next(line, at, rules) if line.is_on else None,
            }
            for line in automations.lines()
        ],
        "may_run": request.user.has_perm(RUN),
    }
    return TemplateResponse(request, "admin/campaigns/automations.html", context)


def _name(line: Line) -> str:
    each = line.automation
    return each.name_en if get_language() == "en" else each.name_zh


def _next(line: Line, at: datetime, rules: Any) -> datetime | None:
    """Return when the calendar looks at it next; None for what follows events."""
    if line.trigger.event is not None:
        return None
    return next_day(line.trigger, at, rules, within=HORIZON)


@require_POST
def automation_switch(request: HttpRequest, code: str, verb: str) -> HttpResponse:
    """Switch an automation on or off."""
    if not request.user.has_perm(RUN):
        raise PermissionDenied
    actor, at = actor_of(request), clock.now()
    try:
        automations.install(actor=actor, at=at)
        switch = automations.switch_on if verb == "on" else automations.switch_off
        switch(code=code, actor=actor, at=at)
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("admin:automations")
