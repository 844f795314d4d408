"""The description of enrolment, facts, points and tiers."""

from drf_spectacular.utils import OpenApiParameter

from config.base.api import codes, openapi
from config.base.api.openapi import DAY, ID, TEXT, TIME, Answer, Body, Operation, query
from members.api.openapi import (
    CONSENT_DECISION,
    EXAMPLE_ID,
    IDENTIFIER,
    MEMBER,
    MEMBER_EXAMPLE,
    MEMBERS,
    PUBLIC_ID,
)
from members.models import Channel, IdentifierKind
from rewards.api import examples, schemas
from rewards.api.codes import CODES

codes.register(CODES)

FACTS = "Facts"
POINTS = "Points"

NAME = openapi.text(100, 0)
ENROLMENT = openapi.component(
    "Enrolment",
    openapi.record(
        {"identifiers": openapi.listing(IDENTIFIER, 20, 1)},
        {
            "name": NAME,
            "birthday": DAY,
            "city": NAME,
            "channel": openapi.choice(*Channel.values),
            "store": openapi.text(64, 0),
            "staff": openapi.text(64, 0),
            "referral_code": openapi.text(64, 0),
            "consents": openapi.listing(CONSENT_DECISION, 50),
            "attributes": openapi.FREE,
        },
    ),
)
ENROLMENT_EXAMPLE = {
    "identifiers": [{"kind": "phone", "value": "13800138000"}],
    "name": "张三",
    "channel": "pos",
    "store": "SH-001",
    "consents": [{"purpose": "terms", "granted": True, "text_version": "2026-01"}],
}
LOOKUP = openapi.component(
    "Lookup",
    openapi.record(
        {"kind": openapi.choice(*IdentifierKind.values, "member_code"), "value": openapi.text(254)},
        {"app": openapi.text(64, 0)},
    ),
)
VERIFICATION_CODE = openapi.choice("verification_required")
VERIFICATION = openapi.record(
    {"code": VERIFICATION_CODE, "status": VERIFICATION_CODE, "detail": TEXT, "verification": ID}
)
VERIFICATION_EXAMPLE = {
    "code": "verification_required",
    "status": "verification_required",
    "detail": "需先验证手机号。",
    "verification": EXAMPLE_ID,
}
ENROLMENT_ERRORS = (
    "identifiers_conflict",
    "enrolment_invalid",
    "consent_invalid",
    "ladder_missing",
)
FACT_ERRORS = (
    "source_not_owned",
    "member_not_found",
    "fact_conflict",
    "placed_in_future",
    "currency_not_accepted",
    "identifier_unknown",
    "programme_missing",
    "parameter_invalid",
)
KEPT = Answer(
    202,
    "Kept until its member or its order is known.",
    schemas.KEPT_ANSWER,
    {"code": "awaiting_member", "status": "awaiting_member"},
)

post_members = Operation(
    name="enrolMember",
    tag=MEMBERS,
    summary="Find or create a member",
    scope="members:write",
    body=Body(ENROLMENT, ENROLMENT_EXAMPLE),
    answers=[
        Answer(200, "The member was known.", MEMBER, MEMBER_EXAMPLE),
        Answer(201, "The member was made.", MEMBER, MEMBER_EXAMPLE),
        Answer(202, "The phone must be verified first.", VERIFICATION, VERIFICATION_EXAMPLE),
    ],
    errors=ENROLMENT_ERRORS,
    idempotency="optional",
)
post_members_batch = Operation(
    name="enrolMembers",
    tag=MEMBERS,
    summary="Find or create up to 1,000 members",
    scope="members:write",
    body=Body(
        openapi.record({"members": openapi.listing(ENROLMENT, 1_000, 1)}),
        {"members": [ENROLMENT_EXAMPLE]},
    ),
    answers=[
        Answer(
            200,
            "One result for each request, in order.",
            openapi.record({"results": openapi.listing(schemas.BATCH_RESULT)}),
            {"results": [{"status": 201, "id": EXAMPLE_ID, "card_number": "6000000000000001"}]},
        )
    ],
    errors=["ladder_missing"],
    idempotency="optional",
)
post_lookup = Operation(
    name="lookUpMember",
    tag=MEMBERS,
    summary="Find a member by an identifier",
    scope="members:read",
    body=Body(LOOKUP, {"kind": "phone", "value": "13800138000"}),
    answers=[Answer(200, "The member.", MEMBER, MEMBER_EXAMPLE)],
    errors=["member_not_found"],
)
get_member = Operation(
    name="getMember",
    tag=MEMBERS,
    summary="Read a member",
    scope="members:read",
    member_by="path",
    parameters=[PUBLIC_ID],
    answers=[Answer(200, "The member.", MEMBER, MEMBER_EXAMPLE)],
    errors=["member_not_found"],
)
patch_member = Operation(
    name="changeMember",
    tag=MEMBERS,
    summary="Change personal values and attributes",
    scope="members:write",
    parameters=[PUBLIC_ID],
    body=Body(
        openapi.record(
            {},
            {
                "name": openapi.nullable(NAME),
                "birthday": openapi.nullable(DAY),
                "city": openapi.nullable(NAME),
                "attributes": openapi.FREE,
            },
        ),
        {"name": "张三", "attributes": {"shoe_size": 39}},
    ),
    answers=[Answer(200, "The member.", MEMBER, MEMBER_EXAMPLE)],
    errors=["member_not_found"],
    idempotency="optional",
)
get_tier = Operation(
    name="getTier",
    tag=POINTS,
    summary="Read a member's tier and what lies ahead",
    scope="tiers:read",
    member_by="path",
    parameters=[PUBLIC_ID],
    answers=[
        Answer(200, "The tier.", schemas.TIER_READING, examples.TIER_READING_EXAMPLE),
    ],
    is_conditional=True,
    errors=["member_not_found", "parameter_invalid", "programme_missing"],
)
get_points = Operation(
    name="getPoints",
    tag=POINTS,
    summary="Read balances",
    scope="points:read",
    member_by="path",
    parameters=[
        PUBLIC_ID,
        query("as_of", TIME, "Business time, instead of now."),
        query("known_at", TIME, "Only what was recorded by then."),
    ],
    answers=[Answer(200, "Balances.", schemas.POINTS_READING, examples.POINTS_EXAMPLE)],
    is_conditional=True,
    errors=["member_not_found", "parameter_invalid"],
)
get_entries = Operation(
    name="listEntries",
    tag=POINTS,
    summary="List entries, newest first",
    scope="points:read",
    member_by="path",
    parameters=[PUBLIC_ID, *openapi.CURSOR_PARAMETERS],
    answers=[
        Answer(
            200,
            "One page of entries.",
            openapi.page_of(schemas.ENTRY),
            {"items": [examples.ENTRY_EXAMPLE], "next_cursor": None},
        )
    ],
    errors=["member_not_found", "cursor_invalid", "parameter_invalid"],
)
get_explanation = Operation(
    name="explainEntry",
    tag=POINTS,
    summary="Say why an entry was posted",
    scope="points:read",
    member_by="row",
    parameters=[openapi.path("entry_id", {"type": "integer"}, "Entry id.")],
    answers=[
        Answer(
            200,
            "The decision behind the entry.",
            schemas.EXPLANATION_READING,
            examples.EXPLANATION_READING_EXAMPLE,
        )
    ],
    errors=["entry_not_found", "parameter_invalid"],
)
get_statement = Operation(
    name="getStatement",
    tag=POINTS,
    summary="Read the statement of one month",
    scope="points:read",
    member_by="path",
    parameters=[
        PUBLIC_ID,
        OpenApiParameter(
            "month",
            {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
            OpenApiParameter.QUERY,
            required=True,
            description="The month, YYYY-MM.",
        ),
        query("known_at", TIME, "Only what was recorded by then."),
    ],
    answers=[
        Answer(
            200,
            "opening + earned - spent - expired + adjusted = closing.",
            schemas.STATEMENT,
            examples.STATEMENT_EXAMPLE,
        )
    ],
    errors=["member_not_found", "parameter_invalid"],
)
post_adjustment = Operation(
    name="adjustPoints",
    tag=POINTS,
    summary="Give or take points, with a reason",
    scope="adjustments:write",
    parameters=[PUBLIC_ID],
    body=Body(schemas.ADJUSTMENT, {"points": 50, "reason": "Late delivery"}),
    answers=[
        Answer(
            201,
            "Done.",
            schemas.ADJUSTED,
            {"points": 50, "balance": examples.BALANCE_EXAMPLE},
        ),
        Answer(
            202,
            "More than the touchpoint may adjust alone: a member of staff is asked.",
            schemas.ADJUSTMENT_ASKED,
            {
                "code": "approval_required",
                "status": "approval_required",
                "points": 5_000,
                "approval": 12,
                "limit": "call",
            },
        ),
    ],
    errors=["member_not_found", "insufficient_points", "member_frozen", "member_not_active"],
    idempotency="required",
)
put_order = Operation(
    name="putOrder",
    tag=FACTS,
    summary="Report an order as it now stands",
    scope="orders:write",
    parameters=[schemas.SOURCE_PATH, schemas.ORDER_NO_PATH],
    body=Body(schemas.ORDER, examples.ORDER_EXAMPLE),
    answers=[
        Answer(200, "Applied, or answered again.", schemas.FACT_ANSWER, examples.FACT_EXAMPLE),
        KEPT,
    ],
    errors=[*FACT_ERRORS, "order_identity_changed"],
    idempotency="optional",
)
get_order = Operation(
    name="getOrder",
    tag=FACTS,
    summary="Read an order as it stands",
    scope="orders:read",
    parameters=[schemas.SOURCE_PATH, schemas.ORDER_NO_PATH],
    answers=[
        Answer(200, "The order.", schemas.ORDER_READING, examples.ORDER_READING_EXAMPLE),
    ],
    errors=["order_not_found", "parameter_invalid"],
)
post_refund = Operation(
    name="postRefund",
    tag=FACTS,
    summary="Report a refund: of lines, of an amount, or of all that is left",
    scope="orders:write",
    parameters=[schemas.SOURCE_PATH, schemas.ORDER_NO_PATH],
    body=Body(schemas.REFUND, examples.REFUND_EXAMPLE),
    answers=[
        Answer(200, "Applied, or answered again.", schemas.FACT_ANSWER, examples.FACT_EXAMPLE),
        KEPT,
    ],
    errors=FACT_ERRORS,
    idempotency="optional",
)
post_claim = Operation(
    name="claimOrder",
    tag=FACTS,
    summary="Attach an order that was made without a member",
    scope="orders:write",
    parameters=[schemas.SOURCE_PATH, schemas.ORDER_NO_PATH],
    body=Body(
        openapi.component("Claim", openapi.record({}, {"member": ID, "identifier": IDENTIFIER})),
        {"member": EXAMPLE_ID},
    ),
    answers=[
        Answer(200, "The order counts for the member.", schemas.FACT_ANSWER, examples.FACT_EXAMPLE)
    ],
    errors=[
        "member_not_found",
        "order_not_found",
        "order_already_claimed",
        "claim_too_late",
        "source_not_owned",
        "parameter_invalid",
    ],
    idempotency="optional",
)
post_interaction = Operation(
    name="postInteraction",
    tag=FACTS,
    summary="Report something that a member did besides buying",
    scope="interactions:write",
    body=Body(schemas.INTERACTION, examples.INTERACTION_EXAMPLE),
    answers=[
        Answer(200, "Applied, or answered again.", schemas.FACT_ANSWER, examples.FACT_EXAMPLE),
        KEPT,
    ],
    errors=[code for code in FACT_ERRORS if code != "parameter_invalid"],
    idempotency="optional",
)
post_facts = Operation(
    name="postFacts",
    tag=FACTS,
    summary="Report up to 1,000 facts, as one by one in business order",
    scope="orders:write",
    body=Body(
        openapi.record({"facts": openapi.listing(schemas.BATCH_FACT, 1_000, 1)}),
        {
            "facts": [
                {
                    "type": "order",
                    "source": "till-7",
                    "order_no": "20260308-0001",
                    **examples.ORDER_EXAMPLE,
                }
            ]
        },
    ),
    answers=[
        Answer(
            200,
            "One result for each fact, in the order sent.",
            openapi.record({"results": openapi.listing(schemas.BATCH_RESULT)}),
            {"results": [{"status": 200, **examples.FACT_EXAMPLE}]},
        )
    ],
    errors=["programme_missing"],
    idempotency="optional",
)
