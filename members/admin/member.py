"""The member page: one screen for tier, points, orders, history and what can be done."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.base import clock, panels
from config.base.admin import formats
from config.base.admin.decorators import labelled
from config.base.admin.options import ConsoleChangeList, ExactSearchMixin, ReadOnlyAdmin
from config.base.panels import Place, Visit
from members.admin.base import channel_name, colleague
from members.admin.search import members_named
from members.models import Channel, Identifier, IdentifierKind, Member

STATUS_COLOURS = {
    "active": "success", "frozen": "warning", "closed": "danger", "erased": "danger",
    "merged": "info",
}  # fmt: skip

TABS = (
    (Place.MEMBER_OVERVIEW, _("Overview")),
    (Place.MEMBER_POINTS, _("Points")),
    (Place.MEMBER_ORDERS, _("Orders")),
    (Place.MEMBER_TIER, _("Tier")),
    (Place.MEMBER_PROFILE, _("Profile")),
)


class ChannelFilter(admin.SimpleListFilter):
    """The known channels to choose from; asking which there are would read all members."""

    title = _("enrolment channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """Return the channels with their names."""
        return Channel.choices

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Member]
    ) -> models.QuerySet[Member]:
        """Return the members who joined by the chosen channel."""
        chosen = self.value()
        return queryset.filter(channel=chosen) if chosen else queryset


class MemberChangeList(ConsoleChangeList):
    """The member list with the columns that upper apps add, read once for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then each added column for all its members."""
        super().get_results(request)
        found: list[Any] = list(self.result_list)  # type: ignore[has-type]  # Unfold has no types
        self.result_list = found
        at = clock.now()
        added = {column.code: column.read(found, at) for column in panels.columns(request)}
        for member in found:
            member.added = {code: values.get(member.pk, "–") for code, values in added.items()}


def _added(column: panels.Column) -> Callable[[Any], Any]:
    def show(member: Any) -> Any:
        return member.added[column.code]

    show.__name__ = column.code
    show.short_description = column.title  # type: ignore[attr-defined]  # Django's own way
    return show


@admin.register(Member)
class MemberAdmin(ExactSearchMixin, ReadOnlyAdmin):
    """The list in which customer service finds members, and the page of one."""

    list_filter = ("status", ChannelFilter)
    sortable_by = ("card", "joined_at")
    search_help_text = _("Phone, last four digits, card number, full name, external id or order")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Member]:
        """Return members with what their list and page show of them."""
        rows: models.QuerySet[Member] = super().get_queryset(request)
        return rows.select_related("profile", "home_store", "merged_into", "account_manager")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns of the list, those of upper apps after the member's own."""
        added = [_added(column) for column in panels.columns(request)]
        return ["card", "name", *added, "status_label", "channel_name", "home_store", "joined_at"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[MemberChangeList]:
        """Return the list with added columns."""
        return MemberChangeList

    def find(self, rows: models.QuerySet[Any], term: str) -> models.QuerySet[Any]:
        """Return the members that the term leads to."""
        return rows.filter(pk__in=members_named(term))

    @admin.display(description=_("card number"), ordering="card_number")
    def card(self, member: Member) -> str:
        """Return the card number in groups of four."""
        return formats.card(member.card_number)

    @admin.display(description=pgettext_lazy("person", "name"))
    def name(self, member: Member) -> str:
        """Return the masked name."""
        return masked_name(member)

    @labelled(_("status"), STATUS_COLOURS)
    def status_label(self, member: Member) -> tuple[str, str]:
        """Return the status with its colour."""
        return member.status, member.get_status_display()

    @admin.display(description=_("enrolment channel"), ordering="channel")
    def channel_name(self, member: Member) -> str:
        """Return the channel's name."""
        return channel_name(member.channel)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the member page."""
        if not self.has_view_permission(request) or request.method == "POST":
            raise PermissionDenied
        return self.shown(request, object_id, extra_context or {})

    def shown(
        self, request: HttpRequest, object_id: str, extra_context: Mapping[str, Any]
    ) -> HttpResponse:
        """Return the page of one member, with what somebody adds to it.

        Raises: Http404.
        """
        member = self.get_object(request, object_id)
        if member is None:
            raise Http404
        visit = Visit(request, clock.now(), member)
        context = {
            **self.admin_site.each_context(request),
            **extra_context,
            **member_header(member, visit),
            "opts": self.opts,
            "original": member,
            "title": masked_name(member) or formats.card(member.card_number),
            "aside": panels.render(Place.MEMBER_ASIDE, visit),
            "figures": panels.render(Place.MEMBER_FIGURES, visit),
            "badges": panels.render(Place.MEMBER_BADGES, visit),
            "warnings": panels.render(Place.MEMBER_WARNINGS, visit),
            "header_lines": panels.render(Place.MEMBER_HEADER, visit),
            "groups": panels.grouped(panels.links(visit)),
            "phone_tail": phone_tail(visit),
            "may_reveal": visit.may("members.reveal_member"),
            "tabs": [
                {"code": place.value, "title": title, "panels": panels.render(place, visit)}
                for place, title in TABS
            ],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/console/member.html", context)


def masked_name(member: Member) -> str:
    """Return the member's masked name; empty where none is known."""
    profile = getattr(member, "profile", None)
    return profile.name_mask if profile else ""


def identifiers_of(visit: Visit) -> list[Identifier]:
    """Return what leads, or has led, to the member; those in use first."""
    rows = Identifier.objects.filter(member_id=visit.subject.pk)
    return visit.once("identifiers", lambda: list(rows.order_by("-ended_at", "kind", "-id")))


def phone_tail(visit: Visit) -> str:
    """Return the last digits of the member's phone; empty where none is known."""
    for row in identifiers_of(visit):
        if row.kind == IdentifierKind.PHONE and row.ended_at is None:
            return row.tail4
    return ""


def member_header(member: Member, visit: Visit) -> dict[str, Any]:
    """Return what the top of the member page says."""
    joined = clock.local_day(member.joined_at)
    today = clock.local_day(visit.at)
    months = max(0, (today.year - joined.year) * 12 + today.month - joined.month)
    if clock.add_months(joined, months) > today:
        months -= 1
    return {
        "member": member,
        "name": masked_name(member),
        "status_colour": STATUS_COLOURS.get(member.status, "info"),
        "channel": channel_name(member.channel),
        "agent": colleague(member.account_manager) if member.account_manager else "",
        "tenure_years": max(0, months) // 12,
        "tenure_months": max(0, months) % 12,
    }
