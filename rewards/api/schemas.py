"""Schemas of facts, points and decisions."""

from config.base.api import openapi
from config.base.api.openapi import (
    BOOLEAN,
    DAY,
    FREE,
    ID,
    MONEY,
    POINTS,
    TEXT,
    TIME,
    choice,
    component,
    integer,
    listing,
    nullable,
    record,
    text,
)
from members.api.openapi import CURRENT_TIER, IDENTIFIER
from rewards.api import parsing
from rewards.domain import cart
from rewards.services import quote_tokens

QUANTITY = {
    "oneOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,12})?$"},
    ]
}
CODE = text(parsing.MAX_CODE_LENGTH, 0)
NAME = text(parsing.MAX_NAME_LENGTH, 0)
SOURCE = text(parsing.MAX_SOURCE_LENGTH)
ORDER_NO = text(parsing.MAX_ORDER_NO_LENGTH)
LINE_NO = integer(0, parsing.MAX_LINE_NO)
VERSION = integer(1, 1 << 62)

LINE = component(
    "OrderLine",
    record(
        {
            "line_no": LINE_NO,
            "sku": text(parsing.MAX_CODE_LENGTH),
            "quantity": QUANTITY,
            "amount": MONEY,
        },
        {
            "kind": choice(*cart.KINDS),
            "category": NAME,
            "brand": NAME,
            "list_amount": MONEY,
            "discounts": listing(
                record({"amount": MONEY}, {"kind": NAME, "code": NAME, "name": NAME}), 50
            ),
            "cost": MONEY,
            "earns": BOOLEAN,
        },
    ),
)
TENDER = component("Tender", record({"kind": text(40), "amount": MONEY}))

ORDER_REQUIRED = {
    "status": choice(*cart.STATUSES),
    "placed_at": TIME,
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "lines": listing(LINE, parsing.MAX_LINES),
}
ORDER_OPTIONAL = {
    "version": VERSION,
    "changed_at": TIME,
    "member": ID,
    "identifier": IDENTIFIER,
    "store": CODE,
    "till": CODE,
    "cashier": CODE,
    "tenders": listing(TENDER, parsing.MAX_TENDERS),
    "reservation": ID,
    "reservation_points": integer(0, 10**12),
    "coupons": listing(text(parsing.MAX_CODE_LENGTH), parsing.MAX_COUPONS),
    "quote": text(quote_tokens.MAX_LENGTH, 0),
}
REFUND_LINE = component(
    "RefundLine", record({"line_no": LINE_NO, "quantity": QUANTITY, "amount": MONEY})
)
REFUND_REQUIRED = {"refund_no": ORDER_NO, "refunded_at": TIME}
REFUND_OPTIONAL = {
    "lines": listing(REFUND_LINE, parsing.MAX_LINES, 1),
    "amount": MONEY,
    "points": integer(0, 10**12),
    "tenders": listing(TENDER, parsing.MAX_TENDERS),
}
INTERACTION_REQUIRED = {
    "source": SOURCE,
    "ref": text(parsing.MAX_REF_LENGTH),
    "kind": text(parsing.MAX_KIND_LENGTH),
    "occurred_at": TIME,
}
INTERACTION_OPTIONAL = {"member": ID, "identifier": IDENTIFIER, "data": FREE}
PLACE = {"source": SOURCE, "order_no": ORDER_NO}

ORDER = component("Order", record(ORDER_REQUIRED, ORDER_OPTIONAL))
REFUND = component("Refund", record(REFUND_REQUIRED, REFUND_OPTIONAL))
INTERACTION = component("Interaction", record(INTERACTION_REQUIRED, INTERACTION_OPTIONAL))
BATCH_FACT = component(
    "BatchFact",
    {
        "oneOf": [
            record({"type": choice("order"), **PLACE, **ORDER_REQUIRED}, ORDER_OPTIONAL),
            record({"type": choice("refund"), **PLACE, **REFUND_REQUIRED}, REFUND_OPTIONAL),
            record({"type": choice("interaction"), **INTERACTION_REQUIRED}, INTERACTION_OPTIONAL),
        ]
    },
)

BALANCES = {"pending": POINTS, "available": POINTS, "reserved": POINTS, "debt": POINTS}
BALANCE = component("Balance", record(BALANCES))
EXPLANATION_ITEM = component(
    "ExplanationItem",
    {
        "type": "object",
        "description": "A stable code with its figures, and the sentence that they make.",
        "properties": {"code": TEXT, "text": TEXT, "rule": TEXT},
        "required": ["code", "text"],
    },
)
EXPLANATION = listing(EXPLANATION_ITEM)
REASON = component(
    "Reason",
    {
        "type": "object",
        "description": "A stable code with its figures, and the sentence that they make.",
        "properties": {"code": TEXT, "text": TEXT},
        "required": ["code", "text"],
    },
)
ISSUE = {"type": "object", "properties": {"code": TEXT}, "required": ["code"]}
FACT_ANSWER = component(
    "FactAnswer",
    {
        "type": "object",
        "properties": {
            "code": choice("superseded"),
            "order": record(
                {"source": TEXT, "order_no": TEXT, "version": VERSION, "net_amount": MONEY},
                {"superseded": BOOLEAN},
            ),
            "interaction": record({"source": TEXT, "ref": TEXT}),
            "member": ID,
            "points": record(
                {
                    "earned": POINTS,
                    "delta": POINTS,
                    "base": POINTS,
                    "bonus": listing(record({"rule": TEXT, "points": POINTS})),
                }
            ),
            "balance": BALANCE,
            "tier": record({"before": TEXT, "after": TEXT, "changed": BOOLEAN}),
            "issued": listing(FREE),
            "explanation": EXPLANATION,
            "issues": listing(ISSUE),
            "replayed": BOOLEAN,
        },
        "required": ["points", "balance", "tier", "explanation", "issues", "replayed"],
    },
)
KEPT_STATE = choice("awaiting_member", "parked")
KEPT_ANSWER = component(
    "KeptAnswer",
    record({"code": KEPT_STATE, "status": KEPT_STATE}, {"replayed": BOOLEAN}),
)
BATCH_RESULT = component(
    "BatchResult",
    {
        "type": "object",
        "description": "`status` is what the call alone would have answered.",
        "properties": {"status": {"type": "integer"}, "code": TEXT},
        "required": ["status"],
    },
)
POINTS_KEYS = {
    **BALANCES,
    "expiring": listing(record({"on": nullable(DAY), "points": POINTS})),
    "lifetime": record(
        {"earned": POINTS, "redeemed": POINTS, "expired": POINTS, "reversed": POINTS}
    ),
}
POINTS_READING = component("Points", record(POINTS_KEYS))
ENTRY = component(
    "Entry",
    record(
        {
            "id": {"type": "integer"},
            "seq": {"type": "integer"},
            "from": TEXT,
            "to": TEXT,
            "points": integer(1, 1 << 62),
            "reason": TEXT,
            "text": TEXT,
            "rule": nullable(record({"code": TEXT, "version": {"type": "integer"}})),
            "order": nullable(record({"source": TEXT, "order_no": TEXT})),
            "interaction": nullable(record({"source": TEXT, "ref": TEXT, "kind": TEXT})),
            "fact": nullable(
                record({"source": TEXT, "kind": TEXT, "ref": TEXT, "version": {"type": "integer"}})
            ),
            "last_valid_on": nullable(DAY),
            "actor": TEXT,
            "occurred_at": TIME,
            "recorded_at": TIME,
        }
    ),
)
EXPLANATION_READING = component(
    "Explanation",
    record(
        {
            "entry": ENTRY,
            "member": ID,
            "decided_at": nullable(TIME),
            "points": nullable(POINTS),
            "explanation": EXPLANATION,
            "lots": listing(
                record({"points": POINTS, "earned_at": TIME, "last_valid_on": nullable(DAY)})
            ),
        }
    ),
)
STATEMENT = component(
    "Statement",
    record(
        {
            "month": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
            "opening": POINTS,
            "earned": POINTS,
            "spent": POINTS,
            "expired": POINTS,
            "adjusted": POINTS,
            "closing": POINTS,
            "issued": POINTS,
            "reversed": POINTS,
        }
    ),
)
GAP = component(
    "Gap",
    {
        "type": "object",
        "description": "Groups are alternatives; within one all gaps have to be closed.",
        "properties": {
            "metric": TEXT,
            "window": TEXT,
            "value": {"type": ["string", "integer"]},
            "threshold": {"type": ["string", "integer"]},
            "needed": {"type": ["string", "integer"]},
            "next_tier": TEXT,
            "group": {"type": "integer"},
            "expires_on": nullable(DAY),
            "attribute": TEXT,
            "metric_text": TEXT,
            "window_text": TEXT,
        },
        "required": ["metric", "window", "value", "threshold", "needed", "next_tier", "group"],
    },
)
RISKS = listing(record({"code": TEXT, "tier": TEXT, "on": DAY, "needed": listing(GAP)}))
OPPORTUNITIES = listing(record({"code": TEXT, "tier": TEXT, "needed": listing(GAP)}))
TIER_READING = component(
    "TierReading",
    record(
        {
            "current": CURRENT_TIER,
            "progress": listing(GAP),
            "risks": RISKS,
            "opportunities": OPPORTUNITIES,
            "benefits": listing(
                record(
                    {"code": TEXT},
                    {
                        "value": TEXT,
                        "percent": TEXT,
                        "name": TEXT,
                        "description": TEXT,
                        "quota": nullable({"type": "integer"}),
                        "left": nullable({"type": "integer"}),
                        "period": TEXT,
                        "until": nullable(DAY),
                    },
                )
            ),
        }
    ),
)
ORDER_READING = component(
    "OrderReading",
    record(
        {
            "order": record(
                {
                    "source": TEXT,
                    "order_no": TEXT,
                    "version": VERSION,
                    "status": choice(*cart.STATUSES),
                    "member": ID,
                    "placed_at": TIME,
                    "currency": TEXT,
                    "store": nullable(TEXT),
                    "channel": TEXT,
                    "sold_amount": MONEY,
                    "net_amount": MONEY,
                    "lines": listing(
                        record(
                            {
                                "line_no": LINE_NO,
                                "sku": TEXT,
                                "kind": TEXT,
                                "category": nullable(TEXT),
                                "brand": nullable(TEXT),
                                "quantity": TEXT,
                                "amount": MONEY,
                                "earns": BOOLEAN,
                            }
                        )
                    ),
                    "refunds": listing(
                        record(
                            {
                                "refund_no": TEXT,
                                "refunded_at": TIME,
                                "amount": nullable(MONEY),
                                "points": nullable(POINTS),
                            }
                        )
                    ),
                }
            ),
            "points": record({"earned": POINTS}),
            "explanation": EXPLANATION,
        }
    ),
)
ADJUSTMENT = component(
    "Adjustment",
    record(
        {"points": integer(-(10**12), 10**12), "reason": text(200)},
    ),
)
ADJUSTED = component("Adjusted", record({"points": POINTS, "balance": BALANCE}))
ADJUSTMENT_ASKED = component(
    "AdjustmentAsked",
    record(
        {
            "code": choice("approval_required"),
            "status": choice("approval_required"),
            "points": POINTS,
            "approval": {"type": "integer"},
            "limit": choice("call", "day", "member_month"),
        }
    ),
)

SOURCE_PATH = openapi.path("source", SOURCE, "The name space of the order number.")
ORDER_NO_PATH = openapi.path("order_no", ORDER_NO, "The order number within its source.")
