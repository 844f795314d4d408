"""Earning rules, their versions, and the policy of points."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from config.base import clock
from config.base.admin.decorators import labelled
from config.base.admin.options import ConsoleChangeList, ReadOnlyAdmin
from config.base.names import name_of
from members.models import Approval
from members.services import drafts
from members.services.approvals import Change
from rewards import rule_words
from rewards.admin import rule_pages
from rewards.admin.rule_choices import RuleChoices
from rewards.models import PointsPolicy, Rule, RuleVersion
from rewards.models.rule import RuleState
from rewards.services import policy_versions, rule_drafts, rule_publication

COLOURS = {
    "in_force": "success", "to_come": "info", "in_review": "warning", "draft": "warning",
    "over": "", "off": "",
}  # fmt: skip


class RuleChangeList(ConsoleChangeList):
    """The list of rules, with the names of tiers and shops read once for all of it."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then what its sentences name."""
        super().get_results(request)
        found: list[Any] = list(self.result_list)  # type: ignore[has-type]  # Unfold has no types
        self.result_list = found
        labels = RuleChoices().labels
        for rule in found:
            rule.labels = labels


@admin.register(Rule)
class RuleAdmin(ReadOnlyAdmin):
    """Earning rules: what each says now, and what is being written."""

    list_display = ("name", "code", "state_label", "said", "period")
    search_fields = ("code", "name_zh", "name_en")
    actions_list = ("write",)
    list_select_related = ()

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Rule]:
        """Return rules with all their versions."""
        rows: models.QuerySet[Rule] = super().get_queryset(request)
        return rows.prefetch_related(
            models.Prefetch("versions", RuleVersion.objects.select_related("rule"))
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RuleChangeList]:
        """Return the list that reads names once."""
        return RuleChangeList

    def has_write_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may write drafts."""
        return request.user.has_perm(rule_drafts.EDIT_PERMISSION)

    @action(  # type: ignore[untyped-decorator]  # Unfold has no types
        description=_("New earning rule"), url_path="write", permissions=["write"], icon="add"
    )
    def write(self, request: HttpRequest) -> HttpResponse:
        """Open the builder."""
        return redirect("admin:rule_new")

    @admin.display(description=_("name"), ordering="name_zh")
    def name(self, rule: Rule) -> str:
        """Return the name in the reader's language."""
        return name_of(rule)

    @labelled(_("state"), COLOURS)
    def state_label(self, rule: Rule) -> tuple[str, str]:
        """Return whether the rule counts, with its colour."""
        shown = _shown_version(rule, clock.now())
        return ("off", gettext("no version")) if shown is None else _state(shown, {}, clock.now())

    @admin.display(description=_("what it says"))
    def said(self, rule: Rule) -> str:
        """Return the version that counts, or the newest one, as a sentence."""
        shown = _shown_version(rule, clock.now())
        labels: rule_words.Labels = getattr(rule, "labels", {})
        return "" if shown is None else rule_words.sentence(shown, labels)

    @admin.display(description=_("until"))
    def period(self, rule: Rule) -> str:
        """Return until when it counts."""
        shown = _shown_version(rule, clock.now())
        return "" if shown is None else rule_words.instant(shown.valid_until, "–")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a rule with its versions, and two of them side by side."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rule = self.get_object(request, object_id)
        if rule is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": rule,
            "title": name_of(rule),
            "rule": rule,
            "may_write": self.has_write_permission(request),
            "may_look": rule_pages.may_look(request),
            **_history(request, rule),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/rewards/rule.html", context)


def _history(request: HttpRequest, rule: Rule) -> dict[str, Any]:
    at, labels = clock.now(), RuleChoices().labels
    versions = sorted(rule.versions.all(), key=lambda version: -version.number)
    ids = [version.pk for version in versions]
    waiting = drafts.pending(kind=rule_drafts.PUBLISH, draft_ids=ids)
    ending = drafts.pending(kind=rule_drafts.RETIRE, draft_ids=ids)
    rows = []
    for version in versions:
        code, text = _state(version, waiting, at)
        rows.append(
            {
                "version": version,
                "colour": COLOURS[code],
                "state": text,
                "sentence": rule_words.sentence(version, labels),
                "from": rule_words.instant(version.valid_from, "–"),
                "until": rule_words.instant(version.valid_until, "–"),
                "is_draft": version.state == RuleState.DRAFT,
                "may_end": code in {"in_force", "to_come"} and version.pk not in ending,
                "request": waiting.get(version.pk) or ending.get(version.pk),
            }
        )
    old, new = _compared(request, versions)
    return {
        "rows": rows,
        "numbers": [version.number for version in reversed(versions)],
        "old": old,
        "new": new,
        "changes": _changes(old, new, labels),
    }


def _compared(
    request: HttpRequest, versions: Sequence[RuleVersion]
) -> tuple[RuleVersion | None, RuleVersion | None]:
    """Return the two versions that were chosen, else the two newest ones."""
    by_number = {str(version.number): version for version in versions}
    newest = [*versions[:2], None, None]
    old = by_number.get(request.GET.get("old", ""), newest[1])
    new = by_number.get(request.GET.get("new", ""), newest[0])
    return old, new


def _changes(
    old: RuleVersion | None, new: RuleVersion | None, labels: rule_words.Labels
) -> Sequence[Change]:
    if old is None or new is None:
        return ()
    return drafts.changes(rule_words.facets(old, labels), rule_words.facets(new, labels))


def _state(version: RuleVersion, waiting: dict[int, Approval], at: datetime) -> tuple[str, str]:
    if version.state == RuleState.DRAFT:
        if version.pk in waiting:
            return "in_review", gettext("In review")
        return "draft", gettext("Draft")
    if version.valid_until is not None and version.valid_until <= at:
        return "over", gettext("Ended")
    if version.valid_from is not None and version.valid_from > at:
        return "to_come", gettext("Published, to come")
    return "in_force", gettext("In force")


def _shown_version(rule: Rule, at: datetime) -> RuleVersion | None:
    """Return the version in force, else the next one to come, else the newest one."""
    versions = sorted(rule.versions.all(), key=lambda version: version.number)
    by_state: dict[str, RuleVersion] = {}
    for version in versions:
        by_state[_state(version, {}, at)[0]] = version
    ordered = ("in_force", "to_come", "draft", "over")
    return next((by_state[state] for state in ordered if state in by_state), None)


@admin.register(RuleVersion)
class RuleVersionAdmin(ReadOnlyAdmin):
    """Versions of earning rules; a draft counts for nothing until it is published."""

    list_display = (
        "rule", "number", "state_label", "trigger", "effect", "valid_from", "valid_until",
    )  # fmt: skip
    list_select_related = ("rule",)
    list_filter = ("state", "trigger", "effect")

    @labelled(_("state"), {"active": "success", "draft": "warning"})
    def state_label(self, version: RuleVersion) -> tuple[str, str]:
        """Return whether the version counts, with its colour."""
        return version.state, version.get_state_display()


@admin.register(PointsPolicy)
class PointsPolicyAdmin(ReadOnlyAdmin):
    """How points behave, from an instant on."""

    list_display = ("number", "effective_from", "expiry", "expires_after", "activate_on")
    actions_list = ("write",)

    def has_write_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may ask for another policy."""
        return request.user.has_perm(policy_versions.EDIT_PERMISSION)

    @action(  # type: ignore[untyped-decorator]  # Unfold has no types
        description=_("New points policy"), url_path="write", permissions=["write"], icon="add"
    )
    def write(self, request: HttpRequest) -> HttpResponse:
        """Open the form with what is in force."""
        return redirect("admin:policy_new")


def effects(approval: Approval) -> Sequence[Change]:
    """Return what a request about a rule would change, for who decides it."""
    return rule_publication.effects(approval, clock.now(), RuleChoices().labels)


def address(approval: Approval) -> str:
    """Return where the rule of a request can be seen and tried."""
    found = RuleVersion.objects.filter(pk=approval.payload[drafts.SUBJECT]).first()
    if found is None:
        return ""
    if found.state == RuleState.DRAFT:
        return reverse("admin:rule_draft", args=[found.pk])
    return reverse("admin:rewards_rule_change", args=[found.rule_id])


def summarise(approval: Approval) -> str:
    """Return what a request about a rule asks for, for people."""
    found = RuleVersion.objects.select_related("rule").filter(
        pk=approval.payload[drafts.SUBJECT]
    ).first()  # fmt: skip
    if found is None:
        return gettext("the draft has been thrown away")
    return f"{name_of(found.rule)} · v{found.number}"
