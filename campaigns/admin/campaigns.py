"""Campaigns: the board, the editor, and the page of one campaign with its buttons.

Source: CMP-02, CMP-12, CMP-14, CMP-17.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from campaigns import campaign_words, lint, queries
from campaigns.admin.campaign_form import CampaignForm, EffectRows
from campaigns.admin.trigger_form import TriggerForm
from campaigns.models import Campaign, CampaignState, CampaignVersion, VersionState
from campaigns.models.campaign import RUNNING
from campaigns.services import campaign_drafts, launching
from config.base import clock
from config.base.admin import formats, site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.names import name_of
from config.base.panels import Visit
from members.models import Approval
from members.services import drafts
from members.services.approvals import Change

VIEW: Final = "campaigns.view_campaign"
EDIT: Final = campaign_drafts.EDIT_PERMISSION
RUN: Final = campaign_drafts.RUN_PERMISSION
SHOWN: Final = 50
REASON_LENGTH: Final = 200


class VerbForm(forms.Form):
    """Why something is done with a campaign."""

    reason = forms.CharField(
        label=_("Reason"), max_length=REASON_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )


class WidenForm(VerbForm):
    """To which share of the audience a campaign grows, and why."""

    percent = forms.IntegerField(label=_("Stage (per cent)"), min_value=1, max_value=100)
    field_order = ("percent", "reason")


class SubmitForm(VerbForm):
    """With which share of the audience a campaign begins."""

    percent = forms.IntegerField(
        label=_("Begins with (per cent)"), min_value=1, max_value=100, initial=100,
        help_text=_("Less than 100: a pilot."),
    )  # fmt: skip
    field_order = ("percent", "reason")


Work = Callable[..., Campaign]

VERBS: Final[Mapping[str, tuple[Promise, type[VerbForm], Work, Sequence[str]]]] = {
    "widen": (_("Widen"), WidenForm, launching.widen, RUNNING),
    "pause": (_("Pause"), VerbForm, launching.pause, RUNNING),
    "resume": (_("Resume"), VerbForm, launching.resume, (CampaignState.PAUSED,)),
    "end": (_("End for good"), VerbForm, launching.end, (*RUNNING, CampaignState.PAUSED)),
}


def board_page(request: HttpRequest) -> HttpResponse:
    """Show campaigns by state."""
    _need(request, VIEW)
    rows = Campaign.objects.select_related("running", "owner")
    columns = []
    for state in CampaignState:
        found = rows.filter(state=state)
        columns.append(
            {
                "label": state.label, "tone": campaign_words.COLOURS[state],
                "count": found.count(), "campaigns": [_on_board(row) for row in found[:SHOWN]],
            }
        )  # fmt: skip
    context = {
        "title": gettext("Campaigns"),
        "columns": columns,
        "may_edit": request.user.has_perm(EDIT),
    }
    return _page(request, "campaign_board.html", context)


def new_page(request: HttpRequest) -> HttpResponse:
    """Write a new campaign."""
    _need(request, EDIT)
    return _editor(request, CampaignVersion(campaign=Campaign(), number=1))


def draft_page(request: HttpRequest, version_id: int) -> HttpResponse:
    """Change a draft, see whom it would address, send it for review or throw it away."""
    _need(request, EDIT, campaign_drafts.PUBLISH_PERMISSION)
    version = get_object_or_404(CampaignVersion.objects.select_related("campaign"), pk=version_id)
    if version.state != VersionState.DRAFT:
        return redirect("admin:campaign", version.campaign_id)
    return _editor(request, version)


def campaign_page(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Show one campaign: how it goes, what it says, what its versions change."""
    _need(request, VIEW)
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
        "facets": [each for each in _facets(campaign.running) if each[1]],
        **_numbers(campaign, clock.now()),
        **_versions(campaign),
    }  # fmt: skip
    return _page(request, "campaign.html", context)


def verb_page(request: HttpRequest, campaign_id: int, verb: str) -> HttpResponse:
    """Widen, pause, resume or end a campaign, with a reason."""
    _need(request, RUN)
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
        "title": title, "form": form, "subject": name_of(campaign), "submit": title,
        "back": reverse("admin:campaign", args=[campaign_id]),
    }  # fmt: skip
    return TemplateResponse(
        request, "admin/console/staff_form.html",
        {**site.current().each_context(request), **context},
    )  # fmt: skip


@require_POST
def copy_page(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Make a new draft of what a campaign says, or open the one that there is."""
    _need(request, EDIT)
    get_object_or_404(Campaign, pk=campaign_id)
    try:
        draft = campaign_drafts.copy(
            campaign_id=campaign_id, actor=actor_of(request), at=clock.now()
        )
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("admin:campaign", campaign_id)
    return redirect("admin:campaign_draft", draft.pk)


# The editor


class Editor:
    """A draft in the making: its three forms, and what they come to."""

    def __init__(self, version: CampaignVersion, request: HttpRequest) -> None:
        """Show what is stored, or what was posted."""
        data = request.POST if request.method == "POST" else None
        do = request.POST.get("do", "")
        self.version, self.is_redraw = version, do == "refresh"
        self.form = CampaignForm(version, data)
        self.trigger = TriggerForm(version.trigger or {"kind": "order"}, data)
        self.effects = EffectRows(version.effects, data)
        self.submit = SubmitForm(data if do == "submit" else None)

    def read(self) -> dict[str, Any] | None:
        """Return the terms that were filled in; None where something is wrong."""
        trigger, effects = self.trigger.read(), self.effects.read()
        if not self.form.is_valid() or trigger is None or effects is None:
            return None
        return {**self.form.terms, "trigger": trigger, "effects": effects}

    def save(self, actor: str, at: datetime) -> CampaignVersion | None:
        """Write the draft; what is refused is said at the form."""
        terms = self.read()
        if terms is None:
            return None
        said: dict[str, Any] = {"names": self.form.names, "terms": terms, "actor": actor, "at": at}
        try:
            if self.version._state.adding:
                return campaign_drafts.create(**said)
            return campaign_drafts.save(version_id=self.version.pk, **said)
        except DomainError as error:
            where = error.details.get("codes") or error.details.get("path") or ""
            self.form.add_error(None, f"{error.message} {where or ''}".strip())
            return None


def _editor(request: HttpRequest, version: CampaignVersion) -> HttpResponse:
    editor = Editor(version, request)
    do = request.POST.get("do", "")
    if request.method == "POST" and not editor.is_redraw:
        _need(request, EDIT)
        done = _act(request, editor, do)
        if done is not None:
            return done
    at = clock.now()
    pending = version.pk and drafts.pending(
        kind=campaign_drafts.PUBLISH, draft_ids=[version.pk]
    ).get(version.pk)  # fmt: skip
    running = version.campaign.running if version.campaign.running_id else None
    context = {
        "title": name_of(version.campaign) if version.pk else gettext("New campaign"),
        "editor": editor, "version": version, "pending": pending or None,
        "may_edit": request.user.has_perm(EDIT),
        "seen": _seen(version, at) if version.pk else None,
        "changes": drafts.changes(_facets(running), _facets(version)) if running else (),
    }  # fmt: skip
    return _page(request, "campaign_draft.html", context)


def _act(request: HttpRequest, editor: Editor, do: str) -> HttpResponse | None:
    actor, at = actor_of(request), clock.now()
    try:
        if do == "withdraw":
            launching.withdraw(version_id=editor.version.pk, actor=actor, at=at)
            return redirect("admin:campaign_draft", editor.version.pk)
        if do == "discard" and editor.version.pk:
            campaign_drafts.discard(version_id=editor.version.pk, actor=actor, at=at)
            messages.success(request, gettext("The draft was thrown away."))
            return redirect("admin:campaign_board")
        draft = editor.save(actor, at)
        if draft is None or (do == "submit" and not editor.submit.is_valid()):
            return None
        if do == "submit":
            launching.submit(version_id=draft.pk, actor=actor, at=at, **editor.submit.cleaned_data)
            messages.success(request, gettext("Sent for review: somebody else has to publish it."))
            return redirect("admin:campaign", draft.campaign_id)
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("admin:campaign_draft", editor.version.pk)
    messages.success(request, gettext("The draft is saved."))
    return redirect("admin:campaign_draft", draft.pk)


def _seen(version: CampaignVersion, at: datetime) -> dict[str, Any]:
    """Return whom a draft would address as a whole, what that costs, and what it leaves open."""
    seen = queries.preview(version, version.campaign.stage_percent or launching.WHOLE, at)
    found = lint.lint(version, seen, at)
    return {
        "preview": seen, "warnings": [lint.WARNINGS[code] for code in found],
        "money": formats.money(seen.cost.money), "points": formats.points(seen.cost.points),
    }  # fmt: skip


# Parts of the page of a campaign


def _on_board(campaign: Campaign) -> dict[str, Any]:
    version = campaign.running
    return {
        "campaign": campaign, "name": name_of(campaign),
        "says": "" if version is None else campaign_words.what(version),
        "ends_at": None if version is None else version.ends_at,
    }  # fmt: skip


def _numbers(campaign: Campaign, at: datetime) -> dict[str, Any]:
    funnel = queries.funnel(campaign, at)
    budget = funnel.budget
    bars = [] if budget is None else [
        (gettext("Points"), formats.points(budget.spent_points), budget.limit_points,
         _share(budget.spent_points, budget.limit_points)),
        (gettext("Money"), formats.money(budget.spent_money), budget.limit_money,
         _share(budget.spent_money, budget.limit_money)),
        (gettext("Times"), f"{budget.spent_acts:,}", budget.limit_acts,
         _share(budget.spent_acts, budget.limit_acts)),
    ]  # fmt: skip
    return {
        "funnel": funnel,
        "arms": [(arm, funnel.arms.get(arm, 0)) for arm in ("treated", "holdout", "waiting")],
        "excluded": funnel.arms.get("excluded", 0),
        "skipped": [
            (campaign_words.skipped(code), n) for code, n in sorted(funnel.skipped.items())
        ],
        "bars": [bar for bar in bars if bar[2] is not None],
        "money": formats.money(funnel.money),
        "points": formats.points(funnel.points),
    }


def _share(part: Any, whole: Any) -> int:
    return 0 if not whole else int(part * 100 / whole)


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
        "changes": drafts.changes(_facets(older), _facets(newer)) if older else (),
    }  # fmt: skip


def _facets(version: CampaignVersion | None) -> drafts.Facets:
    return () if version is None else campaign_words.facets(version)


# What approvals, and other pages, show of campaigns


def summarise(approval: Approval) -> str:
    """Return which campaign a request is about, for people."""
    version = _of_request(approval)
    if version is None:
        return gettext("the draft has been thrown away")
    percent = approval.payload["content"]["percent"]
    return f"{name_of(version.campaign)} · v{version.number} · {percent} %"


def effects(approval: Approval) -> Sequence[Change]:
    """Return what publishing a version would change."""
    version = _of_request(approval)
    if version is None:
        return ()
    running = version.campaign.running
    return drafts.changes(_facets(running) if running else None, _facets(version))


def address(approval: Approval) -> str:
    """Return where the campaign of a request can be seen."""
    version = _of_request(approval)
    return "" if version is None else reverse("admin:campaign_draft", args=[version.pk])


def _of_request(approval: Approval) -> CampaignVersion | None:
    rows = CampaignVersion.objects.select_related("campaign__running")
    return rows.filter(pk=approval.payload[drafts.SUBJECT]).first()


def running_panel(visit: Visit) -> Mapping[str, Any] | None:
    """Show the campaigns that run on the start page; nothing where none does."""
    rows = Campaign.objects.filter(state__in=RUNNING).select_related("running")
    found = [_on_board(row) for row in rows.order_by("code")[:8]]
    return {"campaigns": found} if found else None


def member_panel(visit: Visit) -> Mapping[str, Any] | None:
    """Show which campaigns a member is in; whether they are held out is nobody's at the desk."""
    found = queries.of_member(visit.subject.pk)
    if not found:
        return None
    rows = [
        {"campaign": row.campaign, "name": name_of(row.campaign), "acts": acts,
         "is_addressed": queries.is_addressed(row), "since": row.entered_at}
        for row, acts in found
    ]  # fmt: skip
    return {"rows": rows, "may_open": visit.may(VIEW)}


def event_details(_visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return which campaign gave a member something, for the timeline."""
    rows = Campaign.objects.filter(code=payload.get("campaign", ""))
    names = [name_of(row) for row in rows]
    points = payload.get("points")
    return [*names, gettext("%(points)s points") % {"points": points}] if points else names


def _need(request: HttpRequest, *permissions: str) -> None:
    if not any(request.user.has_perm(permission) for permission in permissions):
        raise PermissionDenied


def _page(request: HttpRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    whole = {**site.current().each_context(request), **context}
    return TemplateResponse(request, f"admin/campaigns/{template}", whole)
