"""The description of answers to whether a phone is still the same person's."""

from config.base.api import openapi
from config.base.api.openapi import ID, Answer, Body, Operation
from members.api.openapi import MEMBER, MEMBER_EXAMPLE, MEMBERS
from members.api.openapi_presence import MEMBER_CODE

post_verification = Operation(
    name="answerVerification",
    tag=MEMBERS,
    summary="Say whether a phone is still the same person's, and enrol who waited for it",
    scope="members:write",
    parameters=[openapi.path("verification", ID, "Verification id.")],
    body=Body(
        openapi.component(
            "VerificationAnswer",
            openapi.record(
                {"same_person": openapi.BOOLEAN},
                {"staff": openapi.text(64, 0), "member_code": MEMBER_CODE},
            ),
        ),
        {"same_person": False, "staff": "cashier-7"},
    ),
    answers=[
        Answer(200, "The member had the phone before.", MEMBER, MEMBER_EXAMPLE),
        Answer(201, "The phone leads to a new member now.", MEMBER, MEMBER_EXAMPLE),
    ],
    errors=[
        "verification_not_found",
        "verification_closed",
        "presence_required",
        "member_code_invalid",
        "identifiers_conflict",
        "ladder_missing",
    ],
    idempotency="required",
)
