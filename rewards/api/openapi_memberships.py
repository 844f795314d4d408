"""The description of paid memberships."""

from django.utils.translation import gettext_lazy as _

from config.base.api import codes, openapi
from config.base.api.openapi import ID, MONEY, TEXT, TIME, Answer, Body, Operation
from members.api.openapi import EXAMPLE_ID, EXAMPLE_TIME, PUBLIC_ID
from tiers.models import MembershipStatus

MEMBERSHIPS = "Paid memberships"

codes.register(
    [
        ("membership_plan_not_found", 404, _("There is no such plan")),
        ("membership_not_found", 404, _("There is no such membership")),
        ("membership_running", 409, _("The membership is running; renew it")),
        ("membership_renewed", 409, _("The membership has been renewed already")),
        ("membership_refunded", 409, _("The membership was refunded")),
        ("membership_over", 409, _("The membership is over")),
        ("membership_refund_too_late", 409, _("The days for a refund are over")),
        ("purchase_ref_reused", 409, _("The purchase was made for something else")),
    ]
)

ISSUED = openapi.listing({"type": "object", "properties": {"kind": TEXT}, "required": ["kind"]})
PLAN = openapi.component(
    "MembershipPlan",
    openapi.record(
        {
            "code": TEXT,
            "name": TEXT,
            "tier": TEXT,
            "months": openapi.integer(1, 32_767),
            "price": MONEY,
            "refund_days": openapi.integer(0, 32_767),
        }
    ),
)
PLAN_EXAMPLE = {
    "code": "gold_plus",
    "name": "付费金卡",
    "tier": "gold",
    "months": 12,
    "price": "199.00",
    "refund_days": 7,
}
_FIELDS = {
    "id": ID,
    "plan": TEXT,
    "tier": TEXT,
    "status": openapi.choice(*MembershipStatus.values),
    "price": MONEY,
    "purchase_ref": TEXT,
    "from": TIME,
    "until": TIME,
    "refundable_until": TIME,
}
MEMBERSHIP = openapi.component("Membership", openapi.record(_FIELDS))
SALE = openapi.component("MembershipSale", openapi.record({**_FIELDS, "issued": ISSUED}))
REFUND = openapi.component("MembershipRefund", openapi.record({**_FIELDS, "refunded": MONEY}))
MEMBERSHIP_EXAMPLE = {
    "id": EXAMPLE_ID,
    "plan": "gold_plus",
    "tier": "gold",
    "status": "active",
    "price": "199.00",
    "purchase_ref": "W-20260308-1",
    "from": EXAMPLE_TIME,
    "until": "2027-03-08T10:00:00+08:00",
    "refundable_until": "2026-03-16T00:00:00+08:00",
}
SALE_EXAMPLE = {**MEMBERSHIP_EXAMPLE, "issued": []}
MEMBERSHIP_ID = openapi.path("membership", ID, "The membership.")
REF = openapi.text(128)
MEMBER_ERRORS = ("member_not_found", "member_frozen", "member_not_active", "programme_missing")

get_plans = Operation(
    name="listMembershipPlans",
    tag=MEMBERSHIPS,
    summary="List the plans that are on sale",
    scope="members:read",
    answers=[
        Answer(
            200,
            "The plans.",
            openapi.record({"plans": openapi.listing(PLAN)}),
            {"plans": [PLAN_EXAMPLE]},
        )
    ],
    errors=["parameter_invalid"],
)
get_memberships = Operation(
    name="listMemberships",
    tag=MEMBERSHIPS,
    summary="List a member's paid memberships",
    scope="members:read",
    member_by="path",
    parameters=[PUBLIC_ID],
    answers=[
        Answer(
            200,
            "The memberships, the latest first.",
            openapi.record({"memberships": openapi.listing(MEMBERSHIP)}),
            {"memberships": [MEMBERSHIP_EXAMPLE]},
        )
    ],
    errors=["member_not_found", "parameter_invalid"],
)
SOLD = [
    Answer(201, "Sold.", SALE, SALE_EXAMPLE),
    Answer(200, "Sold before, by the same purchase.", SALE, SALE_EXAMPLE),
]
post_membership = Operation(
    name="buyMembership",
    tag=MEMBERSHIPS,
    summary="Sell a paid membership",
    scope="memberships:write",
    body=Body(
        openapi.record({"plan": openapi.text(40), "purchase_ref": REF}),
        {"plan": "gold_plus", "purchase_ref": "W-20260308-1"},
    ),
    parameters=[PUBLIC_ID],
    answers=SOLD,
    errors=[
        *MEMBER_ERRORS, "membership_plan_not_found", "membership_running", "purchase_ref_reused",
    ],
    idempotency="required",
)  # fmt: skip
post_renew = Operation(
    name="renewMembership",
    tag=MEMBERSHIPS,
    summary="Sell the next period of a membership",
    scope="memberships:write",
    body=Body(openapi.record({"purchase_ref": REF}), {"purchase_ref": "W-20270301-9"}),
    parameters=[MEMBERSHIP_ID],
    answers=SOLD,
    errors=[
        *MEMBER_ERRORS, "membership_not_found", "membership_plan_not_found", "membership_refunded",
        "membership_renewed", "purchase_ref_reused",
    ],
    idempotency="required",
)  # fmt: skip
post_cancel = Operation(
    name="cancelMembership",
    tag=MEMBERSHIPS,
    summary="Let a membership run to its end",
    scope="memberships:write",
    body=Body(openapi.record({}), {}),
    parameters=[MEMBERSHIP_ID],
    answers=[Answer(200, "It is not renewed.", MEMBERSHIP, MEMBERSHIP_EXAMPLE)],
    errors=["membership_not_found", "membership_over", "programme_missing"],
    idempotency="required",
)
post_refund = Operation(
    name="refundMembership",
    tag=MEMBERSHIPS,
    summary="Refund a membership within its days",
    scope="memberships:write",
    body=Body(openapi.record({}), {}),
    parameters=[MEMBERSHIP_ID],
    answers=[
        Answer(
            200,
            "Refunded; the tier has ended.",
            REFUND,
            {**MEMBERSHIP_EXAMPLE, "status": "refunded", "refunded": "199.00"},
        )
    ],
    errors=[
        "membership_not_found", "membership_over", "membership_refund_too_late",
        "membership_renewed", "programme_missing",
    ],
    idempotency="required",
)  # fmt: skip
