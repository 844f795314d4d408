"""The description of members' endpoints, and the schemas that others use."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from config.base.api import codes, openapi
from config.base.api.openapi import DAY, FREE, ID, TEXT, TIME, Answer, Body, Operation
from members.api.codes import CODES
from members.models import Channel, IdentifierKind, MemberStatus

codes.register(CODES)

MEMBERS = "Members"
EXAMPLE_ID = "0198c6a2-7d3e-7c41-8a55-2f1d3b9c6e10"
EXAMPLE_TIME = "2026-03-08T12:30:00+08:00"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a touchpoint shows its key."""

    target_class = "members.api.views.KeyAuthentication"
    name = "touchpointKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the bearer scheme."""
        return {"type": "http", "scheme": "bearer", "description": "The touchpoint's key."}


PUBLIC_ID = openapi.path("public_id", ID, "Member id.")

IDENTIFIER = openapi.component(
    "Identifier",
    openapi.record(
        {"kind": openapi.choice(*IdentifierKind.values), "value": openapi.text(254)},
        {"app": openapi.text(64, 0)},
    ),
)
CONSENT_DECISION = openapi.component(
    "ConsentDecision",
    openapi.record(
        {"purpose": openapi.text(32), "granted": openapi.BOOLEAN},
        {
            "channel": openapi.text(16, 0),
            "text_version": openapi.text(32, 0),
            "source": openapi.text(64, 0),
            "evidence": openapi.text(2_000, 0),
            "given_at": TIME,
        },
    ),
)
CONSENT = openapi.component(
    "Consent",
    openapi.record(
        {
            "purpose": TEXT,
            "channel": openapi.nullable(TEXT),
            "granted": openapi.BOOLEAN,
            "text_version": openapi.nullable(TEXT),
            "given_at": TIME,
        }
    ),
)
CONSENTS = openapi.record({"consents": openapi.listing(CONSENT)})
CURRENT_TIER = openapi.component(
    "CurrentTier",
    openapi.record(
        {
            "code": TEXT,
            "name": TEXT,
            "rank": openapi.integer(0, 99),
            "since": TIME,
            "until": openapi.nullable(DAY),
            "reason": TEXT,
            "reason_text": TEXT,
        },
        {"computed": TEXT},
    ),
)
MEMBER = openapi.component(
    "Member",
    openapi.record(
        {
            "id": ID,
            "card_number": TEXT,
            "status": openapi.choice(*MemberStatus.values),
            "joined_at": TIME,
            "channel": openapi.choice(*Channel.values),
            "name": TEXT,
            "attributes": FREE,
            "first_purchase_on": openapi.nullable(DAY),
            "identifiers": openapi.listing(
                openapi.record(
                    {"kind": TEXT, "app": openapi.nullable(TEXT), "value": TEXT, "since": TIME}
                )
            ),
            "consents": openapi.listing(CONSENT),
            "tier": openapi.nullable(CURRENT_TIER),
        },
        {"birthday": openapi.nullable(DAY), "city": TEXT},
    ),
)
EVENT = openapi.component(
    "Event",
    openapi.record(
        {
            "id": {"type": "integer"},
            "kind": TEXT,
            "text": TEXT,
            "occurred_at": TIME,
            "recorded_at": TIME,
            "caused_by": openapi.nullable(TEXT),
            "payload": FREE,
        }
    ),
)

TIER_EXAMPLE = {
    "code": "silver",
    "name": "银卡会员",
    "rank": 1,
    "since": "2026-03-08T12:30:00+08:00",
    "until": "2027-03-08",
    "reason": "qualified",
    "reason_text": "达到升级条件",
}
CONSENT_EXAMPLE = {
    "purpose": "marketing",
    "channel": None,
    "granted": True,
    "text_version": "2026-01",
    "given_at": EXAMPLE_TIME,
}
MEMBER_EXAMPLE = {
    "id": EXAMPLE_ID,
    "card_number": "6000000000000001",
    "status": "active",
    "joined_at": EXAMPLE_TIME,
    "channel": "pos",
    "name": "张*",
    "attributes": {},
    "first_purchase_on": "2026-03-08",
    "identifiers": [{"kind": "phone", "app": None, "value": "138****8000", "since": EXAMPLE_TIME}],
    "consents": [CONSENT_EXAMPLE],
    "tier": TIER_EXAMPLE,
}
EVENT_EXAMPLE = {
    "id": 17,
    "kind": "member.enrolled",
    "text": "入会",
    "occurred_at": EXAMPLE_TIME,
    "recorded_at": EXAMPLE_TIME,
    "caused_by": None,
    "payload": {"channel": "pos"},
}

put_consents = Operation(
    name="putMemberConsents",
    tag=MEMBERS,
    summary="Record what a member allows or refuses",
    scope="members:write",
    parameters=[PUBLIC_ID],
    body=Body(
        openapi.record({"consents": openapi.listing(CONSENT_DECISION, 50, 1)}),
        {"consents": [{"purpose": "marketing", "granted": True, "text_version": "2026-01"}]},
    ),
    answers=[
        Answer(200, "The decisions in force.", CONSENTS, {"consents": [CONSENT_EXAMPLE]}),
    ],
    errors=["member_not_found", "consent_invalid"],
    idempotency="optional",
)
get_timeline = Operation(
    name="getMemberTimeline",
    tag=MEMBERS,
    summary="List what has happened to a member, newest first",
    scope="members:read",
    member_by="path",
    parameters=[PUBLIC_ID, *openapi.CURSOR_PARAMETERS],
    answers=[
        Answer(
            200,
            "One page of events.",
            openapi.page_of(EVENT),
            {"items": [EVENT_EXAMPLE], "next_cursor": None},
        )
    ],
    errors=["member_not_found", "cursor_invalid", "parameter_invalid"],
)
