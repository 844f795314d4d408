"""Orders, refunds, interactions, events: what was reported and what came of it."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from config.base import clock, panels
from config.base.admin import formats
from config.base.admin.decorators import labelled
from config.base.admin.options import ConsoleAdmin, ReadOnlyAdmin
from config.base.panels import Place
from members.admin.base import MemberOwnedAdmin, channel_name
from members.models import (
    EventDelivery,
    Interaction,
    InteractionKind,
    MemberEvent,
    Order,
    OrderLine,
    OrderMove,
    ReceivedFact,
    Refund,
    Subscription,
)


class ReadOnlyInline(TabularInline):  # type: ignore[misc]  # Unfold has no types
    """Rows below a page that nobody edits."""

    extra = 0
    can_delete = False
    hide_title = True
    per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse."""
        return False


class OrderLineInline(ReadOnlyInline):
    """What an order sold."""

    model = OrderLine
    fields = ("line_no", "sku", "kind", "category", "brand", "quantity", "line_amount", "earns")
    readonly_fields = fields
    ordering = ("line_no",)

    @admin.display(description=_("amount"))
    def line_amount(self, line: OrderLine) -> str:
        """Return what the line was sold for."""
        return formats.money(line.amount)


class RefundInline(ReadOnlyInline):
    """What came back."""

    model = Refund
    fields = ("refund_no", "refunded_at", "amount", "points")
    readonly_fields = fields
    ordering = ("refunded_at",)


@admin.register(Order)
class OrderAdmin(MemberOwnedAdmin):
    """Orders as they now stand."""

    own_references = ("order_no",)
    list_display = (
        "order_no", "source", "member_card", "placed_at", "status_label", "net", "store", "version",
    )  # fmt: skip
    list_select_related = ("member", "store")
    concealed = ("channel", "sold_amount", "net_amount", "qualifying_amount")
    shown_last = ("channel_label", "sold", "net", "qualifying")
    inlines = (OrderLineInline, RefundInline)
    change_form_outer_after_template = "admin/members/order_panels.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the order, and below it what upper apps have to say."""
        order = self.get_object(request, object_id)
        visit = panels.Visit(request, clock.now(), order)
        may_see = order is not None and self.has_view_permission(request)
        context = {"order_panels": panels.render(Place.ORDER, visit) if may_see else []}
        response: HttpResponse = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **context}
        )
        return response

    @admin.display(description=_("channel"))
    def channel_label(self, order: Order) -> str:
        """Return the channel's name."""
        return channel_name(order.channel)

    @labelled(_("status"), {"paid": "success", "cancelled": "danger"})
    def status_label(self, order: Order) -> tuple[str, str]:
        """Return the status with its colour."""
        return order.status, order.get_status_display()

    @admin.display(description=_("sold"))
    def sold(self, order: Order) -> str:
        """Return what was sold, before refunds."""
        return formats.money(order.sold_amount)

    @admin.display(description=_("net paid amount"))
    def net(self, order: Order) -> str:
        """Return what is left after refunds."""
        return formats.money(order.net_amount)

    @admin.display(description=_("qualifying amount"))
    def qualifying(self, order: Order) -> str:
        """Return what counts for tiers."""
        return formats.money(order.qualifying_amount)


@admin.register(OrderLine)
class OrderLineAdmin(MemberOwnedAdmin):
    """Lines of orders."""

    list_display = ("order", "line_no", "sku", "kind", "category", "brand", "quantity", "amount")
    list_select_related = ("order",)
    owner = "order__member_id"


@admin.register(Refund)
class RefundAdmin(MemberOwnedAdmin):
    """Refunds as sent."""

    list_display = ("refund_no", "order", "member_card", "refunded_at", "amount", "points")
    list_select_related = ("order", "member")


@admin.register(Interaction)
class InteractionAdmin(MemberOwnedAdmin):
    """What members did besides buying."""

    own_references = ("ref",)
    list_display = ("ref", "source", "kind", "member_card", "occurred_at")


@admin.register(InteractionKind)
class InteractionKindAdmin(ConsoleAdmin):
    """The kinds of interaction that the programme knows."""

    list_display = ("code", "name_zh", "name_en", "is_behaviour", "needs_moderation", "keep_days")
    search_fields = ("code", "name_zh", "name_en")

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse: past interactions name their kind."""
        return False


@admin.register(ReceivedFact)
class ReceivedFactAdmin(MemberOwnedAdmin):
    """What touchpoints reported, as received."""

    own_references = ("ref",)
    list_display = (
        "ref", "kind", "source", "version", "state_label", "member_card", "acts_at", "received_at",
    )  # fmt: skip

    @labelled(
        _("state"),
        {"applied": "success", "awaiting_member": "warning", "parked": "info"},
    )
    def state_label(self, fact: ReceivedFact) -> tuple[str, str]:
        """Return what has become of the fact, with its colour."""
        return fact.state, fact.get_state_display()


@admin.register(MemberEvent)
class MemberEventAdmin(MemberOwnedAdmin):
    """The event log."""

    list_display = ("kind", "member_card", "occurred_at", "recorded_at", "caused_by")


@admin.register(EventDelivery)
class EventDeliveryAdmin(ReadOnlyAdmin):
    """Events owed to followers."""

    list_display = ("follower", "event", "state_label", "attempts", "due_at", "error_code")
    list_select_related = ("event",)
    list_filter = ("state",)

    @labelled(_("state"), {"done": "success", "failed": "danger", "pending": "info"})
    def state_label(self, delivery: EventDelivery) -> tuple[str, str]:
        """Return where the delivery stands, with its colour."""
        return delivery.state, delivery.get_state_display()


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Who follows which events; the wiring decides."""

    list_display = ("kind", "follower")


@admin.register(OrderMove)
class OrderMoveAdmin(ReadOnlyAdmin):
    """Orders that staff gave to the member whose purchase they were."""

    list_display = ("moved_at", "order", "from_member", "to_member", "actor")
    list_select_related = ("order", "from_member", "to_member")
