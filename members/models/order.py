"""Orders as they now stand; every version ever received is a `ReceivedFact`."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.append_only import AppendOnly


class OrderStatus(models.TextChoices):
    """Where an order stands; `completed` counts as paid."""

    PAID = "paid", _("Paid")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class LineKind(models.TextChoices):
    """What a line sells; only goods and services earn and qualify."""

    GOODS = "goods", _("Goods")
    SERVICE = "service", _("Service")
    SHIPPING = "shipping", _("Shipping")
    FEE = "fee", _("Fee")
    GIFT_CARD = "gift_card", _("Gift card")


class Order(models.Model):
    """One purchase of one member, at its highest version and net of its refunds."""

    source = models.CharField(_("source"), max_length=64)
    order_no = models.CharField(_("order number"), max_length=100)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="orders", verbose_name=_("member"),
        db_index=False,
    )  # fmt: skip
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, db_index=False,
        verbose_name=_("touchpoint"),
    )  # fmt: skip
    store = models.ForeignKey(
        "members.Store", models.PROTECT, null=True, blank=True, db_index=False,
        verbose_name=_("store"),
    )  # fmt: skip
    channel = models.CharField(_("channel"), max_length=16)
    version = models.BigIntegerField(_("version"))
    status = models.CharField(_("status"), max_length=10, choices=OrderStatus)
    placed_at = models.DateTimeField(_("placed at"))
    currency = models.CharField(_("currency"), max_length=3)
    sold_amount = models.DecimalField(_("sold"), max_digits=18, decimal_places=4)
    net_amount = models.DecimalField(_("net amount"), max_digits=18, decimal_places=4)
    qualifying_amount = models.DecimalField(_("qualifying amount"), max_digits=18, decimal_places=4)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(fields=["order_no", "source"], name="order_unique"),
            models.CheckConstraint(
                condition=Q(net_amount__gte=0) & Q(qualifying_amount__gte=0),
                name="order_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(status__in=OrderStatus.values), name="order_status_known"
            ),
        ]
        indexes = [
            models.Index(fields=["member", "placed_at"], name="order_member_placed"),
            models.Index(fields=["placed_at"], name="order_placed"),
        ]

    def __str__(self) -> str:
        return f"{self.source}/{self.order_no}"


class OrderLine(models.Model):
    """One line of the order's current version."""

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="lines", db_index=False, verbose_name=_("order")
    )
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False, db_constraint=False,
        verbose_name=_("member"),
    )  # fmt: skip
    line_no = models.IntegerField(_("line"))
    sku = models.CharField(_("SKU"), max_length=64)
    kind = models.CharField(_("kind"), max_length=10, choices=LineKind, default=LineKind.GOODS)
    category = models.CharField(_("category"), max_length=100, blank=True)
    brand = models.CharField(_("brand"), max_length=100, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3)
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=4)
    earns = models.BooleanField(_("earns"), default=True)
    list_amount = models.DecimalField(
        _("list amount"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    cost = models.DecimalField(_("cost"), max_digits=18, decimal_places=4, null=True, blank=True)
    discounts = models.JSONField(_("discounts"), null=True, blank=True)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.UniqueConstraint(fields=["order", "line_no"], name="order_line_unique"),
            models.CheckConstraint(
                condition=Q(quantity__gte=0) & Q(amount__gte=0), name="order_line_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_no} {self.sku}"


class Refund(models.Model):
    """One refund of an order, as sent."""

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="refunds", db_index=False, verbose_name=_("order")
    )
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    fact = models.OneToOneField("members.ReceivedFact", models.PROTECT, related_name="+")
    refund_no = models.CharField(_("refund number"), max_length=100)
    refunded_at = models.DateTimeField(_("refunded at"))
    amount = models.DecimalField(
        _("amount"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    points = models.BigIntegerField(_("points"), null=True, blank=True)
    lines = models.JSONField(_("lines"), default=list)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [models.UniqueConstraint(fields=["order", "refund_no"], name="refund_unique")]

    def __str__(self) -> str:
        return self.refund_no


class OrderMove(AppendOnly):
    """Staff gave an order to the member whose purchase it was.

    What its source reports for the one whom it had named goes on to the one who has it now.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="moves", verbose_name=_("order"))
    from_member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", verbose_name=_("from member")
    )
    to_member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", verbose_name=_("to member")
    )
    actor = models.CharField(_("actor"), max_length=80)
    moved_at = models.DateTimeField(_("moved at"))

    class Meta(AppendOnly.Meta):
        verbose_name = _("order move")
        verbose_name_plural = _("order moves")
        permissions = [("move_order", _("Can move an order to another member"))]
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_member=models.F("to_member")), name="order_move_to_another"
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.from_member_id} → {self.to_member_id}"
