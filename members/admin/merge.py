"""Merges of members: the list, and the part of the member page that tells of them."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.base.admin.options import ReadOnlyAdmin
from config.base.panels import Visit
from members.admin.base import member_link
from members.models import MemberMerge
from members.services import notes


@admin.register(MemberMerge)
class MemberMergeAdmin(ReadOnlyAdmin):
    """Which members were merged into which, by whom, and what was undone."""

    list_display = ("away_card", "into_card", "moved_points", "at", "actor", "undone_at")
    list_select_related = ("away", "into")
    sortable_by = ()
    exclude = ("note", "undone_note", "details")

    @admin.display(description=_("merged member"))
    def away_card(self, merge: MemberMerge) -> str:
        """Return the card of the member that is gone, as a link to its page."""
        return member_link(merge.away_id, merge.away.card_number)

    @admin.display(description=_("survivor"))
    def into_card(self, merge: MemberMerge) -> str:
        """Return the card of the member that stays, as a link to its page."""
        return member_link(merge.into_id, merge.into.card_number)


def merges(visit: Visit) -> Mapping[str, Any] | None:
    """Show the merges that the member took part in, the latest first; nothing where none did."""
    member = visit.subject.pk
    rows = MemberMerge.objects.filter(Q(away_id=member) | Q(into_id=member))
    found = list(rows.select_related("away", "into").order_by("-at", "-id"))
    if not found:
        return None
    return {
        "merges": [
            {
                "row": row,
                "note": notes.read(member=row.into_id, sealed=row.note),
                "undone_note": notes.read(member=row.into_id, sealed=row.undone_note),
            }
            for row in found
        ]
    }
