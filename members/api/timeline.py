"""What has happened to a member, newest first."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import cursors
from members.api import openapi, representation
from members.api.views import PATH, TouchpointEndpoint, member_of
from members.models import MemberEvent

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


class TimelineView(TouchpointEndpoint):
    """Events of one member by business time. Source: MEM-09."""

    scopes = {"GET": "members:read"}
    member_token = {"GET": PATH}

    @openapi.get_timeline
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return events, newest first; those of one instant by id."""
        cursors.check_parameters(request.query_params, ("cursor", "limit"))
        position = cursors.read(request.query_params.get("cursor"), 2)
        limit = cursors.limit_of(request.query_params)
        events = MemberEvent.objects.filter(member=member_of(public_id))
        if position is not None:
            at = _instant(position[0])
            events = events.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, pk__lt=position[1]))
        rows = list(events.order_by("-occurred_at", "-pk")[: limit + 1])
        return Response(cursors.page(rows, limit, _position).to_json(representation.event_json))


def _position(event: MemberEvent) -> Sequence[int]:
    return (event.occurred_at - EPOCH) // MICROSECOND, event.pk


def _instant(microseconds: int) -> datetime:
    try:
        return EPOCH + microseconds * MICROSECOND
    except OverflowError as error:
        raise cursors.CursorInvalidError from error
