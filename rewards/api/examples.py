"""An example of every body and answer, held to its schema by a test."""

from members.api.openapi import EXAMPLE_ID, EXAMPLE_TIME, TIER_EXAMPLE

LINE_EXAMPLE = {
    "line_no": 1,
    "sku": "A-1001",
    "category": "coffee",
    "quantity": 2,
    "amount": "128.50",
}
ORDER_EXAMPLE = {
    "version": 1,
    "identifier": {"kind": "phone", "value": "13800138000"},
    "status": "paid",
    "placed_at": EXAMPLE_TIME,
    "currency": "CNY",
    "store": "SH-001",
    "lines": [LINE_EXAMPLE],
    "tenders": [{"kind": "card", "amount": "128.50"}],
}
REFUND_EXAMPLE = {
    "refund_no": "R-1",
    "refunded_at": "2026-03-09T10:00:00+08:00",
    "lines": [{"line_no": 1, "quantity": 1, "amount": "64.25"}],
}
INTERACTION_EXAMPLE = {
    "source": "app",
    "ref": "survey-77-12",
    "member": EXAMPLE_ID,
    "kind": "survey",
    "occurred_at": EXAMPLE_TIME,
    "data": {"score": 9},
}
BALANCE_EXAMPLE = {"pending": 0, "available": 128, "reserved": 0, "debt": 0}
EXPLANATION_EXAMPLE = [
    {
        "rule": "base",
        "code": "earned",
        "base": "128.50",
        "rate": [1, 100],
        "points": 128,
        "text": "基础积分:128.50 按每 1.00 得 1 分计,得 128 分。",
    }
]
FACT_EXAMPLE = {
    "member": EXAMPLE_ID,
    "order": {
        "source": "till-7",
        "order_no": "20260308-0001",
        "version": 1,
        "net_amount": "128.50",
        "superseded": False,
    },
    "points": {"earned": 128, "delta": 128, "base": 128, "bonus": []},
    "balance": BALANCE_EXAMPLE,
    "tier": {"before": "basic", "after": "basic", "changed": False},
    "issued": [],
    "explanation": EXPLANATION_EXAMPLE,
    "issues": [],
    "replayed": False,
}
POINTS_EXAMPLE = {
    **BALANCE_EXAMPLE,
    "expiring": [{"on": "2027-03-31", "points": 128}],
    "lifetime": {"earned": 128, "redeemed": 0, "expired": 0, "reversed": 0},
}
ENTRY_EXAMPLE = {
    "id": 4711,
    "seq": 1,
    "from": "issuance",
    "to": "available",
    "points": 128,
    "reason": "order_paid",
    "text": "获得 – 订单",
    "rule": {"code": "base", "version": 1},
    "order": {"source": "till-7", "order_no": "20260308-0001"},
    "interaction": None,
    "fact": {"source": "till-7", "kind": "order", "ref": "20260308-0001", "version": 1},
    "last_valid_on": "2027-03-31",
    "actor": "touchpoint:till-7",
    "occurred_at": EXAMPLE_TIME,
    "recorded_at": EXAMPLE_TIME,
}
EXPLANATION_READING_EXAMPLE = {
    "entry": ENTRY_EXAMPLE,
    "member": EXAMPLE_ID,
    "decided_at": EXAMPLE_TIME,
    "points": 128,
    "explanation": EXPLANATION_EXAMPLE,
    "lots": [],
}
STATEMENT_EXAMPLE = {
    "month": "2026-03",
    "opening": 0,
    "earned": 128,
    "spent": 0,
    "expired": 0,
    "adjusted": 0,
    "closing": 128,
    "issued": 128,
    "reversed": 0,
}
GAP_EXAMPLE = {
    "metric": "spend",
    "window": "rolling_days:365",
    "value": "1128.50",
    "threshold": "3000.00",
    "needed": "1871.50",
    "next_tier": "gold",
    "group": 0,
    "expires_on": "2027-03-07",
    "metric_text": "消费金额",
    "window_text": "近 365 天",
}
TIER_READING_EXAMPLE = {
    "current": TIER_EXAMPLE,
    "progress": [GAP_EXAMPLE],
    "risks": [{"code": "tier_ends", "tier": "silver", "on": "2027-03-08", "needed": []}],
    "opportunities": [{"code": "next_tier", "tier": "gold", "needed": [GAP_EXAMPLE]}],
    "benefits": [
        {"code": "points_multiplier", "value": "1.1"},
        {"code": "tier_discount", "percent": "2"},
    ],
}
ORDER_READING_EXAMPLE = {
    "order": {
        "source": "till-7",
        "order_no": "20260308-0001",
        "version": 1,
        "status": "paid",
        "member": EXAMPLE_ID,
        "placed_at": EXAMPLE_TIME,
        "currency": "CNY",
        "store": "SH-001",
        "channel": "pos",
        "sold_amount": "128.50",
        "net_amount": "128.50",
        "lines": [
            {
                "line_no": 1,
                "sku": "A-1001",
                "kind": "goods",
                "category": "coffee",
                "brand": None,
                "quantity": "2",
                "amount": "128.50",
                "earns": True,
            }
        ],
        "refunds": [],
    },
    "points": {"earned": 128},
    "explanation": EXPLANATION_EXAMPLE,
}
