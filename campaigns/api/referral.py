"""What a member needs to bring friends, and what has become of those brought."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import referral_queries
from campaigns.api import openapi_referral as openapi
from campaigns.domain import referral_codes
from campaigns.models import ReferralProgramme
from campaigns.services import referral_codes as codes
from campaigns.services import referral_terms
from config.base.api import cursors
from members.api.views import PATH, TouchpointEndpoint, member_of
from members.models import MemberStatus
from members.services import identity


class ReferralView(TouchpointEndpoint):
    """Referrals of one member. Source: ENG-04."""

    scopes = {"GET": "members:read"}
    member_token = {"GET": PATH}

    @openapi.get_referral
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return the code, the offer and the friends; a member's first look makes the code."""
        cursors.check_parameters(request.query_params, ())
        at = self.at()
        member = member_of(public_id)
        terms = referral_terms.in_force(at)
        code = None
        if terms is not None and member.status == MemberStatus.ACTIVE:
            code = codes.code_of(member_id=member.pk, at=at).code
        line = identity.lineage(member.pk)
        body = {
            "code": None if code is None else referral_codes.for_people(code),
            "link": None if code is None or terms is None else _link(terms, code),
            "offer": None if terms is None else _offer(terms),
            "counts": referral_queries.counts(line),
            "referrals": [
                {
                    "state": each.state, "joined_at": each.joined_at,
                    "rewarded_at": each.rewarded_at,
                }
                for each in referral_queries.latest(line)
            ],
        }  # fmt: skip
        return Response(body)


def _link(terms: ReferralProgramme, code: str) -> str | None:
    return terms.link.replace(referral_terms.CODE_IN_LINK, code) or None


def _offer(terms: ReferralProgramme) -> dict[str, Any]:
    template, friend = terms.coupon_template, terms.friend_template
    return {
        "reward": terms.reward,
        "points": terms.points,
        "coupon": None if template is None else template.code,
        "amount": None if terms.amount is None else f"{terms.amount:f}",
        "friend_coupon": None if friend is None else friend.code,
        "min_amount": f"{terms.min_amount:f}",
        "valid_days": terms.valid_days,
        "return_window_days": terms.return_window_days,
    }
