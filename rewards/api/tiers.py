"""Where a member stands on the ladder, and what lies ahead."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import conditional, cursors
from members.api.views import PATH, MemberNotFoundError, TouchpointEndpoint, member_of
from rewards import queries
from rewards.api import openapi
from tiers import queries as tier_queries
from tiers.api import representation


class TierView(TouchpointEndpoint):
    """The tier of one member. Source: TIR-07."""

    scopes = {"GET": "tiers:read"}
    member_token = {"GET": PATH}

    @openapi.get_tier
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return the tier, progress to the next one, risks, opportunities and benefits."""
        cursors.check_parameters(request.query_params, ())
        at = self.at()
        member = member_of(public_id)
        reading = queries.tier_of(member, at=at)
        if reading is None:
            raise MemberNotFoundError
        current = reading.current
        terms = tier_queries.terms_of(current.tier.pk, at=at)
        held = {member.pk: current.tier.pk}
        left = tier_queries.benefits_left([member.pk], at, held)[member.pk]
        body = {
            "current": representation.current_json(current),
            **representation.outlook_json(current, reading.outlook),
            "benefits": representation.benefits_json(terms, left),
        }
        return conditional.answer(request, body)
