"""Lists of rows that belong to members."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.base.admin import formats
from config.base.admin.options import ExactSearchMixin, ReadOnlyAdmin
from config.base.admin.paginator import COUNT_LIMIT
from members.admin.search import members_named
from members.models import Channel

MOST_OWNED: Final = 1_000
"""So many rows of the members whom a term names are listed."""


def member_link(member_id: int, card_number: str) -> SafeString:
    """Return a link to the member's page that shows the card number."""
    address = reverse("admin:members_member_change", args=[member_id])
    return format_html('<a class="lc-link" href="{}">{}</a>', address, formats.card(card_number))


def channel_name(code: str) -> str:
    """Return a channel's name for people; the code itself where it is not one of ours."""
    return str(Channel(code).label) if code in Channel.values else code


def colleague(user: User) -> str:
    """Return how colleagues call somebody."""
    return f"{user.last_name}{user.first_name}".strip() or user.get_username()


class MemberOwnedAdmin(ExactSearchMixin, ReadOnlyAdmin):
    """Rows of members: found by whatever leads to the member, or by a reference of their own.

    `own_references` are indexed columns that a search term is compared with as a whole; `owner` is
    how an index leads from members to their rows.
    """

    list_select_related: Sequence[str] = ("member",)
    own_references: Sequence[str] = ()
    owner = "member_id"
    # Ordering a big table by a column without an index would read all of it.
    sortable_by: Sequence[str] = ()
    search_help_text = _("Phone, last four digits, card number, full name, external id or order")

    def find(self, rows: models.QuerySet[Any], term: str) -> models.QuerySet[Any]:
        """Return the rows that carry the term as a reference, or belong to the member it names."""
        for column in self.own_references:
            named = rows.filter(**{column: term})
            if named.exists():
                return named
        return rows.filter(pk__in=self._owned(rows, members_named(term)))

    def _owned(self, rows: models.QuerySet[Any], members: Sequence[int]) -> list[int]:
        """Return the newest rows of members, as their index finds them.

        Asked for in the list's order at once, the server reads the whole table from its end where
        it takes the members' rows for many.
        """
        of_them = rows.order_by().filter(**{f"{self.owner}__in": members})
        return sorted(of_them.values_list("pk", flat=True)[:COUNT_LIMIT], reverse=True)[:MOST_OWNED]

    @admin.display(description=_("member"))
    def member_card(self, row: Any) -> str:
        """Return the member's card number as a link to the member's page."""
        if row.member_id is None:
            return "–"
        return member_link(row.member_id, row.member.card_number)
