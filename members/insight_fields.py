"""What segments can ask about members as customers: stage, class, bands, value, rhythm.

All of it is kept per member and minutes old at most, so asking costs one join.
Source: SEG-08, SEG-13, SEG-12, SEG-15.
"""

from collections.abc import Iterator
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.base.conditions import Column, Field, FieldType, Source, fields, sources
from members.customer_words import Band, CustomerClass, LifecycleStage

SOURCE: Final = Source("insight", "members_memberinsight")

_WORDS: Final = (
    ("stage", _("Lifecycle stage"), "stage", LifecycleStage),
    ("class", _("Customer class"), "customer_class", CustomerClass),
    ("frequency_band", _("Purchase frequency"), "frequency_band", Band),
    ("monetary_band", _("Spend band"), "monetary_band", Band),
)
_NUMBERS: Final = (
    ("days_in_stage", _("Days in the lifecycle stage"), "(%(today)s - stage_since)"),
    ("value_current", _("Current value"), "value_current"),
    ("value_potential", _("Potential value"), "value_potential"),
    ("value_total", pgettext_lazy("customer", "Value"), "value_total"),
    ("days_dormant", _("Days dormant"),
     "CASE WHEN %(today)s >= dormant_from THEN %(today)s - dormant_from END"),
    ("churn_risk", _("Churn risk"),
     "((%(today)s - last_order_on) * 100 / nullif(dormant_from - last_order_on, 0))"),
    ("days_until_dormant", _("Days until dormant"),
     "CASE WHEN %(today)s < dormant_from THEN dormant_from - %(today)s END"),
)  # fmt: skip


def install() -> None:
    """Register fields and their source; doing it again changes nothing."""
    sources.register(SOURCE)
    for field, expression in _defined():
        fields.register(field)
        sources.define(Column(field.name, SOURCE.name, expression))


def _defined() -> Iterator[tuple[Field, str]]:
    for name, label, column, words in _WORDS:
        choices: tuple[tuple[str, str | Promise], ...] = tuple(
            (str(word.value), word.label) for word in words
        )
        yield Field(f"customer.{name}", FieldType.CHOICE, label, choices=choices), column
    for name, label, expression in _NUMBERS:
        yield Field(f"customer.{name}", FieldType.INTEGER, label), expression
    gap = Field("customer.median_gap_days", FieldType.DECIMAL, _("Usual gap (days)"), scale=1)
    yield gap, "median_gap_days"
    lifetime = Field("customer.lifetime_spend", FieldType.MONEY, _("Spent so far"))
    yield lifetime, "spent_total"
