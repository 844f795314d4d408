"""Members' messages, and what providers report about them. Source: CMP-04."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api import openapi
from campaigns.domain.delivery import CHANNELS
from campaigns.domain.templating import Rendered
from campaigns.models import Message
from campaigns.services import receipts, sealed_texts
from campaigns.services.receipts import Kind, Receipt
from config.base.api import cursors
from config.base.api.cursors import ParameterInvalidError
from config.base.api.reading import ObjectReader
from config.base.errors import DomainError
from members.api.views import PATH, TouchpointEndpoint, member_of
from members.domain import identifiers

RECEIPT_KEYS: Final = frozenset(
    {"kind", "occurred_at", "message", "channel", "provider_id", "phone", "reason", "text"}
)


class MessageNotFoundError(DomainError):
    """The member has no such message."""

    def __init__(self) -> None:
        super().__init__("message_not_found", _("There is no such message."), 404)


class MessagesView(TouchpointEndpoint):
    """A member's messages: those of the inbox for the app, all of them as a history."""

    scopes = {"GET": "messages:read"}
    member_token = {"GET": PATH}

    @openapi.get_messages
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return messages, newest first, with what they said where the key may read it."""
        cursors.check_parameters(request.query_params, ("cursor", "limit", "channel"))
        position = cursors.read(request.query_params.get("cursor"), 1)
        limit = cursors.limit_of(request.query_params)
        rows = Message.objects.filter(member=member_of(public_id)).select_related("template")
        channel = request.query_params.get("channel")
        if channel is not None:
            if channel not in CHANNELS:
                raise ParameterInvalidError("channel")
            rows = rows.filter(channel=channel)
        if position is not None:
            rows = rows.filter(pk__lt=position[0])
        page = cursors.page(list(rows.order_by("-pk")[: limit + 1]), limit, _position)
        said = sealed_texts.read(page.rows) if self.may_read_personal(request) else {}
        return Response(page.to_json(lambda row: _message_json(row, said.get(row.pk))))


class MessageReadView(TouchpointEndpoint):
    """Messages that members have opened."""

    scopes = {"POST": "messages:read"}
    member_token = {"POST": PATH}

    @openapi.post_read
    def post(self, request: Request, public_id: uuid.UUID, message_id: uuid.UUID) -> Response:
        """Note that the member has opened the message; again changes nothing."""
        reader = ObjectReader(request.data)
        reader.only(frozenset())
        reader.finish()
        rows = Message.objects.filter(member=member_of(public_id), public_id=message_id)
        message = rows.select_related("template").first()
        if message is None or not message.channel:
            raise MessageNotFoundError
        message.read_at = receipts.mark_read(message=message, at=self.at()).read_at
        said = sealed_texts.read([message]) if self.may_read_personal(request) else {}
        return Response(_message_json(message, said.get(message.pk)))


class ReceiptsView(TouchpointEndpoint):
    """Reports of providers."""

    scopes = {"POST": "messages:write"}

    @openapi.post_receipts
    def post(self, request: Request) -> Response:
        """Take in reports, each once, in whatever order they come."""
        reader = ObjectReader(request.data)
        reader.only({"receipts"})
        given = reader.objects("receipts", _receipt, max_items=openapi.MOST_RECEIPTS)
        reader.finish()
        touchpoint = self.key_of(request).touchpoint
        results = receipts.record(given, touchpoint=touchpoint, at=self.at())
        return Response({"results": results})


def _receipt(reader: ObjectReader) -> Receipt:
    reader.only(RECEIPT_KEYS)
    kind = reader.choice("kind", [each.value for each in Kind])
    occurred_at = reader.time("occurred_at")
    message = reader.uuid("message", required=False)
    channel = reader.choice("channel", CHANNELS, "")
    receipt = Receipt(
        kind=Kind(kind) if kind in set(Kind) else Kind.SENT,
        occurred_at=occurred_at,  # type: ignore[arg-type]  # noted where it is missing
        message=message,
        channel=channel,
        provider_id=reader.text("provider_id", 80, required=False),
        phone=_phone(reader),
        reason=reader.text("reason", 40, required=False),
        text=reader.text("text", 1_000, required=False),
    )
    names = bool(receipt.message or (channel and receipt.provider_id) or receipt.phone)
    if not names and not reader.errors:
        reader.note("message", "required", _("Name the message."))
    return receipt


def _phone(reader: ObjectReader) -> str:
    text = reader.text("phone", 32, required=False)
    if not text:
        return ""
    try:
        return identifiers.normalise("phone", text, "")
    except identifiers.IdentifierInvalid as error:
        reader.note("phone", error.code, error.message)
        return ""


def _position(message: Message) -> Sequence[int]:
    return (message.pk,)


def _message_json(message: Message, said: Rendered | None) -> dict[str, Any]:
    return {
        "id": message.public_id,
        "template": message.template.code,
        "trigger": message.trigger,
        "channel": message.channel or None,
        "state": message.state,
        "reason": message.reason,
        "title": said.subject if said else None,
        "body": said.body if said else None,
        "due_at": message.due_at,
        "sent_at": message.sent_at,
        "delivered_at": message.delivered_at,
        "read_at": message.read_at,
    }
