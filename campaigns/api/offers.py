"""What is recommended to a member, and why."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import offer_words
from campaigns.api import openapi_offers as openapi
from campaigns.domain.offers import Choice
from campaigns.services import offers
from config.base.api import cursors
from config.base.names import name_of
from members.api.views import PATH, TouchpointEndpoint, member_of
from rewards.models import Reward


class OffersView(TouchpointEndpoint):
    """The next best offers of one member. Source: CMP-07."""

    scopes = {"GET": "rewards:read"}
    member_token = {"GET": PATH}

    @openapi.get_offers
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return what suits the member best of what can be had now."""
        cursors.check_parameters(request.query_params, ())
        member = member_of(public_id)
        decision = offers.decide([member.pk], at=self.at()).get(member.pk, offers.NOTHING)
        return Response(
            {
                "personalised": decision.is_personal,
                "offers": [_offer_json(*each) for each in decision.offers],
            }
        )


def _offer_json(reward: Reward, choice: Choice) -> dict[str, Any]:
    return {
        "reward": reward.code,
        "kind": reward.kind,
        "name": name_of(reward),
        "points": reward.points,
        "score": choice.score,
        "reasons": [
            {"code": each.code, "score": each.score, "text": offer_words.sentence(each)}
            for each in choice.reasons
        ],
    }
