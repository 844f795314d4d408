"""What segments can ask about points."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from config.base.conditions import Column, Field, FieldType, Source, fields, sources

_ACCOUNT: Final = Source(
    "account",
    "SELECT member_id, available, pending, debt FROM rewards_pointsaccount WHERE kind = 'points'",
)
_LOTS: Final = Source(
    "lots",
    "SELECT member_id, remaining, expires_at FROM rewards_lot"
    " WHERE remaining > 0 AND NOT is_pending AND expires_at > %(at)s",
    is_grouped=True,
)
_BALANCES: Final = (
    ("points_available", _("Available points"), "available"),
    ("points_pending", _("Pending points"), "pending"),
    ("points_debt", _("Points debt"), "debt"),
)
_ENDING_DAYS: Final = 30


def install() -> None:
    """Register fields and sources; doing it again changes nothing."""
    sources.register(_ACCOUNT, _LOTS)
    for name, label, column in _BALANCES:
        field = Field(f"customer.{name}", FieldType.INTEGER, label)
        fields.register(field)
        sources.define(Column(field.name, _ACCOUNT.name, column, default=0))
    label = _("Points that end within 30 days")
    ending = Field("customer.points_expiring_30d", FieldType.INTEGER, label)
    fields.register(ending)
    rows = f"expires_at <= %(at)s + interval '{_ENDING_DAYS} days'"
    lots = Column(ending.name, _LOTS.name, "sum(remaining) {within}", rows, default=0)
    sources.define(lots)
