"""The console's pages of staff acts: who did what, when, from where, and what it changed."""

import contextlib
import functools
from collections.abc import Sequence
from typing import Any, Final

import orjson
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.contrib.filters.admin import RangeDateTimeFilter, TextFilter

from config.base import panels
from config.base.admin.decorators import labelled
from config.base.admin.options import ConsoleAdmin, ExactSearchMixin, ReadOnlyAdmin
from config.base.admin.reauth import FreshLoginMixin
from config.models import RecoverySheet, RoleSafety, StaffAct, StaffActAnchor, StaffActHead

# The library's page would show people's secrets.
admin.site.unregister(TOTPDevice)

HIDDEN: Final = "•"
SHOWN_COLUMNS: Final = 4


@functools.cache
def columns_of(table: str) -> dict[str, Any]:
    """Return what people call the columns of a table; empty for one that is no model's."""
    found: list[type[models.Model]] = list(apps.get_models(include_auto_created=True))
    for model in found:
        if model._meta.db_table == table:
            return {
                str(column.column): column.verbose_name for column in model._meta.concrete_fields
            }
    return {}


@functools.cache
def name_of(table: str) -> Any:
    """Return what people call a row of a table; the table itself where it is no model's."""
    found: list[type[models.Model]] = list(apps.get_models(include_auto_created=True))
    names = {model._meta.db_table: model._meta.verbose_name for model in found}
    return names.get(table, table)


def text_of(value: object) -> str:
    """Return a stored value for people; what was hidden says so."""
    if value is None:
        return "–"
    if value == HIDDEN:
        return gettext("(not kept)")
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def member_address(visit: panels.Visit) -> str:
    """Return where the acts on the member of a page are listed."""
    return f"{reverse('admin:config_staffact_changelist')}?member_id={visit.subject.pk}"


class ExactFilter(TextFilter):  # type: ignore[misc]  # Unfold has no types
    """Rows whose column is as typed, found through an index."""

    def queryset(
        self, request: HttpRequest, queryset: "models.QuerySet[Any]"
    ) -> "models.QuerySet[Any]":
        """Return the rows with this value."""
        term = (self.value() or "").strip()
        return queryset.filter(**{self.parameter_name: term}) if term else queryset


class ActorFilter(ExactFilter):
    """By who acted."""

    title = _("actor")
    parameter_name = "actor"


class ActFilter(ExactFilter):
    """By what was done."""

    title = _("act")
    parameter_name = "act"


class TableFilter(ExactFilter):
    """By what was changed."""

    title = _("table")
    parameter_name = "table"


class SpanFilter(RangeDateTimeFilter):  # type: ignore[misc]  # Unfold has no types
    """Rows between two instants of the programme's time zone; Unfold's own leaves the zone out."""

    def queryset(
        self, request: HttpRequest, queryset: "models.QuerySet[Any]"
    ) -> "models.QuerySet[Any]":
        """Return the rows of the span; an end that is missing, or no instant, is open."""
        for end, lookup in (("from", "gte"), ("to", "lte")):
            day, hour = (
                self.used_parameters.get(f"{self.parameter_name}_{end}_{part}") or default
                for part, default in ((0, ""), (1, "00:00"))
            )
            with contextlib.suppress(ValueError):
                if instant := parse_datetime(f"{day} {hour}"):
                    bound = {f"{self.parameter_name}__{lookup}": timezone.make_aware(instant)}
                    queryset = queryset.filter(**bound)
        return queryset


class MemberFilter(ExactFilter):
    """By the member's number."""

    title = _("member")
    parameter_name = "member_id"

    def queryset(
        self, request: HttpRequest, queryset: "models.QuerySet[Any]"
    ) -> "models.QuerySet[Any]":
        """Return the rows of this member; none for what is no number."""
        term = (self.value() or "").strip()
        if not term:
            return queryset
        is_number = term.isascii() and term.isdigit() and len(term) < 19
        return queryset.filter(member_id=int(term)) if is_number else queryset.none()


@admin.register(StaffAct)
class StaffActAdmin(ExactSearchMixin, ReadOnlyAdmin):
    """Everything that staff did, newest first.

    Source: LEG-09, MEM-10.
    """

    list_display = ("at", "actor", "roles", "act", "what", "operation_label", "reason", "address")
    list_filter: Sequence[Any] = (
        ActorFilter, ActFilter, TableFilter, MemberFilter, ("at", SpanFilter),
        "operation", "source",
    )  # fmt: skip
    sortable_by: Sequence[str] = ()
    search_help_text = _("Actor, act, table, or the number of a member")
    shown_last = ("changes",)
    concealed = ("before", "after")

    def find(self, rows: "models.QuerySet[Any]", term: str) -> "models.QuerySet[Any]":
        """Return the acts of an actor, of a kind, on a table, or on a member."""
        if term.isascii() and term.isdigit():
            return rows.filter(member_id=int(term)) if len(term) < 19 else rows.none()
        by_staff = models.Q(actor=term) | models.Q(actor=f"staff:{term}")
        return rows.filter(by_staff | models.Q(act=term) | models.Q(table=term))

    @labelled(
        _("operation"),
        {"act": "info", "insert": "success", "update": "warning", "delete": "danger"},
    )
    def operation_label(self, act: StaffAct) -> tuple[str, str]:
        """Return what the act did, with its colour."""
        return act.operation, act.get_operation_display()

    @admin.display(description=_("what"))
    def what(self, act: StaffAct) -> str:
        """Return which row was changed and in which columns."""
        if not act.table:
            return act.row_id or "–"
        names = columns_of(act.table)
        changed = {**(act.before or {}), **(act.after or {})}
        told = [str(names.get(name, name)) for name in changed]
        shown = ", ".join(told[:SHOWN_COLUMNS]) + (" …" if len(told) > SHOWN_COLUMNS else "")
        return f"{name_of(act.table)} {act.row_id}: {shown}"

    @admin.display(description=_("changes"))
    def changes(self, act: StaffAct) -> SafeString:
        """Return what was changed, column by column."""
        before, after, names = act.before or {}, act.after or {}, columns_of(act.table)
        rows = [
            {
                "name": names.get(name, name),
                "before": text_of(before.get(name)),
                "after": text_of(after.get(name)),
            }
            for name in {**before, **after}
        ]
        return render_to_string("admin/console/act_changes.html", {"rows": rows})


@admin.register(StaffActHead)
class StaffActHeadAdmin(ReadOnlyAdmin):
    """How far the record of staff acts goes."""

    list_display = ("seq",)


@admin.register(StaffActAnchor)
class StaffActAnchorAdmin(ReadOnlyAdmin):
    """When it was noted how far the record went."""

    list_display = ("seq", "at")


@admin.register(RecoverySheet)
class RecoverySheetAdmin(ReadOnlyAdmin):
    """Who has recovery codes; the codes themselves nobody has."""

    list_display = ("user",)
    list_select_related = ("user",)
    concealed = ("hashes",)


@admin.register(RoleSafety)
class RoleSafetyAdmin(FreshLoginMixin, ConsoleAdmin):
    """Which roles have to log in with a second factor."""

    list_display = ("group", "requires_second_factor")
    list_select_related = ("group",)
    autocomplete_fields = ("group",)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin):
    """Who has given wrong passwords; removing a row lets them try again at once."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    concealed = ("get_data", "post_data", "http_accept", "user_agent", "path_info")
    actions = ("delete_selected",)  # type: ignore[assignment]  # a read-only page has none

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow it to whoever may: this unlocks somebody."""
        return request.user.has_perm("axes.delete_accessattempt")
