"""Coupon templates as staff keep them: what they say is fixed once a coupon was issued."""

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from rewards.domain.coupon_terms import CouponTermsError
from rewards.models import CouponTemplate
from rewards.services.coupon_terms import terms_of

# What may be changed at any time: names, how many there are, who gets them, and whether at all.
OPEN_FIELDS: Final = frozenset(
    {
        "name_zh", "name_en", "terms_zh", "terms_en", "max_issued", "is_claimable",
        "claims_per_member", "is_active",
    }
)  # fmt: skip


class CouponTermsFrozenError(DomainError):
    """Coupons of the template are out: what they say can no longer be changed."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(
            "coupon_terms_frozen",
            _("Coupons of this template have been issued: their terms stay as they are."),
            409,
            fields=fields,
        )


def check(template: CouponTemplate) -> None:
    """Refuse a template that says nothing, or contradicts itself.

    Raises: CouponTermsError, ConditionError.
    """
    terms_of(template)
    if template.is_first_order_only and template.is_bearer:
        message = _("A code for whoever has it cannot ask for a first order.")
        raise CouponTermsError("bearer_has_no_orders", "is_first_order_only", message)
    ends_before_start = (
        template.valid_from is not None
        and template.valid_until is not None
        and template.valid_until <= template.valid_from
    )
    if ends_before_start:
        raise CouponTermsError("ends_before_start", "valid_until", _("Ends before it begins."))
    if template.max_issued is not None and template.max_issued < template.issued:
        message = _("More than this many have been issued already.")
        raise CouponTermsError("max_issued_too_low", "max_issued", message)


@transaction.atomic
def create(*, values: Mapping[str, Any]) -> CouponTemplate:
    """Make a template.

    Raises: CouponTermsError, ConditionError.
    """
    template = CouponTemplate(**values)
    check(template)
    template.save(force_insert=True)
    return template


@transaction.atomic
def update(*, template: int, values: Mapping[str, Any]) -> CouponTemplate:
    """Change a template; its terms only as long as no coupon of it was issued.

    Raises: CouponTermsFrozenError, CouponTermsError, ConditionError.
    """
    row = CouponTemplate.objects.select_for_update(no_key=True).get(pk=template)
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    frozen = sorted(set(changed) - OPEN_FIELDS)
    if frozen and row.issued:
        raise CouponTermsFrozenError(frozen)
    for name in changed:
        setattr(row, name, values[name])
    check(row)
    if changed:
        row.save(update_fields=changed)
    return row
