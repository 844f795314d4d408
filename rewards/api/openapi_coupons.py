"""The description of coupons."""

from config.base.api import openapi
from config.base.api.openapi import (
    BOOLEAN,
    ID,
    MONEY,
    TEXT,
    TIME,
    Answer,
    Body,
    Operation,
    nullable,
    query,
)
from members.api.openapi import EXAMPLE_ID, EXAMPLE_TIME, IDENTIFIER, PUBLIC_ID
from members.api.openapi_presence import PRESENCE
from rewards.api import parsing, schemas
from rewards.api.schemas import REASON
from rewards.models import CouponKind, CouponStatus, CouponUseStatus

COUPONS = "Coupons"
EXAMPLE_CODE = "7K2M-4XQ9-B0TW-3HZC"
EXAMPLE_COUPON = "01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5d"
EXAMPLE_USE = "01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5e"
USE_PATH = openapi.path("use_id", ID, "The id of the use, or of the coupon: its latest use.")

CODE = openapi.text(parsing.MAX_CODE_LENGTH)
TEMPLATE = openapi.text(40)
OF_TEMPLATE = {
    "template": TEXT,
    "name": TEXT,
    "kind": openapi.choice(*CouponKind.values),
    "worth": TEXT,
    "min_spend": MONEY,
}
OF_TEMPLATE_EXAMPLE = {
    "template": "birthday_20",
    "name": "生日礼券20元",
    "kind": "amount",
    "worth": "减 20.00",
    "min_spend": "0.00",
}
CART = {
    "member": ID,
    "identifier": IDENTIFIER,
    "source": openapi.text(parsing.MAX_SOURCE_LENGTH, 0),
    "store": schemas.CODE,
    "lines": openapi.listing(schemas.LINE, parsing.MAX_LINES, 1),
}
LINE_EXAMPLE = {"line_no": 1, "sku": "TEA-01", "quantity": 1, "amount": "120.00"}

CHECKED = openapi.component(
    "CheckedCoupon",
    openapi.record(
        {"code": TEXT, "usable": BOOLEAN, "reasons": openapi.listing(REASON)},
        {**OF_TEMPLATE, "expires_at": nullable(TIME), "discount": MONEY},
    ),
)
CHECK = openapi.component(
    "CouponCheck",
    openapi.record(
        {"usable": BOOLEAN, "coupons": openapi.listing(CHECKED)},
        {"discount": MONEY, "lines": openapi.listing(schemas.LINE)},
    ),
)
CHECK_EXAMPLE = {
    "usable": True,
    "discount": "20.00",
    "coupons": [
        {
            "code": EXAMPLE_CODE,
            "usable": True,
            "reasons": [],
            **OF_TEMPLATE_EXAMPLE,
            "expires_at": EXAMPLE_TIME,
            "discount": "20.00",
        }
    ],
    "lines": [
        {
            **LINE_EXAMPLE,
            "amount": "100.00",
            "discounts": [{"kind": "coupon", "code": "7K2M4XQ9B0TW3HZC", "amount": "20.00"}],
        }
    ],
}
COUPON = openapi.component(
    "Coupon",
    openapi.record(
        {
            "id": ID,
            "code": TEXT,
            **OF_TEMPLATE,
            "status": openapi.choice(*CouponStatus.values),
            "issued_at": nullable(TIME),
            "valid_from": nullable(TIME),
            "expires_at": nullable(TIME),
        }
    ),
)
COUPON_EXAMPLE = {
    "id": EXAMPLE_COUPON,
    "code": EXAMPLE_CODE,
    **OF_TEMPLATE_EXAMPLE,
    "status": "issued",
    "issued_at": EXAMPLE_TIME,
    "valid_from": None,
    "expires_at": EXAMPLE_TIME,
}
USE = openapi.component(
    "CouponUse",
    openapi.record(
        {
            "id": ID,
            "coupon": ID,
            "code": TEXT,
            "template": TEXT,
            "status": openapi.choice(*CouponUseStatus.values),
            "reference": TEXT,
            "discount": nullable(MONEY),
            "redeemed_at": nullable(TIME),
            "returned_at": nullable(TIME),
        }
    ),
)
USE_EXAMPLE = {
    "id": EXAMPLE_USE,
    "coupon": EXAMPLE_COUPON,
    "code": EXAMPLE_CODE,
    "template": "birthday_20",
    "status": "redeemed",
    "reference": "till-7/20260308-0001",
    "discount": "20.00",
    "redeemed_at": EXAMPLE_TIME,
    "returned_at": None,
}
INACTIVE = ("member_frozen", "member_not_active")
MEMBER = ("member_not_found", "programme_missing")
ISSUING = (
    *MEMBER, *INACTIVE, "coupon_template_not_found", "coupon_template_inactive",
    "coupon_template_exhausted",
)  # fmt: skip

post_validate = Operation(
    name="validateCoupons",
    tag=COUPONS,
    summary="Say whether coupons can be used together, and why not; nothing is set aside",
    scope="coupons:read",
    member_by="body",
    body=Body(
        openapi.component(
            "CouponCheckRequest", openapi.record({"codes": openapi.listing(CODE, 20, 1)}, CART)
        ),
        {"member": EXAMPLE_ID, "codes": [EXAMPLE_CODE], "lines": [LINE_EXAMPLE]},
    ),
    answers=[Answer(200, "A verdict on each code.", CHECK, CHECK_EXAMPLE)],
    errors=[*MEMBER, "too_many_unknown_codes"],
)
post_redeem = Operation(
    name="redeemCoupon",
    tag=COUPONS,
    summary="Use a coupon where no order names it, or before the order is sent",
    scope="coupons:write",
    member_by="body",
    body=Body(
        openapi.component(
            "CouponRedemption",
            openapi.record(
                {"code": CODE},
                {
                    **CART,
                    **PRESENCE,
                    "reference": openapi.text(128, 0),
                    "order_no": openapi.text(parsing.MAX_ORDER_NO_LENGTH, 0),
                },
            ),
        ),
        {
            "member": EXAMPLE_ID,
            "code": EXAMPLE_CODE,
            "source": "till-7",
            "order_no": "20260308-0001",
            "lines": [LINE_EXAMPLE],
        },
    ),
    answers=[Answer(201, "Used.", USE, USE_EXAMPLE)],
    errors=["member_code_invalid", "otp_invalid",
        *MEMBER, *INACTIVE, "coupon_unknown", "coupon_code_mistyped", "coupon_not_usable",
        "source_not_owned", "too_many_unknown_codes",
    ],
    idempotency="required",
)  # fmt: skip
post_rollback = Operation(
    name="rollBackCoupon",
    tag=COUPONS,
    summary="Give a use back; the coupon keeps its own expiry",
    scope="coupons:write",
    parameters=[USE_PATH],
    body=Body(openapi.record({}), {}),
    answers=[
        Answer(
            200,
            "Given back.",
            USE,
            {**USE_EXAMPLE, "status": "returned", "returned_at": EXAMPLE_TIME},
        )
    ],
    errors=["coupon_use_not_found", "coupon_use_of_order", "member_not_found", "programme_missing"],
    idempotency="required",
)
get_member_coupons = Operation(
    name="listCoupons",
    tag=COUPONS,
    summary="List a member's coupons, those made last first",
    scope="coupons:read",
    member_by="path",
    parameters=[
        PUBLIC_ID,
        *openapi.CURSOR_PARAMETERS,
        query("live", openapi.choice("true", "false"), "Only coupons that can be used now."),
    ],
    answers=[
        Answer(
            200,
            "One page of coupons.",
            openapi.page_of(COUPON),
            {"items": [COUPON_EXAMPLE], "next_cursor": None},
        )
    ],
    errors=["member_not_found", "cursor_invalid", "parameter_invalid"],
)
post_member_coupons = Operation(
    name="issueCoupons",
    tag=COUPONS,
    summary="Give a member coupons of a template",
    scope="coupons:write",
    parameters=[PUBLIC_ID],
    body=Body(
        openapi.record({"template": TEMPLATE}, {"count": openapi.integer(1, 100)}),
        {"template": "birthday_20", "count": 1},
    ),
    answers=[
        Answer(
            201,
            "Given.",
            openapi.record({"issued": openapi.listing(COUPON)}),
            {"issued": [COUPON_EXAMPLE]},
        )
    ],
    errors=ISSUING,
    idempotency="required",
)
post_claim = Operation(
    name="claimCoupon",
    tag=COUPONS,
    summary="Claim a coupon that is there for members to take",
    scope="coupons:write",
    member_by="path",
    parameters=[PUBLIC_ID],
    body=Body(openapi.record({"template": TEMPLATE}), {"template": "birthday_20"}),
    answers=[Answer(201, "Claimed.", COUPON, COUPON_EXAMPLE)],
    errors=[*ISSUING, "coupon_not_claimable", "coupon_not_for_member", "coupon_claimed"],
    idempotency="required",
)
get_claimable = Operation(
    name="listClaimableCoupons",
    tag=COUPONS,
    summary="List what a member may claim now",
    scope="coupons:read",
    member_by="path",
    parameters=[PUBLIC_ID],
    answers=[
        Answer(
            200,
            "The templates.",
            openapi.record({"items": openapi.listing(openapi.record(OF_TEMPLATE))}),
            {"items": [OF_TEMPLATE_EXAMPLE]},
        )
    ],
    errors=["member_not_found", "programme_missing", "parameter_invalid"],
)
