"""Fields that earning rules may test, and the facts of an order for them."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.utils.translation import gettext_lazy as _

from config.base.conditions import Field, FieldType, fields
from rewards.domain import cart

_KINDS: Final = (
    (cart.GOODS, _("Goods")),
    (cart.SERVICE, _("Service")),
    (cart.SHIPPING, _("Shipping")),
    (cart.FEE, _("Fee")),
    (cart.GIFT_CARD, _("Gift card")),
)

ORDER_FIELDS: Final = (
    Field("order.channel", FieldType.STRING, _("Channel")),
    Field("order.store", FieldType.STRING, _("Store")),
    Field("order.source", FieldType.STRING, _("Source")),
    Field("order.net", FieldType.MONEY, _("Net amount of the order")),
    Field("order.spend", FieldType.MONEY, _("Net amount of goods and services")),
    Field("order.lines", FieldType.INTEGER, _("Number of lines")),
    Field("order.date", FieldType.DATE, _("Day of the order")),
    Field("order.weekday", FieldType.INTEGER, _("Weekday of the order (1 = Monday)")),
    Field("order.day", FieldType.INTEGER, _("Day of the month of the order")),
    Field("order.month", FieldType.INTEGER, _("Month of the order")),
    Field("order.hour", FieldType.INTEGER, _("Hour of the order")),
)

LINE_FIELDS: Final = (
    Field("line.sku", FieldType.STRING, _("SKU")),
    Field("line.kind", FieldType.CHOICE, _("Kind of line"), choices=_KINDS),
    Field("line.category", FieldType.STRING, _("Category")),
    Field("line.brand", FieldType.STRING, _("Brand")),
    Field("line.quantity", FieldType.DECIMAL, _("Quantity sold"), scale=3),
    Field("line.amount", FieldType.MONEY, _("Amount sold")),
)

# The attribute of a line behind each field: the only names that generated code reads from it.
LINE_ATTRIBUTES: Final = MappingProxyType(
    {
        "line.sku": "sku",
        "line.kind": "kind",
        "line.category": "category",
        "line.brand": "brand",
        "line.quantity": "quantity",
        "line.amount": "amount",
    }
)

MEMBER_FIELDS: Final = (
    Field("member.tier", FieldType.STRING, _("Tier")),
    Field("member.rank", FieldType.INTEGER, _("Rank of the tier")),
    Field("member.segments", FieldType.STRING_SET, _("Segments")),
    Field("member.birthday_month", FieldType.INTEGER, _("Month of the birthday")),
    Field("member.tenure_days", FieldType.INTEGER, _("Days since enrolment")),
)

INTERACTION_FIELDS: Final = (
    Field("interaction.kind", FieldType.STRING, _("Kind of interaction")),
    Field("interaction.source", FieldType.STRING, _("Source of the interaction")),
    Field("interaction.date", FieldType.DATE, _("Day of the interaction")),
    Field("interaction.weekday", FieldType.INTEGER, _("Weekday of the interaction (1 = Monday)")),
    Field("interaction.month", FieldType.INTEGER, _("Month of the interaction")),
    Field("interaction.streak", FieldType.INTEGER, _("Days in a row, with this one")),
    Field("interaction.verified", FieldType.BOOLEAN, _("Interaction verified by its system")),
)

fields.register(*ORDER_FIELDS, *LINE_FIELDS, *MEMBER_FIELDS, *INTERACTION_FIELDS)
fields.register_family("member.attributes", _("Member attribute"))


def order_facts(
    version: cart.OrderVersion, *, source: str, net: int, spend: int, local: datetime
) -> dict[str, object]:
    """Return the `order.*` facts; `local` is `placed_at` on the programme's own clock.

    Units: net and spend in minor units.
    """
    return {
        "order.channel": version.channel or None,
        "order.store": version.store or None,
        "order.source": source,
        "order.net": net,
        "order.spend": spend,
        "order.lines": len(version.lines),
        "order.date": local.date(),
        "order.weekday": local.isoweekday(),
        "order.day": local.day,
        "order.month": local.month,
        "order.hour": local.hour,
    }


def line_facts(line: cart.Line) -> dict[str, object]:
    """Return the `line.*` facts of one line."""
    return {name: getattr(line, attribute) for name, attribute in LINE_ATTRIBUTES.items()}


def interaction_facts(
    *,
    kind: str,
    source: str,
    local: datetime,
    streak: int | None = None,
    is_verified: bool = False,
) -> dict[str, object]:
    """Return the `interaction.*` facts; `local` is `occurred_at` on the programme's own clock."""
    return {
        "interaction.kind": kind,
        "interaction.source": source,
        "interaction.date": local.date(),
        "interaction.weekday": local.isoweekday(),
        "interaction.month": local.month,
        "interaction.streak": streak,
        "interaction.verified": is_verified,
    }
