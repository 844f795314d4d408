"""Daily check-ins."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api.reading import ObjectReader
from members.api.idempotency import idempotent
from members.api.views import TouchpointEndpoint, member_of
from rewards.api import openapi_check_ins as openapi
from rewards.services import check_ins


class CheckInsView(TouchpointEndpoint):
    """Check-ins of one member. Source: ENG-01."""

    scopes = {"POST": "interactions:write"}

    @openapi.post_check_in
    @idempotent(required=False)
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Check the member in for today; the day itself keeps it single."""
        reader = ObjectReader(request.data)
        reader.only(frozenset({"on"}))
        on = reader.date("on", required=False)
        reader.finish()
        key = self.key_of(request)
        done = check_ins.check_in(
            member=member_of(public_id).pk,
            on=on,
            touchpoint=key.touchpoint,
            at=self.at(),
            actor=key.actor,
        )
        body = {
            "on": done.on,
            "streak": done.streak,
            "points": done.points,
            "already": done.is_repeated,
        }
        return Response(body, status=200 if done.is_repeated else 201)
