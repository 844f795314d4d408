"""Coupon templates and coupons, issued by the service that issues them in production."""

import itertools
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from members.models import Member
from rewards.models import Coupon, CouponTemplate
from rewards.services import coupon_batches, coupon_templates, coupons

_numbers = itertools.count(1)


def template(code: str = "", **values: Any) -> CouponTemplate:
    """Make a template, 20 off if nothing else is said."""
    code = code or f"coupon-{next(_numbers)}"
    defaults = {"code": code, "name_zh": f"券{code}", "name_en": f"Coupon {code}"}
    terms = {} if "kind" in values else {"kind": "amount", "amount": Decimal(20)}
    return coupon_templates.create(values={**defaults, **terms, **values})


def coupon(
    member: Member, of: CouponTemplate | None = None, *, at: datetime, **values: Any
) -> Coupon:
    """Give a member a coupon of a template, a new one if none is named."""
    with transaction.atomic():
        (made,) = coupons.issue(
            template=of or template(**values), member=member.pk, count=1, at=at, actor="test"
        )
    return made


def bearer(*, at: datetime, count: int = 1, **values: Any) -> list[Coupon]:
    """Make codes for whoever has them."""
    of = template(is_bearer=True, **values)
    coupon_batches.generate(template=of, count=count, name="codes", at=at, actor="test")
    return list(Coupon.objects.filter(template=of).select_related("template").order_by("pk"))


def pool(*, at: datetime, count: int, **values: Any) -> CouponTemplate:
    """Make a template with a pool of codes that members may claim."""
    of = template(is_claimable=True, **values)
    coupon_batches.generate(template=of, count=count, name="pool", at=at, actor="test")
    return of
