"""Earning rules, their versions, and the policy of points."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from config.base.admin.decorators import labelled
from config.base.admin.options import ReadOnlyAdmin
from rewards.models import PointsPolicy, Rule, RuleVersion


class RuleVersionInline(TabularInline):  # type: ignore[misc]  # Unfold has no types
    """What a rule said and says."""

    model = RuleVersion
    extra = 0
    can_delete = False
    hide_title = True
    fields = (
        "number", "state", "trigger", "effect", "points", "per_amount", "factor", "factor_source",
        "valid_from", "valid_until",
    )  # fmt: skip
    readonly_fields = fields
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse."""
        return False


@admin.register(Rule)
class RuleAdmin(ReadOnlyAdmin):
    """Earning rules."""

    list_display = ("code", "name_zh", "name_en")
    search_fields = ("code", "name_zh", "name_en")
    inlines = (RuleVersionInline,)


@admin.register(RuleVersion)
class RuleVersionAdmin(ReadOnlyAdmin):
    """Versions of earning rules; a draft counts for nothing until it is activated."""

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
