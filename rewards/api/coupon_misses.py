"""Requests that name coupon codes: those that lead nowhere are counted, whatever else is undone."""

import functools
from collections.abc import Callable
from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import problems
from members.api.views import TouchpointEndpoint
from rewards.services import coupon_misses
from rewards.services.coupon_misses import Asker
from rewards.services.coupon_refusals import CouponMistypedError, CouponUnknownError

Handler = Callable[..., Response]


def counts_misses(handler: Handler) -> Handler:
    """Make a handler count unknown codes, and refuse a touchpoint that has tried too many.

    The refusal is returned, not raised: what is raised undoes the count.
    """

    @functools.wraps(handler)
    def counting(view: TouchpointEndpoint, request: Request, *args: Any, **kwargs: Any) -> Response:
        if not _names_coupons(request.data):
            return handler(view, request, *args, **kwargs)
        asker = asker_of(view, request)
        coupon_misses.check(asker, view.at())
        try:
            with transaction.atomic():
                return handler(view, request, *args, **kwargs)
        except (CouponUnknownError, CouponMistypedError) as error:
            coupon_misses.count(asker, 1, view.at())
            return problems.response(problems.of_error(error))

    return counting


def asker_of(view: TouchpointEndpoint, request: Request) -> Asker:
    """Return who asks: the touchpoint, or the member whose token it is."""
    key = view.key_of(request)
    return Asker(key.touchpoint.pk, None if key.member is None else key.member.id)


def _names_coupons(data: Any) -> bool:
    return isinstance(data, dict) and bool(data.keys() & {"code", "coupons"})
