"""The description of benefits."""

from django.utils.translation import gettext_lazy as _

from config.base.api import codes, openapi
from config.base.api.openapi import DAY, ID, TEXT, TIME, Answer, Body, Operation
from members.api.openapi import EXAMPLE_ID, EXAMPLE_TIME, PUBLIC_ID
from members.api.openapi_presence import PRESENCE
from tiers.models import QuotaPeriod, UseStatus

BENEFITS = "Benefits"

codes.register(
    [
        ("benefit_not_found", 404, _("There is no such benefit")),
        ("benefit_not_granted", 403, _("The member does not have this benefit")),
        ("benefit_exhausted", 409, _("Not enough uses of this benefit are left")),
        ("benefit_use_not_found", 404, _("There is no such use of a benefit")),
        ("benefit_use_held", 409, _("A reservation holds this use")),
        ("member_not_active", 403, _("The member is not active")),
    ]
)

COUNT = openapi.nullable({"type": "integer", "description": "null: without limit"})
BENEFIT = openapi.component(
    "Benefit",
    openapi.record(
        {
            "code": TEXT,
            "name": TEXT,
            "description": TEXT,
            "quota": COUNT,
            "left": COUNT,
            "period": openapi.choice(*QuotaPeriod.values),
            "until": openapi.nullable(DAY),
        }
    ),
)
BENEFIT_EXAMPLE = {
    "code": "free_delivery",
    "name": "免费送货",
    "description": "",
    "quota": 2,
    "left": 1,
    "period": "year",
    "until": None,
}
USE = openapi.component(
    "BenefitUse",
    openapi.record(
        {
            "id": ID,
            "benefit": TEXT,
            "uses": openapi.integer(1, 1_000),
            "status": openapi.choice(*UseStatus.values),
            "used_at": TIME,
        }
    ),
)
USE_EXAMPLE = {
    "id": EXAMPLE_ID,
    "benefit": "free_delivery",
    "uses": 1,
    "status": "used",
    "used_at": EXAMPLE_TIME,
}
CODE = openapi.path("code", openapi.text(40), "The benefit.")
USE_ID = openapi.path("use", ID, "The use.")

get_benefits = Operation(
    name="getBenefits",
    tag=BENEFITS,
    summary="Read what a member has of every benefit",
    scope="tiers:read",
    member_by="path",
    parameters=[PUBLIC_ID],
    answers=[
        Answer(
            200,
            "The benefits, in the order of their codes.",
            openapi.record({"benefits": openapi.listing(BENEFIT)}),
            {"benefits": [BENEFIT_EXAMPLE]},
        )
    ],
    errors=["member_not_found", "parameter_invalid", "programme_missing"],
)
post_use = Operation(
    name="useBenefit",
    tag=BENEFITS,
    summary="Use a benefit",
    scope="benefits:write",
    member_by="path",
    body=Body(openapi.record({}, {"uses": openapi.integer(1, 1_000), **PRESENCE}), {"uses": 1}),
    parameters=[PUBLIC_ID, CODE],
    answers=[
        Answer(
            201,
            "Used; several uses where several claims gave it.",
            openapi.record({"uses": openapi.listing(USE), "benefit": BENEFIT}),
            {"uses": [USE_EXAMPLE], "benefit": BENEFIT_EXAMPLE},
        )
    ],
    errors=[
        "member_not_found", "member_frozen", "member_not_active", "benefit_not_found",
        "benefit_not_granted", "benefit_exhausted", "programme_missing",
        "member_code_invalid", "otp_invalid",
    ],
    idempotency="required",
)  # fmt: skip
post_give_back = Operation(
    name="giveBenefitUseBack",
    tag=BENEFITS,
    summary="Give a use of a benefit back",
    scope="benefits:write",
    body=Body(openapi.record({}), {}),
    parameters=[USE_ID],
    answers=[Answer(200, "Given back.", USE, {**USE_EXAMPLE, "status": "returned"})],
    errors=["benefit_use_not_found", "benefit_use_held", "programme_missing"],
    idempotency="required",
)
