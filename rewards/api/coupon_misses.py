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
from rewards.services.coupon_refusals import CouponMistypedError, CouponUnknownError

Handler = Callable[..., Response]


def counts_misses(handler: Handler) -> Handler:
    """Make a handler count unknown codes, and refuse a touchpoint that has tried too many.

    The refusal is returned, not raised: what is raised undoes the count.
    """

    @functools.wraps(handler)
    def counting(view: TouchpointEndpoint, request: Request, *args: Any, **kwargs: Any) -> Response:
        touchpoint = view.key_of(request).touchpoint
        if not _names_coupons(request.data):
            return handler(view, request, *args, **kwargs)
        coupon_misses.check(touchpoint, view.at())
        try:
            with transaction.atomic():
                return handler(view, request, *args, **kwargs)
        except (CouponUnknownError, CouponMistypedError) as error:
            coupon_misses.count(touchpoint, 1, view.at())
            return problems.response(problems.of_error(error))

    return counting


def _names_coupons(data: Any) -> bool:
    return isinstance(data, dict) and bool(data.keys() & {"code", "coupons"})
