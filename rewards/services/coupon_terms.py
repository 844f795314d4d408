"""Terms of coupons out of stored templates, read once per content."""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import orjson

from config.base import money
from rewards.domain import coupon_terms
from rewards.domain.coupon_terms import CouponTerms, Kind, Stacking
from rewards.domain.coupons import CouponState
from rewards.models import Coupon, CouponTemplate


def terms_of(template: CouponTemplate) -> CouponTerms:
    """Return what a template says.

    Raises: ConditionError, CouponTermsError for one that was not checked.
    """
    return _terms(
        (template.code, template.kind, template.stacking, template.free_sku),
        (template.amount, template.percent, template.max_discount, Decimal(template.min_spend)),
        _text(template.conditions),
        _text(template.line_conditions),
        template.is_first_order_only,
        template.uses_per_member,
    )


def state_of(
    coupon: Coupon, *, is_theirs: bool = True, member_uses: int = 0, held_by_us: int = 0
) -> CouponState:
    """Return a stored coupon with its template as the domain judges it."""
    return CouponState(
        coupon.code,
        terms_of(coupon.template),
        valid_from=coupon.valid_from,
        expires_at=coupon.expires_at,
        max_uses=coupon.max_uses,
        held=coupon.held - held_by_us,
        used=coupon.used,
        is_revoked=coupon.revoked_at is not None,
        is_theirs=is_theirs,
        member_uses=member_uses,
    )


def first_end(*ends: datetime | None) -> datetime | None:
    """Return the earliest of the ends that there are."""
    return min((end for end in ends if end is not None), default=None)


@lru_cache(maxsize=1_024)
def _terms(
    names: tuple[str, str, str, str],
    amounts: tuple[Decimal | None, Decimal | None, Decimal | None, Decimal],
    order: bytes | None,
    lines: bytes | None,
    is_first_order_only: bool,
    uses_per_member: int | None,
) -> CouponTerms:
    code, kind, stacking, free_sku = names
    amount, percent, max_discount, min_spend = amounts
    return CouponTerms(
        template=code,
        kind=Kind(kind),
        amount=0 if amount is None else money.to_minor(amount),
        percent_bp=0 if percent is None else int(percent * 100),
        max_discount=None if max_discount is None else money.to_minor(max_discount),
        free_sku=free_sku,
        min_spend=money.to_minor(min_spend),
        conditions=coupon_terms.parse_conditions(order and orjson.loads(order)),
        line_conditions=coupon_terms.parse_line_conditions(lines and orjson.loads(lines)),
        is_first_order_only=is_first_order_only,
        stacking=Stacking(stacking),
        uses_per_member=uses_per_member,
    )


def _text(data: object) -> bytes | None:
    return None if data is None else orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
