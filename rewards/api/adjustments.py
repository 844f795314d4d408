"""Adjustments of points by systems that may make them."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from members.api.idempotency import idempotent
from members.api.views import TouchpointEndpoint, member_of
from rewards.api import openapi, parsing
from rewards.services import adjustment


class AdjustmentsView(TouchpointEndpoint):
    """Adjustments within the touchpoint's limit."""

    scopes = {"POST": "adjustments:write"}

    @openapi.post_adjustment
    @idempotent(required=True)
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Give or take points, with a reason."""
        points, reason = parsing.adjustment(request.data)
        member = member_of(public_id)
        key = self.key_of(request)
        balance = adjustment.adjust(
            member=member.pk,
            points=points,
            reason=reason,
            at=self.at(),
            actor=key.actor,
            limit_points=key.touchpoint.adjustment_limit_points,
        )
        return Response({"points": points, "balance": balance._asdict()}, status=201)
