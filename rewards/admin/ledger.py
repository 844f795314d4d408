"""Accounts, entries, lots: the ledger to read, never to write."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.base.admin import formats
from config.base.admin.options import ReadOnlyAdmin
from members.admin.base import MemberOwnedAdmin
from rewards import words
from rewards.models import (
    Entry,
    Evaluation,
    FoldSnapshot,
    Lot,
    LotUse,
    MergedLot,
    PointsAccount,
)

Column = Callable[[Any, Any], str]


def points_column(name: str, title: Any) -> Column:
    """Return a list column that shows points with thousands apart."""

    @admin.display(description=title, ordering=name)
    def column(_admin: Any, row: Any) -> str:
        return formats.points(getattr(row, name))

    return column


@admin.register(PointsAccount)
class PointsAccountAdmin(MemberOwnedAdmin):
    """Balances."""

    list_display = (
        "member_card", "available_points", "pending_points", "reserved_points", "debt_points",
        "last_fact_at", "next_due_at",
    )  # fmt: skip
    available_points = points_column("available", _("available"))
    pending_points = points_column("pending", _("pending"))
    reserved_points = points_column("reserved", _("reserved"))
    debt_points = points_column("debt", _("debt"))


@admin.register(Entry)
class EntryAdmin(MemberOwnedAdmin):
    """Every movement of points."""

    list_display = (
        "occurred_at", "member_card", "movement", "signed_points", "reason_name", "order", "rule",
        "actor", "seq",
    )  # fmt: skip
    list_select_related = ("member", "order", "rule__rule")
    owner = "account__member_id"
    shown_last = ("hash_text",)

    def find(self, rows: models.QuerySet[Entry], term: str) -> models.QuerySet[Entry]:
        """Return the entries of an order, or of the member that the term names."""
        of_order = rows.filter(order__order_no=term)
        return of_order if of_order.exists() else super().find(rows, term)

    @admin.display(description=_("movement"))
    def movement(self, entry: Entry) -> str:
        """Return what happened."""
        return words.movement(entry.source, entry.target)

    @admin.display(description=_("points"))
    def signed_points(self, entry: Entry) -> str:
        """Return the points as a change of all that the member has."""
        change = words.change(entry.source, entry.target, entry.points)
        return formats.signed(change) if change else formats.points(entry.points)

    @admin.display(description=_("reason"))
    def reason_name(self, entry: Entry) -> str:
        """Return why."""
        return words.reason(entry.reason)

    @admin.display(description=_("hash"))
    def hash_text(self, entry: Entry) -> str:
        """Return the link of the chain."""
        return bytes(entry.hash).hex()


@admin.register(Lot)
class LotAdmin(MemberOwnedAdmin):
    """Issues of points, each with its expiry."""

    list_display = (
        "earned_at", "member_card", "lot_points", "lot_remaining", "is_pending", "available_at",
        "expires_at", "order",
    )  # fmt: skip
    list_select_related = ("member", "order")
    owner = "entry__account__member_id"
    lot_points = points_column("points", _("points"))
    lot_remaining = points_column("remaining", _("remaining"))


@admin.register(LotUse)
class LotUseAdmin(MemberOwnedAdmin):
    """Which entry took what from which lot."""

    list_display = ("member_card", "entry", "lot", "points")
    list_select_related = ("member", "entry", "lot")
    owner = "entry__account__member_id"


@admin.register(MergedLot)
class MergedLotAdmin(ReadOnlyAdmin):
    """Which lots a merge has made of which."""

    list_display = ("merge", "from_lot", "lot")
    list_select_related = ("merge", "from_lot", "lot")
    sortable_by = ()


@admin.register(Evaluation)
class EvaluationAdmin(MemberOwnedAdmin):
    """What each fact made of its order, and why."""

    list_display = ("member_card", "order", "points", "delta", "decided_at")
    list_select_related = ("member", "order")
    owner = "fact__member_id"


@admin.register(FoldSnapshot)
class FoldSnapshotAdmin(MemberOwnedAdmin):
    """Where members' histories have been folded to."""

    list_display = ("member_card", "review_due_at")
    ordering = ("-member_id",)
