"""Benefits of members: what is left, using, giving back."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import cursors
from config.base.api.reading import ObjectReader
from members.api.idempotency import idempotent
from members.api.views import PATH, PRESENCE_KEYS, TouchpointEndpoint, member_of
from rewards import queries
from rewards.api import openapi_benefits
from rewards.services import benefit_uses
from tiers import queries as tier_queries
from tiers.api import representation

MAX_USES = 1_000
USE_KEYS = PRESENCE_KEYS | {"uses"}


class BenefitsView(TouchpointEndpoint):
    """What a member may claim. Source: BEN-14, SVC-01."""

    scopes = {"GET": "tiers:read"}
    member_token = {"GET": PATH}

    @openapi_benefits.get_benefits
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return every benefit that the member has now, with what is left of it."""
        cursors.check_parameters(request.query_params, ())
        member, at = member_of(public_id), self.at()
        current = queries.current_tiers([member], at=at)
        held = {pk: tier.tier.pk for pk, tier in current.items()}
        left = tier_queries.benefits_left([member.pk], at, held)[member.pk]
        return Response({"benefits": [representation.benefit_json(each) for each in left]})


class BenefitUseView(TouchpointEndpoint):
    """Using a benefit."""

    scopes = {"POST": "benefits:write"}
    member_token = {"POST": PATH}

    @openapi_benefits.post_use
    @idempotent(required=True)
    def post(self, request: Request, public_id: uuid.UUID, code: str) -> Response:
        """Use a benefit, once or several times."""
        reader = ObjectReader(request.data)
        reader.only(USE_KEYS)
        uses = reader.integer("uses", 1, MAX_USES, required=False)
        proof = self.proof_of(reader)
        reader.finish()
        member, key, at = member_of(public_id), self.key_of(request), self.at()
        made = benefit_uses.use(
            member=member.pk, code=code, uses=uses or 1, at=at, actor=key.actor,
            touchpoint=key.touchpoint, proof=proof,
        )  # fmt: skip
        left = tier_queries.benefits_left([member.pk], at)[member.pk]
        body = {
            "uses": [representation.use_json(each) for each in made],
            "benefit": next(representation.benefit_json(b) for b in left if b.code == code),
        }
        return Response(body, status=201)


class GiveBackView(TouchpointEndpoint):
    """Giving a use of a benefit back."""

    scopes = {"POST": "benefits:write"}

    @openapi_benefits.post_give_back
    @idempotent(required=True)
    def post(self, request: Request, use: uuid.UUID) -> Response:
        """Give a use back; again is the same answer."""
        reader = ObjectReader(request.data)
        reader.only(frozenset())
        reader.finish()
        row = benefit_uses.give_back(use=use, at=self.at(), actor=self.key_of(request).actor)
        return Response(representation.use_json(row))
