"""Campaigns: the board, the editor, and the page of one campaign with its buttons.

Source: CMP-02, CMP-12, CMP-14, CMP-17.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from campaigns import campaign_words, message_words, queries
from campaigns.admin import feedback_list
from campaigns.admin.reason_form import ReasonForm
from campaigns.models import (
    Campaign,
    CampaignBudget,
    CampaignState,
    CampaignVersion,
    MessageState,
    VersionState,
)
from campaigns.models.campaign import RUNNING
from campaigns.services import assigning, campaign_drafts, firing, launching
from campaigns.services import messages as messaging
from config.base import clock
from config.base.admin import formats, site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.names import name_of
from members.models import Segment
from members.models.segment import SegmentKind
from members.services import drafts

VIEW: Final = "campaigns.view_campaign"
EDIT: Final = campaign_drafts.EDIT_PERMISSION
RUN: Final = campaign_drafts.RUN_PERMISSION
SHOWN: Final = 50
# What runs comes first, then what waits for somebody.
ON_BOARD: Final = (
    CampaignState.LIVE, CampaignState.PILOT, CampaignState.REVIEW, CampaignState.DRAFT,
    CampaignState.PAUSED, CampaignState.ENDED,
)  # fmt: skip


class WidenForm(ReasonForm):
    """To which share of the audience a campaign grows, and why."""

    percent = forms.IntegerField(label=_("Stage (per cent)"), min_value=1, max_value=100)
    field_order = ("percent", "reason")


Work = Callable[..., Campaign]

VERBS: Final[Mapping[str, tuple[Promise, type[ReasonForm], Work, Sequence[str]]]] = {
    "widen": (_("Widen"), WidenForm, launching.widen, RUNNING),
    "pause": (_("Pause"), ReasonForm, launching.pause, RUNNING),
    "resume": (_("Resume"), ReasonForm, launching.resume, (CampaignState.PAUSED,)),
    "end": (_("End for good"), ReasonForm, launching.end, (*RUNNING, CampaignState.PAUSED)),
}


def board_page(request: HttpRequest) -> HttpResponse:
    """Show campaigns by state; automations have a page of their own."""
    need(request, VIEW)
    rows = Campaign.objects.filter(is_preset=False).select_related("running", "owner")
    found = {state: rows.filter(state=state).order_by("-ended_at", "-pk") for state in ON_BOARD}
    counts = dict(rows.order_by().values_list("state").annotate(count=Count("pk")))
    addressed = dict(Segment.objects.filter(kind=SegmentKind.CAMPAIGN).values_list("code", "size"))
    groups = [
        {
            "label": state.label, "tone": campaign_words.COLOURS[state], "count": counts[state],
            "is_running": state in RUNNING,
            "campaigns": [
                {**on_board(row), "addressed": addressed.get(row.segment_code)}
                for row in found[state][:SHOWN]
            ],
        }
        for state in ON_BOARD if state in counts
    ]  # fmt: skip
    context = {
        "title": gettext("Campaigns"),
        "groups": groups,
        "automations": Campaign.objects.filter(is_preset=True, state__in=RUNNING).count(),
        "may_edit": request.user.has_perm(EDIT),
        "may_hold_out": request.user.has_perm("campaigns.change_globalholdout"),
        "holdout": assigning.global_holdout(),
    }
    return page(request, "campaign_board.html", context)


def campaign_page(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Show one campaign: how it goes, what it says, what its versions change."""
    need(request, VIEW)
    rows = Campaign.objects.select_related("running", "owner")
    campaign = get_object_or_404(rows, pk=campaign_id)
    may_run = request.user.has_perm(RUN)
    context = {
        "title": name_of(campaign),
        "campaign": campaign,
        "tone": campaign_words.COLOURS[campaign.state],
        "verbs": [
            (verb, words[0])
            for verb, words in VERBS.items()
            if may_run and campaign.state in words[3]
            and not (verb == "widen" and campaign.stage_percent == launching.WHOLE)
        ],
        "may_edit": request.user.has_perm(EDIT) and campaign.state != CampaignState.ENDED,
        "facets": [each for each in facets_of(campaign.running) if each[1]],
        **_numbers(campaign, clock.now()),
        **_versions(campaign),
        **feedback_list.of_campaign(request, campaign),
    }  # fmt: skip
    return page(request, "campaign.html", context)


def verb_page(request: HttpRequest, campaign_id: int, verb: str) -> HttpResponse:
    """Widen, pause, resume or end a campaign, with a reason."""
    need(request, RUN)
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    if verb not in VERBS:
        return redirect("admin:campaign", campaign_id)
    title, form_class, work, _states = VERBS[verb]
    form = form_class(request.POST or None)
    if request.method == "POST" and form.is_valid():
        more = {name: form.cleaned_data[name] for name in form.fields if name != "reason"}
        try:
            work(campaign_id=campaign.pk, actor=actor_of(request), at=clock.now(), **more)
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, gettext("Done."))
            return redirect("admin:campaign", campaign_id)
    context = {
        "title": title, "form": form, "subject": name_of(campaign),
        "back": reverse("admin:campaign", args=[campaign_id]),
    }  # fmt: skip
    return TemplateResponse(
        request, "admin/console/staff_form.html",
        {**site.current().each_context(request), **context},
    )  # fmt: skip


@require_POST
def copy_page(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Make a new draft of what a campaign says, or open the one that there is."""
    need(request, EDIT)
    get_object_or_404(Campaign, pk=campaign_id)
    try:
        draft = campaign_drafts.copy(
            campaign_id=campaign_id, actor=actor_of(request), at=clock.now()
        )
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("admin:campaign", campaign_id)
    return redirect("admin:campaign_draft", draft.pk)


# Parts of the page of a campaign


def on_board(campaign: Campaign) -> dict[str, Any]:
    """Return what a list shows of a campaign."""
    version = campaign.running
    return {
        "campaign": campaign, "name": name_of(campaign),
        "says": "" if version is None else campaign_words.what(version),
        "ends_at": None if version is None else version.ends_at,
    }  # fmt: skip


def _numbers(campaign: Campaign, at: datetime) -> dict[str, Any]:
    funnel = queries.funnel(campaign, at)
    budget = funnel.budget
    multiplied = 0 if budget is None else budget.multiplied_points
    over = _over(budget)
    return {
        "funnel": funnel,
        "arms": [(arm, funnel.arms.get(arm, 0)) for arm in ("treated", "holdout", "waiting")],
        "excluded": funnel.arms.get("excluded", 0),
        "skipped": [
            (campaign_words.skipped(code), n) for code, n in sorted(funnel.skipped.items())
        ],
        "bars": [] if budget is None else _bars(budget),
        "told": _told(campaign),
        "multiplied": formats.points(multiplied) if multiplied else "",
        "over": formats.points(over) if over > 0 else "",
        "multipliers_ended": budget is not None and budget.is_used_by_multipliers,
        "money": formats.money(funnel.money),
        "points": formats.points(funnel.points),
    }


def _over(budget: CampaignBudget | None) -> int:
    """Return the points beyond the budget, which multipliers have given before they ended."""
    if budget is None or budget.limit_points is None:
        return 0
    return budget.spent_points + budget.multiplied_points - budget.limit_points


def _bars(budget: CampaignBudget) -> list[tuple[str, str, str, int]]:
    """Return the limits of a budget: label, spent, limit, and the share spent in per cent."""
    points = budget.spent_points + budget.multiplied_points
    rows: list[tuple[str, Callable[[Any], str], Any, Any]] = [
        (gettext("Points"), formats.points, points, budget.limit_points),
        (gettext("Money"), formats.money, budget.spent_money, budget.limit_money),
        (gettext("Times"), formats.points, budget.spent_acts, budget.limit_acts),
    ]
    return [
        (label, show(spent), show(limit), int(formats.share(spent, limit)))
        for label, show, spent, limit in rows
        if limit is not None
    ]


def _told(campaign: Campaign) -> list[tuple[Any, str, str]]:
    """Return how many of the messages are in which state, with its colour."""
    counts = messaging.counts_of(firing.cause(campaign))
    return [
        (state.label, message_words.STATE_TONES[state], formats.points(counts[state]))
        for state in MessageState
        if state in counts
    ]


def _versions(campaign: Campaign) -> dict[str, Any]:
    versions = list(campaign.versions.order_by("-number")[:SHOWN])
    draft = next((each for each in versions if each.state == VersionState.DRAFT), None)
    newest = versions[:2]
    older, newer = (newest[1], newest[0]) if len(newest) > 1 else (None, None)
    waiting = drafts.pending(
        kind=campaign_drafts.PUBLISH, draft_ids=[draft.pk] if draft else []
    )  # fmt: skip
    return {
        "versions": versions, "draft": draft, "older": older, "newer": newer,
        "pending": waiting.get(draft.pk) if draft else None,
        "changes": drafts.changes(facets_of(older), facets_of(newer)) if older else (),
    }  # fmt: skip


def facets_of(version: CampaignVersion | None) -> drafts.Facets:
    """Return what a version says, nothing where there is none."""
    return () if version is None else campaign_words.facets(version)


def need(request: HttpRequest, *permissions: str) -> None:
    """Refuse who has none of these permissions."""
    if not any(request.user.has_perm(permission) for permission in permissions):
        raise PermissionDenied


def page(request: HttpRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    """Return a page of the console."""
    whole = {**site.current().each_context(request), **context}
    return TemplateResponse(request, f"admin/campaigns/{template}", whole)
