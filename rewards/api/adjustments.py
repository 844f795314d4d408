"""Adjustments of points by systems that may make them."""

import uuid
from typing import Final

from rest_framework.request import Request
from rest_framework.response import Response

from members.api.idempotency import idempotent
from members.api.views import TouchpointEndpoint, member_of
from members.models import Approval
from rewards.api import openapi, parsing
from rewards.services import adjustment

APPROVAL: Final = "approval_required"


class AdjustmentsView(TouchpointEndpoint):
    """Adjustments within the touchpoint's limits; above them a member of staff decides."""

    scopes = {"POST": "adjustments:write"}

    @openapi.post_adjustment
    @idempotent(required=True)
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Give or take points, with a reason."""
        points, reason = parsing.adjustment(request.data)
        member = member_of(public_id)
        key = self.key_of(request)
        done = adjustment.adjust_or_ask(
            member=member.pk,
            points=points,
            reason=reason,
            at=self.at(),
            actor=key.actor,
            touchpoint=key.touchpoint,
        )
        if isinstance(done, Approval):
            body = {"code": APPROVAL, "status": APPROVAL, "points": points, "approval": done.pk}
            return Response({**body, "limit": done.payload["limit_of"]}, status=202)
        return Response({"points": points, "balance": done._asdict()}, status=201)
