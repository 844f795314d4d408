"""The console's pages of the ladder and of who stands where on it."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action

from config.base import clock
from config.base.admin.actors import actor_of
from config.base.admin.decorators import detail_action, labelled
from config.base.admin.options import ReadOnlyAdmin
from config.base.errors import DomainError
from config.base.names import name_of
from members.admin.base import MemberOwnedAdmin
from tiers import lint, words
from tiers.models import (
    LadderDraft,
    LadderRollout,
    LadderVersion,
    LapseWarning,
    ProgressEntry,
    QualificationRule,
    Standing,
    StandingOverride,
    Tier,
    TierTerm,
)
from tiers.services import ladder_drafts
from tiers.services import standing as standing_service


class ReadOnlyInline(TabularInline):  # type: ignore[misc]  # Unfold has no types
    """Rows below a version that nobody edits once it counts."""

    extra = 0
    can_delete = False
    hide_title = True

    @admin.display(description=_("tier"))
    def tier_name(self, row: Any) -> str:
        """Return the tier in the visitor's language."""
        return name_of(row.tier)

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse."""
        return False


class TierTermInline(ReadOnlyInline):
    """What each tier is worth."""

    model = TierTerm
    fields = ("tier_name", "multiplier", "discount_percent")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[TierTerm]:
        """Return the terms with their tiers, by rank."""
        rows: models.QuerySet[TierTerm] = super().get_queryset(request)
        return rows.select_related("tier").order_by("tier__rank")


class QualificationRuleInline(ReadOnlyInline):
    """What each tier asks for."""

    model = QualificationRule
    fields = ("tier_name", "purpose", "from_tier", "group", "metric_name", "window_name", "limit")
    readonly_fields = fields
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[QualificationRule]:
        """Return the rules with their tiers, by rank."""
        rows: models.QuerySet[QualificationRule] = super().get_queryset(request)
        return rows.select_related("tier", "from_tier").order_by("tier__rank", "purpose", "group")

    @admin.display(description=_("metric"))
    def metric_name(self, rule: QualificationRule) -> str:
        """Return what is measured."""
        return words.metric(rule.metric)

    @admin.display(description=_("window"))
    def window_name(self, rule: QualificationRule) -> str:
        """Return over which period."""
        return words.window(rule.window, rule.window_days)

    @admin.display(description=_("threshold"))
    def limit(self, rule: QualificationRule) -> str:
        """Return how much is asked for."""
        if rule.attribute:
            return f"{rule.attribute} = {rule.value}"
        return words.amount(rule.metric, rule.threshold, rule.unit)


@admin.register(Tier)
class TierAdmin(ReadOnlyAdmin):
    """The tiers by rank."""

    list_display = ("rank", "code", "name_zh", "name_en")
    ordering = ("rank",)


@admin.register(LadderVersion)
class LadderVersionAdmin(ReadOnlyAdmin):
    """The ladder's terms over time."""

    list_display = ("number", "effective_from", "validity_days", "review", "refund_policy")
    inlines = (TierTermInline, QualificationRuleInline)
    change_form_outer_before_template = "admin/tiers/warnings.html"
    actions_list = ("write",)

    def has_write_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may write drafts."""
        return request.user.has_perm(ladder_drafts.EDIT_PERMISSION)

    @action(  # type: ignore[untyped-decorator]  # Unfold has no types
        description=_("New version"), url_path="write", permissions=["write"], icon="add"
    )
    def write(self, request: HttpRequest) -> HttpResponse:
        """Open the editor with what is in force."""
        return redirect("admin:ladder_new")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the version with what looks wrong in it, and what it changed."""
        ladder = self.get_object(request, object_id)
        told = {
            "ladder_warnings": lint.warnings_of(ladder) if ladder else [],
            "changes": ladder_drafts.difference(ladder) if ladder else (),
        }
        response: HttpResponse = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **told}
        )
        return response


@admin.register(LadderDraft)
class LadderDraftAdmin(ReadOnlyAdmin):
    """Versions of the ladder that are being written, and what they were published as."""

    list_display = ("name", "state_label", "starts_at", "created_by", "changed_at")
    list_select_related = ("published",)
    concealed = ("content",)
    actions_detail = ("edit",)

    @labelled(_("state"), {"draft": "info", "published": "success"})
    def state_label(self, draft: LadderDraft) -> tuple[str, str]:
        """Return whether the draft has become a version, with its colour."""
        if draft.published is None:
            return "draft", gettext("Draft")
        return "published", f"{gettext('Published')}: {draft.published}"

    def has_edit_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may open drafts."""
        wanted = (ladder_drafts.EDIT_PERMISSION, ladder_drafts.PUBLISH_PERMISSION)
        return any(request.user.has_perm(permission) for permission in wanted)

    @action(  # type: ignore[untyped-decorator]  # Unfold has no types
        description=_("Open in the editor"), url_path="edit", permissions=["edit"], icon="edit"
    )
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open the editor."""
        return redirect("admin:ladder_draft", object_id)


@admin.register(LadderRollout)
class LadderRolloutAdmin(ReadOnlyAdmin):
    """How far the members have met a version of the ladder."""

    list_display = ("ladder", "last_member_id", "done_at")
    list_select_related = ("ladder",)


@admin.register(TierTerm)
class TierTermAdmin(ReadOnlyAdmin):
    """What tiers are worth, per version of the ladder."""

    list_display = ("ladder", "tier", "multiplier", "discount_percent")
    list_select_related = ("ladder", "tier")


@admin.register(QualificationRule)
class QualificationRuleAdmin(ReadOnlyAdmin):
    """What tiers ask for, per version of the ladder."""

    list_display = ("ladder", "tier", "purpose", "group", "metric", "window", "threshold")
    list_select_related = ("ladder", "tier")


@admin.register(Standing)
class StandingAdmin(MemberOwnedAdmin):
    """Who held which tier, from when, and why."""

    list_display = (
        "member_card", "tier_name", "from_at", "ended_at", "kept_until_on", "reason_name",
    )  # fmt: skip
    list_select_related = ("member", "tier")

    @admin.display(description=_("tier"))
    def tier_name(self, standing: Standing) -> str:
        """Return the tier in the visitor's language."""
        return name_of(standing.tier)

    @admin.display(description=_("reason"))
    def reason_name(self, standing: Standing) -> str:
        """Return why the standing began."""
        return words.reason(standing.reason)


@admin.register(LapseWarning)
class LapseWarningAdmin(MemberOwnedAdmin):
    """Who was told when that a tier is about to end."""

    list_display = ("member_card", "tier_name", "kept_until_on", "warned_at")
    list_select_related = ("member", "tier")

    @admin.display(description=_("tier"))
    def tier_name(self, warning: LapseWarning) -> str:
        """Return the tier in the visitor's language."""
        return name_of(warning.tier)


@admin.register(ProgressEntry)
class ProgressEntryAdmin(MemberOwnedAdmin):
    """Progress towards tiers, entry by entry."""

    list_display = ("member_card", "metric_name", "amount", "at", "recorded_at")

    @admin.display(description=_("metric"))
    def metric_name(self, entry: ProgressEntry) -> str:
        """Return what is measured."""
        return words.metric(entry.metric)


@admin.register(StandingOverride)
class StandingOverrideAdmin(MemberOwnedAdmin):
    """Tiers set by staff; the member page asks for new ones."""

    list_display = (
        "member_card", "tier_name", "from_at", "until_at", "state_label", "reason", "set_by",
        "approved_by",
    )  # fmt: skip
    list_select_related = ("member", "tier")
    actions_detail = ("revoke",)

    @admin.display(description=_("tier"))
    def tier_name(self, override: StandingOverride) -> str:
        """Return the tier in the visitor's language."""
        return name_of(override.tier)

    @labelled(_("state"), {"running": "success", "revoked": "danger"})
    def state_label(self, override: StandingOverride) -> tuple[str, Any]:
        """Return whether the override still counts."""
        if override.revoked_at:
            return "revoked", _("Revoked")
        return ("running", _("Running")) if override.until_at > clock.now() else ("over", _("Over"))

    def has_revoke_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Tell whether the visitor may end overrides."""
        return request.user.has_perm("tiers.change_standingoverride")

    @detail_action(
        _("End the override now"), url_path="revoke", permissions=["revoke"],
        icon="event_busy",
    )  # fmt: skip
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End the override; the computed standing counts again."""
        back = reverse("admin:tiers_standingoverride_change", args=[object_id])
        if request.method != "POST":
            return self.confirmation(
                request,
                title=gettext("End the override now"),
                question=gettext("From now on the tier counts that the member has earned."),
                back=back,
            )
        try:
            standing_service.revoke_override(
                override_id=int(object_id), actor=actor_of(request), at=clock.now()
            )
        except DomainError as error:
            messages.error(request, str(error.message))
            return redirect(back)
        messages.success(request, gettext("The override has ended."))
        return redirect(back)
