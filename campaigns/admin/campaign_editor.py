"""The editor of campaigns: one page, with whom the draft would address and what that costs.

Source: CMP-02, CMP-14, CMP-17.
"""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import lint, queries
from campaigns.admin.campaign_form import CampaignForm, EffectRows
from campaigns.admin.campaigns import EDIT, facets_of, need, page
from campaigns.admin.reason_form import ReasonForm
from campaigns.admin.trigger_form import TriggerForm
from campaigns.models import Campaign, CampaignVersion, VersionState
from campaigns.services import campaign_drafts, launching
from config.base import clock
from config.base.admin import formats
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.names import name_of
from members.services import drafts


class SubmitForm(ReasonForm):
    """With which share of the audience a campaign begins."""

    percent = forms.IntegerField(
        label=_("Begins with (per cent)"), min_value=1, max_value=100, initial=100,
        help_text=_("Less than 100: a pilot."),
    )  # fmt: skip
    field_order = ("percent", "reason")


def new_page(request: HttpRequest) -> HttpResponse:
    """Write a new campaign."""
    need(request, EDIT)
    return _editor(request, CampaignVersion(campaign=Campaign(), number=1))


def draft_page(request: HttpRequest, version_id: int) -> HttpResponse:
    """Change a draft, see whom it would address, send it for review or throw it away."""
    need(request, EDIT, campaign_drafts.PUBLISH_PERMISSION)
    version = get_object_or_404(CampaignVersion.objects.select_related("campaign"), pk=version_id)
    if version.state != VersionState.DRAFT:
        return redirect("admin:campaign", version.campaign_id)
    return _editor(request, version)


class Editor:
    """A draft in the making: its three forms, and what they come to."""

    def __init__(self, version: CampaignVersion, request: HttpRequest) -> None:
        """Show what is stored, or what was posted."""
        data = request.POST if request.method == "POST" else None
        do = request.POST.get("do", "")
        self.version, self.is_redraw = version, do == "refresh"
        self.form = CampaignForm(version, data)
        self.trigger = TriggerForm(version.trigger or {"kind": "order"}, data)
        self.effects = EffectRows(version.effects, data, is_redraw=self.is_redraw)
        self.submit = SubmitForm(data if do == "submit" else None)

    @property
    def is_wrong(self) -> bool:
        """Tell whether something has to be corrected, wherever it stands on the long page."""
        forms = (self.form, self.trigger, self.submit, *self.effects.forms)
        return not self.is_redraw and any(each.is_bound and each.errors for each in forms)

    def read(self) -> dict[str, Any] | None:
        """Return the terms that were filled in; None where something is wrong."""
        trigger, effects = self.trigger.read(), self.effects.read()
        if not self.form.is_valid() or trigger is None or effects is None:
            return None
        return {**self.form.terms, "trigger": trigger, "effects": effects}

    def seen(self, at: datetime) -> dict[str, Any] | None:
        """Return what comes of what stands in the forms; None where that is not whole yet."""
        trigger, effects = self.trigger.read(), self.effects.read()
        wrong = self.form.errors.keys() - {"name_zh"}
        if wrong or trigger is None or effects is None:
            return None
        terms = {**self.form.terms, "trigger": trigger, "effects": effects}
        try:
            return _seen(CampaignVersion(campaign=self.version.campaign, **terms), at)
        except DomainError:
            return None

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
    if do == "preview":
        return page(request, "campaign_seen.html", {"seen": editor.seen(clock.now())})
    if request.method == "POST" and not editor.is_redraw:
        need(request, EDIT)
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
        "changes": drafts.changes(facets_of(running), facets_of(version)) if running else (),
    }  # fmt: skip
    return page(request, "campaign_draft.html", context)


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
        if do == "submit" and not editor.submit.is_valid():
            return None
        draft = editor.save(actor, at)
        if draft is None:
            return None
        editor.version = draft
        if do == "submit":
            launching.submit(version_id=draft.pk, actor=actor, at=at, **editor.submit.cleaned_data)
            messages.success(request, gettext("Sent for review: somebody else has to publish it."))
            return redirect("admin:campaign", draft.campaign_id)
    except DomainError as error:
        messages.error(request, str(error.message))
        if editor.version._state.adding:
            return redirect("admin:campaign_board")
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
