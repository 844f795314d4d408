"""What members allow."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api.reading import ObjectReader
from members.api import openapi, representation
from members.api.idempotency import idempotent
from members.api.views import TouchpointEndpoint, member_of
from members.services import consents
from members.services.consents import ConsentDecision

CONSENT_KEYS = frozenset(
    {"purpose", "channel", "granted", "text_version", "source", "evidence", "given_at"}
)
MAX_CONSENTS = 50
MAX_EVIDENCE_LENGTH = 2_000


def consent(reader: ObjectReader) -> ConsentDecision:
    """Return one decision of a member."""
    reader.only(CONSENT_KEYS)
    return ConsentDecision(
        purpose=reader.text("purpose", 32),
        channel=reader.text("channel", 16, required=False),
        granted=reader.boolean("granted"),
        text_version=reader.text("text_version", 32, required=False),
        source=reader.text("source", 64, required=False),
        evidence=reader.text("evidence", MAX_EVIDENCE_LENGTH, required=False),
        given_at=reader.time("given_at", required=False),
    )


class ConsentsView(TouchpointEndpoint):
    """The consents of one member."""

    scopes = {"PUT": "members:write"}

    @openapi.put_consents
    @idempotent(required=False)
    def put(self, request: Request, public_id: uuid.UUID) -> Response:
        """Record decisions; the latest one for each purpose and channel counts."""
        reader = ObjectReader(request.data)
        reader.only(frozenset({"consents"}))
        decisions = reader.objects("consents", consent, max_items=MAX_CONSENTS)
        reader.finish()
        member = member_of(public_id)
        key = self.key_of(request)
        consents.record(
            {member.pk: decisions}, touchpoint=key.touchpoint, at=self.at(), actor=key.actor
        )
        granted = consents.current([member.pk]).get(member.pk, {})
        return Response({"consents": representation.consents_json(granted.values())})
