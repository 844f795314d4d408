"""The description of quotes."""

from config.base.api import openapi
from config.base.api.openapi import ID, MONEY, POINTS, TEXT, Answer, Body, Operation
from members.api.openapi import EXAMPLE_ID, IDENTIFIER
from rewards.api import parsing, schemas
from rewards.api.openapi_benefits import BENEFIT, BENEFIT_EXAMPLE
from rewards.api.openapi_coupons import OF_TEMPLATE
from rewards.services import quote_tokens

QUOTES = "Quotes"

CART = openapi.component(
    "Cart",
    openapi.record(
        {
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "lines": openapi.listing(schemas.LINE, parsing.MAX_LINES, 1),
        },
        {
            "member": ID,
            "identifier": IDENTIFIER,
            "source": openapi.text(parsing.MAX_SOURCE_LENGTH, 0),
            "store": schemas.CODE,
            "coupons": openapi.listing(openapi.text(parsing.MAX_CODE_LENGTH), parsing.MAX_COUPONS),
            "points": openapi.integer(0, 10**12),
        },
    ),
)
PAYING = openapi.record(
    {
        "available": POINTS,
        "rate": openapi.record({"points": POINTS, "amount": MONEY}),
        "min": POINTS,
        "step": POINTS,
        "max": POINTS,
        "max_percent": TEXT,
        "points": POINTS,
        "amount": MONEY,
        "why_not": openapi.listing(schemas.REASON),
    }
)
COUPON_ON_CART = openapi.component(
    "CouponOnCart",
    openapi.record(
        {
            "code": TEXT, "usable": openapi.BOOLEAN, "asked": openapi.BOOLEAN,
            "reasons": openapi.listing(schemas.REASON),
        },
        {**OF_TEMPLATE, "expires_at": openapi.nullable(openapi.TIME), "discount": MONEY},
    ),
)  # fmt: skip
QUOTE = openapi.component(
    "Quote",
    openapi.record(
        {
            "member": ID,
            "tier": openapi.record({"code": TEXT, "after": TEXT, "changed": {"type": "boolean"}}),
            "points": openapi.record(
                {
                    "earned": POINTS,
                    "base": POINTS,
                    "bonus": openapi.listing(openapi.record({"rule": TEXT, "points": POINTS})),
                }
            ),
            "amounts": openapi.record(
                {
                    "list": MONEY,
                    "tier_discount": MONEY,
                    "coupons": MONEY,
                    "net": MONEY,
                    "paid_in_points": MONEY,
                    "to_pay": MONEY,
                }
            ),
            "tier_discount": openapi.record({"tier": TEXT, "percent": TEXT, "amount": MONEY}),
            "coupons": openapi.listing(COUPON_ON_CART),
            "benefits": openapi.listing(BENEFIT),
            "pay_with_points": PAYING,
            "explanation": schemas.EXPLANATION,
            "order": openapi.record(
                {"lines": openapi.listing(schemas.LINE)},
                {
                    "tenders": openapi.listing(schemas.TENDER),
                    "coupons": openapi.listing(openapi.text(parsing.MAX_CODE_LENGTH)),
                },
            ),
            "quote": openapi.text(quote_tokens.MAX_LENGTH),
        }
    ),
)
LINE_EXAMPLE = {"line_no": 1, "sku": "TEA-01", "quantity": 1, "amount": "120.00"}
CART_EXAMPLE = {"member": EXAMPLE_ID, "currency": "CNY", "lines": [LINE_EXAMPLE], "points": 1000}
QUOTE_EXAMPLE = {
    "member": EXAMPLE_ID,
    "tier": {"code": "silver", "after": "silver", "changed": False},
    "points": {"earned": 117, "base": 107, "bonus": [{"rule": "tier", "points": 10}]},
    "amounts": {
        "list": "120.00",
        "tier_discount": "2.40",
        "coupons": "0.00",
        "net": "117.60",
        "paid_in_points": "10.00",
        "to_pay": "107.60",
    },
    "tier_discount": {"tier": "silver", "percent": "2", "amount": "2.40"},
    "coupons": [],
    "benefits": [BENEFIT_EXAMPLE],
    "pay_with_points": {
        "available": 5200,
        "rate": {"points": 100, "amount": "1.00"},
        "min": 100,
        "step": 100,
        "max": 5200,
        "max_percent": "50",
        "points": 1000,
        "amount": "10.00",
        "why_not": [],
    },
    "explanation": [{"code": "fixed", "rule": "welcome", "points": 5, "text": "新会员：5 积分。"}],
    "order": {
        "lines": [
            {
                **LINE_EXAMPLE,
                "amount": "117.60",
                "discounts": [{"kind": "tier", "code": "silver", "amount": "2.40"}],
            }
        ],
        "tenders": [{"kind": "points", "amount": "10.00"}],
    },
    "quote": "eyJtIjoiMDE5…",
}

post_quote = Operation(
    name="quoteCart",
    tag=QUOTES,
    summary="Quote a cart: what it would cost and earn, and why; writes nothing",
    scope="quotes:read",
    member_by="body",
    body=Body(CART, CART_EXAMPLE),
    answers=[Answer(200, "The result in advance.", QUOTE, QUOTE_EXAMPLE)],
    errors=["member_not_found", "programme_missing", "too_many_unknown_codes"],
)
