"""What the coupons of one template say: what they take off, from what, and on which conditions.

Units: money in minor units, shares in hundredths of a percent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base import conditions
from config.base.conditions import Node
from config.base.errors import DomainError
from rewards.domain import fields

# Imported for what it does: conditions are read with the fields that it registers.
ORDER_SCOPES: Final = (fields.ORDER_FIELDS[0].scope, fields.MEMBER_FIELDS[0].scope)
LINE_SCOPES: Final = (fields.LINE_FIELDS[0].scope,)
MEMBER_SCOPE: Final = fields.MEMBER_FIELDS[0].scope

WHOLE: Final = 10_000


class Kind(StrEnum):
    """What a coupon takes off."""

    AMOUNT = "amount"
    PERCENT = "percent"
    FREE_ITEM = "free_item"
    FREE_SHIPPING = "free_shipping"


class Stacking(StrEnum):
    """What a coupon does beside others on one order."""

    ALONE = "alone"
    OTHERS = "others"
    ANY = "any"


class CouponTermsError(DomainError):
    """Terms that say nothing, or contradict themselves; `field` names where."""

    def __init__(self, code: str, field: str, message: str | Promise) -> None:
        super().__init__(code, message, field=field)
        self.field = field


@dataclass(frozen=True, slots=True)
class CouponTerms:
    """The terms of a template, read once; they do not change after its first coupon was issued."""

    template: str
    kind: Kind
    amount: int = 0
    percent_bp: int = 0
    max_discount: int | None = None
    free_sku: str = ""
    min_spend: int = 0
    conditions: Node | None = None
    line_conditions: Node | None = None
    is_first_order_only: bool = False
    stacking: Stacking = Stacking.ALONE
    uses_per_member: int | None = None

    def __post_init__(self) -> None:
        if self.kind is Kind.AMOUNT and self.amount <= 0:
            raise _refused("amount_missing", "amount", _("Say how much the coupon takes off."))
        if self.kind is Kind.PERCENT and not 0 < self.percent_bp <= WHOLE:
            message = _("Say a percentage above 0 and at most 100.")
            raise _refused("percent_missing", "percent", message)
        if self.kind is Kind.FREE_ITEM and not self.free_sku:
            raise _refused("free_sku_missing", "free_sku", _("Say which article is free."))
        if self.min_spend < 0:
            raise _refused("min_spend_negative", "min_spend", _("Must not be negative."))
        if self.max_discount is not None and self.max_discount <= 0:
            raise _refused("max_discount_not_positive", "max_discount", _("Must be above 0."))

    @property
    def member_conditions(self) -> Node | None:
        """Return the part of the conditions that can be tested before there is an order.

        Source: RWD-08 (what is for some members only is refused to others).
        """
        if self.conditions is None:
            return None
        whole = self.conditions
        items = whole.items if isinstance(whole, conditions.All) else (whole,)
        found = tuple(item for item in items if _is_of_member(item))
        return conditions.All(found) if found else None


def parse_conditions(data: object) -> Node | None:
    """Read what must hold of the order and the member; nothing is no condition.

    Raises: ConditionError.
    """
    return None if data is None else conditions.parse(data, ORDER_SCOPES)


def parse_line_conditions(data: object) -> Node | None:
    """Read which lines the coupon is for; nothing is all goods and services.

    Raises: ConditionError.
    """
    return None if data is None else conditions.parse(data, LINE_SCOPES)


def _is_of_member(node: Node) -> bool:
    return all(leaf.field.scope == MEMBER_SCOPE for leaf in conditions.leaves(node))


def _refused(code: str, field: str, message: str | Promise) -> CouponTermsError:
    return CouponTermsError(code, field, message)
