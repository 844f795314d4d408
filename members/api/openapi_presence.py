"""The description of member tokens, member codes and one-time passwords."""

from config.base.api import openapi
from config.base.api.openapi import TEXT, TIME, Answer, Body, Operation
from members.api.openapi import MEMBERS, PUBLIC_ID
from members.domain.tokens import MEMBER_SCOPES

EMPTY = openapi.record({})
EXAMPLE_END = "2026-03-08T12:45:00+08:00"
NOT_ACTIVE = ("member_not_found", "member_frozen", "member_not_active")

MEMBER_CODE = openapi.text(64, 0)
OTP = openapi.text(16, 0)
PRESENCE = {"member_code": MEMBER_CODE, "otp": OTP}
"""What bodies of spending commands may hold besides."""
PRESENCE_ERRORS = ("presence_required", "member_code_invalid", "otp_invalid")

TOKEN = openapi.component(
    "MemberToken",
    openapi.record(
        {
            "token": TEXT,
            "scopes": openapi.listing(openapi.choice(*MEMBER_SCOPES)),
            "expires_at": TIME,
        }
    ),
)
CODE = openapi.component(
    "MemberCode",
    openapi.record({"code": {"type": "string", "pattern": "^[0-9]{20}$"}, "expires_at": TIME}),
)
SENT = openapi.component(
    "SentOneTimePassword",
    openapi.record({"channel": openapi.choice("email"), "to": TEXT, "expires_at": TIME}),
)

post_token = Operation(
    name="makeMemberToken",
    tag=MEMBERS,
    summary="Make a short-lived token that is good for one member only",
    scope="tokens:write",
    parameters=[PUBLIC_ID],
    body=Body(
        openapi.record(
            {},
            {
                "scopes": openapi.listing(openapi.choice(*MEMBER_SCOPES), len(MEMBER_SCOPES)),
                "ttl_seconds": openapi.integer(30, 3_600),
            },
        ),
        {"scopes": ["points:read"], "ttl_seconds": 900},
    ),
    answers=[
        Answer(
            201,
            "The token.",
            TOKEN,
            {"token": "mt_…", "scopes": ["points:read"], "expires_at": EXAMPLE_END},
        )
    ],
    errors=[*NOT_ACTIVE, "token_scopes_refused"],
)
post_code = Operation(
    name="makeMemberCode",
    tag=MEMBERS,
    summary="Make a code that the member shows at a till: for a minute, for one use",
    scope="tokens:write",
    member_by="path",
    parameters=[PUBLIC_ID],
    body=Body(EMPTY, {}),
    answers=[
        Answer(
            201,
            "The code, for digits or a QR code.",
            CODE,
            {"code": "30418827719264005517", "expires_at": EXAMPLE_END},
        )
    ],
    errors=NOT_ACTIVE,
)
post_otp = Operation(
    name="sendOneTimePassword",
    tag=MEMBERS,
    summary="Send the member a one-time password by e-mail",
    scope="tokens:write",
    parameters=[PUBLIC_ID],
    body=Body(EMPTY, {}),
    answers=[
        Answer(
            201,
            "Sent; where to, masked.",
            SENT,
            {"channel": "email", "to": "z***@example.com", "expires_at": EXAMPLE_END},
        )
    ],
    errors=[*NOT_ACTIVE, "otp_no_channel", "otp_too_many", "otp_not_sent"],
)
