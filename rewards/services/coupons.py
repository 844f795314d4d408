"""Coupons, as other services call them inside their own transactions.

Commands on coupons alone (claim, redeem, roll back) have modules of their own.
"""

from rewards.services.coupon_holds import hold
from rewards.services.coupon_issue import (
    CouponTemplateExhaustedError,
    CouponTemplateInactiveError,
    CouponTemplateNotFoundError,
    issue,
    issue_each,
    lock_templates,
)
from rewards.services.coupon_refusals import (
    CouponMistypedError,
    CouponNotUsableError,
    CouponUnknownError,
)
from rewards.services.coupon_revocation import revoke_of_grants

__all__ = [
    "CouponMistypedError",
    "CouponNotUsableError",
    "CouponTemplateExhaustedError",
    "CouponTemplateInactiveError",
    "CouponTemplateNotFoundError",
    "CouponUnknownError",
    "hold",
    "issue",
    "issue_each",
    "lock_templates",
    "revoke_of_grants",
]
