"""The lists of cases, of what they are promised, and of what moderators have decided."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from config.base.admin.decorators import labelled
from config.base.admin.options import ConsoleAdmin, ReadOnlyAdmin
from members import words
from members.admin import case_page
from members.admin.base import MemberOwnedAdmin
from members.admin.case_rows import PRIORITY_COLOURS, STATE_COLOURS
from members.models import (
    Case,
    CaseNote,
    Moderation,
    ServiceHours,
    ServicePolicy,
    SpecialDay,
)


@admin.register(Case)
class CaseAdmin(MemberOwnedAdmin):
    """Matters that a person has to look at; a row opens the case's own page."""

    list_display = (
        "number", "title", "member_card", "state_label", "priority_label", "owner", "opened_at",
        "resolve_due_at",
    )  # fmt: skip
    list_filter = ("state", "kind", "priority")
    list_select_related = ("member", "owner")

    @admin.display(description=_("number"))
    def number(self, case: Case) -> str:
        """Return the case's number."""
        return f"#{case.pk}"

    @admin.display(description=_("about"))
    def title(self, case: Case) -> str:
        """Return what kind of matter it is; what was said stands on its own page only."""
        return words.case(case.code) if case.code else str(case.get_kind_display())

    @labelled(_("state"), STATE_COLOURS)
    def state_label(self, case: Case) -> tuple[str, str]:
        """Return where the case stands, with its colour."""
        return case.state, case.get_state_display()

    @labelled(_("priority"), {str(key): colour for key, colour in PRIORITY_COLOURS.items()})
    def priority_label(self, case: Case) -> tuple[str, str]:
        """Return how pressing the case is, with its colour."""
        return str(case.priority), case.get_priority_display()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the case with its conversation and what can be done."""
        request.current_app = self.admin_site.name
        return case_page.case_page(request, object_id)


@admin.register(CaseNote)
class CaseNoteAdmin(MemberOwnedAdmin):
    """That something was said about a case; what it was stands on the case's page."""

    list_display = ("case", "kind", "member_card", "author", "at")
    list_select_related = ("member", "case")
    concealed = ("body",)


@admin.register(ServicePolicy)
class ServicePolicyAdmin(ConsoleAdmin):
    """How soon cases are answered and solved, by kind and service level."""

    list_display = (
        "kind", "service_level", "priority", "first_response_minutes", "resolve_minutes",
    )  # fmt: skip
    list_filter = ("kind",)
    ordering = ("service_level",)


@admin.register(ServiceHours)
class ServiceHoursAdmin(ConsoleAdmin):
    """When the desk is there; clocks stand still outside of it."""

    list_display = ("weekday", "opens", "closes")
    ordering = ("weekday",)


@admin.register(SpecialDay)
class SpecialDayAdmin(ConsoleAdmin):
    """Holidays, and days that are worked to make up for them."""

    list_display = ("on", "name", "opens", "closes")
    ordering = ("-on",)


@admin.register(Moderation)
class ModerationAdmin(ReadOnlyAdmin):
    """What moderators have decided; the queue is a page of its own."""

    list_display = (
        "fact", "member", "state_label", "order_no", "line_no", "decided_by", "decided_at",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("fact", "member")

    @labelled(
        _("state"),
        {"pending": "warning", "approved": "success", "rejected": "info", "removed": "danger"},
    )
    def state_label(self, row: Moderation) -> tuple[str, str]:
        """Return what a moderator has said, with its colour."""
        return row.state, row.get_state_display()
