"""Coupons: what other services call. Each part has a module of its own."""

from rewards.services.coupon_issue import (
    CouponTemplateExhaustedError,
    CouponTemplateInactiveError,
    CouponTemplateNotFoundError,
    issue,
    lock_templates,
)

__all__ = [
    "CouponTemplateExhaustedError",
    "CouponTemplateInactiveError",
    "CouponTemplateNotFoundError",
    "issue",
    "lock_templates",
]
