"""Where shops' own webhooks arrive. Source: INT-02."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any

from django.http import UnreadablePostError
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from config.base import clock
from config.base.api import json_format
from config.base.api.json_format import BodyTooLargeError, JsonInvalidError
from config.base.api.views import Endpoint
from config.base.errors import DomainError
from rewards.api import openapi_inbound as openapi
from rewards.api import parsing
from rewards.domain import inbound_schemes
from rewards.models import InboundDelivery, InboundHook, InboundScheme
from rewards.services import inbound


class InboundUnknownError(DomainError):
    """No shop is connected under this code, or it is switched off."""

    def __init__(self) -> None:
        super().__init__("inbound_unknown", _("No shop is connected here."), status=404)


class RawParser(BaseParser):
    """Keep the body as it came: what is signed is its bytes."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the bytes.

        Raises: MediaTypeError, BodyTooLargeError, JsonInvalidError.
        """
        context = parser_context or {}
        json_format.check_media_type(context["request"])
        limit = json_format.MAX_BODY_BYTES
        if int(context["request"].META.get("CONTENT_LENGTH") or 0) > limit:
            raise BodyTooLargeError(limit)
        try:
            raw: bytes = stream.read(limit + 1)
        except UnreadablePostError as error:
            raise JsonInvalidError(_("The body could not be read.")) from error
        if len(raw) > limit:
            raise BodyTooLargeError(limit)
        return raw


class InboundView(Endpoint):
    """One shop's messages; the signature says who speaks."""

    is_public = True
    parser_classes = (RawParser,)  # type: ignore[assignment]  # bytes, not JSON

    @openapi.post_inbound
    def post(self, request: Request, code: str) -> Response:
        """Do what a signed message says, once."""
        hook = InboundHook.objects.select_related("touchpoint").filter(code=code).first()
        if hook is None or not hook.is_active or not hook.touchpoint.is_active:
            raise InboundUnknownError
        given: Any = request.data
        raw = given if isinstance(given, bytes) else b""
        envelope = inbound_schemes.open_envelope(
            hook.scheme, inbound.secret_of(hook), _headers(request), raw, datetime.now(UTC)
        )
        delivery, is_known = inbound.accept(
            hook=hook, envelope=envelope, raw=raw, at=clock.now(), read=parsing.batch_fact
        )
        return Response(delivery_json(delivery, is_known, hook.scheme))


def delivery_json(delivery: InboundDelivery, is_known: bool, scheme: str) -> dict[str, Any]:
    """Return what has become of a message; Youzan looks for its own words of success."""
    body = {
        "id": delivery.public_id,
        "status": delivery.state,
        "reason": delivery.reason or None,
        "facts": delivery.result,
        "replayed": is_known,
    }
    return {"code": 0, "msg": "success", **body} if scheme == InboundScheme.YOUZAN else body


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}
