"""Tokens for one member, and what shows at a till that the member is there.

None of these answers is kept for an Idempotency-Key: they are secrets, and asking again makes new
ones.
"""

import uuid
from datetime import timedelta
from typing import Final

from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import limits
from config.base.api.reading import ObjectReader
from members.api import openapi_presence as openapi
from members.api.views import PATH, TouchpointEndpoint, member_of
from members.domain.scopes import SCOPES
from members.services import member_codes, member_tokens, one_time_passwords

MOST_SECONDS: Final = int(member_tokens.LONGEST_LIFETIME.total_seconds())
LEAST_SECONDS: Final = 30
CODES_PER_MINUTE: Final = 10
TOKEN_KEYS: Final = frozenset({"scopes", "ttl_seconds"})


class MemberTokenView(TouchpointEndpoint):
    """Tokens that are good for one member."""

    scopes = {"POST": "tokens:write"}

    @openapi.post_token
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Make a token; without scopes it may do all that the key and any member may do."""
        reader = ObjectReader(request.data)
        reader.only(TOKEN_KEYS)
        wanted = reader.texts("scopes", 40, max_items=len(SCOPES))
        has_scopes = reader.data.get("scopes") is not None
        seconds = reader.integer("ttl_seconds", LEAST_SECONDS, MOST_SECONDS, required=False)
        reader.finish()
        issued = member_tokens.issue(
            key=self.key_of(request),
            member=member_of(public_id),
            scopes=wanted if has_scopes else None,
            lifetime=timedelta(seconds=seconds) if seconds else member_tokens.DEFAULT_LIFETIME,
            at=self.at(),
        )
        body = {"token": issued.token, "scopes": issued.scopes, "expires_at": issued.expires_at}
        return Response(body, status=201)


class MemberCodeView(TouchpointEndpoint):
    """Member codes (动态会员码). Source: MEM-15."""

    scopes = {"POST": "tokens:write"}
    member_token = {"POST": PATH}

    @openapi.post_code
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Make a code to be shown at a till."""
        _nothing(request)
        member = member_of(public_id)
        limits.take("member-codes", str(member.pk), CODES_PER_MINUTE)
        shown = member_codes.make(member=member, at=self.at())
        return Response({"code": shown.code, "expires_at": shown.expires_at}, status=201)


class OtpView(TouchpointEndpoint):
    """One-time passwords."""

    scopes = {"POST": "tokens:write"}

    @openapi.post_otp
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Send a one-time password to the member's mailbox."""
        _nothing(request)
        sent = one_time_passwords.send(member=member_of(public_id), at=self.at())
        body = {"channel": sent.channel, "to": sent.to, "expires_at": sent.expires_at}
        return Response(body, status=201)


def _nothing(request: Request) -> None:
    reader = ObjectReader(request.data)
    reader.only(frozenset())
    reader.finish()
