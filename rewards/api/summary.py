"""The summary of a member, for tills and desks."""

import uuid
from collections.abc import Collection
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import conditional, cursors
from config.base.names import in_active_language
from members import words as member_words
from members.api.views import PATH, MemberNotFoundError, TouchpointEndpoint
from rewards import summaries, words
from rewards.api import openapi_summary as openapi
from rewards.api.representation import points_json
from rewards.balances import Expiring
from rewards.domain import coupon_codes
from rewards.queries import TierReading
from rewards.summaries import Summary, UsableCoupon
from tiers.api.representation import benefit_json, current_json, outlook_json


class SummaryView(TouchpointEndpoint):
    """One call for a till or a desk. Source: SVC-01."""

    scopes = {"GET": "members:read"}
    member_token = {"GET": PATH}

    @openapi.get_summary
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return who the member is, masked, and all that can be used or should be known."""
        cursors.check_parameters(request.query_params, ())
        summary = summaries.summary_of(public_id, at=self.at())
        if summary is None:
            raise MemberNotFoundError
        return conditional.answer(request, summary_json(summary, self.key_of(request).scopes))


def summary_json(summary: Summary, scopes: Collection[str]) -> dict[str, Any]:
    """Return a summary in the reader's language; points and coupons where the key may read them."""
    member = summary.member
    expiring = [each for each in summary.points.expiring if each.on is not None]
    body = {
        "member": {
            "id": member.public_id,
            "card_number": member.card_number,
            "status": member.status,
            "name": summary.name_mask,
            "phone_tail": summary.phone_tail or None,
            "joined_at": member.joined_at,
        },
        "tier": _tier(summary.tier),
        "benefits": [benefit_json(each) for each in summary.benefits],
        "open_cases": summary.open_cases,
        "account_manager": summary.account_manager and {"name": summary.account_manager},
        "events": [
            {"kind": kind, "text": member_words.event(kind), "occurred_at": at}
            for kind, at in summary.events
        ],
        "warnings": [{"code": code, "text": words.warning(code)} for code in summary.warnings],
    }
    if "points:read" in scopes:
        points = points_json(summary.points)
        body["points"] = {**points, "next_expiry": _next_expiry(expiring)}
    if "coupons:read" in scopes:
        body["coupons"] = [_coupon(each) for each in summary.coupons]
    return body


def _tier(reading: TierReading | None) -> dict[str, Any] | None:
    if reading is None:
        return None
    current = reading.current
    return {"current": current_json(current), **outlook_json(current, reading.outlook)}


def _next_expiry(expiring: list[Expiring]) -> dict[str, Any] | None:
    return {"on": expiring[0].on, "points": expiring[0].points} if expiring else None


def _coupon(coupon: UsableCoupon) -> dict[str, Any]:
    return {
        "code": coupon_codes.for_people(coupon.code),
        "template": coupon.template,
        "name": in_active_language(zh=coupon.name_zh, en=coupon.name_en),
        "kind": coupon.kind,
        "expires_at": coupon.expires_at,
    }
