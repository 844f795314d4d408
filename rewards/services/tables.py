"""The tables that posting writes, with the columns it fills."""

from typing import Final

from config.base.bulk import Table

BIGINT, TEXT, TIME, NUMERIC, BOOL = "bigint", "text", "timestamptz", "numeric", "boolean"

ORDERS: Final = Table(
    "members_order",
    ("id", "source", "order_no", "member_id", "touchpoint_id", "store_id", "channel", "version",
     "status", "placed_at", "currency", "sold_amount", "net_amount", "qualifying_amount"),
    (BIGINT, TEXT, TEXT, BIGINT, BIGINT, BIGINT, TEXT, BIGINT, TEXT, TIME, TEXT, NUMERIC, NUMERIC,
     NUMERIC),
)  # fmt: skip
ORDER_STATES: Final = Table(
    "members_order",
    ("id", "member_id", "store_id", "version", "status", "sold_amount", "net_amount",
     "qualifying_amount"),
    (BIGINT, BIGINT, BIGINT, BIGINT, TEXT, NUMERIC, NUMERIC, NUMERIC),
)  # fmt: skip
LINES: Final = Table(
    "members_orderline",
    ("order_id", "member_id", "line_no", "sku", "kind", "category", "brand", "quantity", "amount",
     "earns", "list_amount", "cost", "discounts"),
    (BIGINT, BIGINT, "integer", TEXT, TEXT, TEXT, TEXT, NUMERIC, NUMERIC, BOOL, NUMERIC, NUMERIC,
     "jsonb"),
    ("order_id", "line_no"),
)  # fmt: skip
GONE_LINES: Final = Table(
    "members_orderline", ("order_id", "line_no"), (BIGINT, "integer"), ("order_id", "line_no")
)
FACTS: Final = Table(
    "members_receivedfact",
    ("id", "source", "kind", "ref", "version", "order_no", "digest", "member_id", "order_id",
     "touchpoint_id", "state", "acts_at", "received_at", "awaits_kind", "awaits_hash", "body"),
    (BIGINT, TEXT, TEXT, TEXT, BIGINT, TEXT, "bytea", BIGINT, BIGINT, BIGINT, TEXT, TIME, TIME,
     TEXT, "bytea", "jsonb"),
)  # fmt: skip
FACT_STATES: Final = Table(
    "members_receivedfact",
    ("id", "member_id", "order_id", "acts_at", "state", "awaits_kind", "awaits_hash"),
    (BIGINT, BIGINT, BIGINT, TIME, TEXT, TEXT, "bytea"),
)
REFUNDS: Final = Table(
    "members_refund",
    ("order_id", "member_id", "fact_id", "refund_no", "refunded_at", "amount", "points", "lines"),
    (BIGINT, BIGINT, BIGINT, TEXT, TIME, NUMERIC, BIGINT, "jsonb"),
)
REFUND_OWNERS: Final = Table(
    "members_refund", ("fact_id", "member_id"), (BIGINT, BIGINT), ("fact_id",)
)
INTERACTIONS: Final = Table(
    "members_interaction",
    ("fact_id", "member_id", "source", "ref", "kind", "occurred_at", "data"),
    (BIGINT, BIGINT, TEXT, TEXT, TEXT, TIME, "jsonb"),
)
MODERATIONS: Final = Table(
    "members_moderation",
    ("fact_id", "member_id", "state", "order_source", "order_no", "line_no", "occurred_at",
     "number"),
    (BIGINT, BIGINT, TEXT, TEXT, TEXT, "integer", TIME, "integer"),
)  # fmt: skip
EVALUATIONS: Final = Table(
    "rewards_evaluation",
    ("fact_id", "member_id", "order_id", "interaction_id", "points", "delta", "awards",
     "explanation", "result", "decided_at"),
    (BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, "jsonb", "jsonb", "jsonb", TIME),
)  # fmt: skip
ENTRIES: Final = Table(
    "rewards_entry",
    ("id", "account_id", "member_id", "seq", "source", "target", "points", "fact_id", "rule_id",
     "order_id", "interaction_id", "reservation_id", "reason", "actor", "occurred_at",
     "recorded_at", "hash"),
    (BIGINT, BIGINT, BIGINT, BIGINT, TEXT, TEXT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT,
     TEXT, TEXT, TIME, TIME, "bytea"),
)  # fmt: skip
LOTS: Final = Table(
    "rewards_lot",
    ("id", "account_id", "member_id", "entry_id", "order_id", "interaction_id", "rule_id",
     "points", "remaining", "expired", "is_pending", "is_opening", "earned_at", "available_at",
     "expires_at"),
    (BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, BOOL, BOOL,
     TIME, TIME, TIME),
)  # fmt: skip
LOT_STATES: Final = Table(
    "rewards_lot",
    ("id", "remaining", "expired", "is_pending", "available_at", "expires_at"),
    (BIGINT, BIGINT, BIGINT, BOOL, TIME, TIME),
)
LOT_USES: Final = Table(
    "rewards_lotuse",
    ("entry_id", "lot_id", "member_id", "points"),
    (BIGINT, BIGINT, BIGINT, BIGINT),
)
ACCOUNTS: Final = Table(
    "rewards_pointsaccount",
    ("id", "pending", "available", "reserved", "debt", "earned", "redeemed", "expired", "reversed",
     "adjusted", "seq", "head_hash", "settled_at", "next_due_at", "last_fact_at"),
    (BIGINT,) * 11 + ("bytea", TIME, TIME, TIME),
)  # fmt: skip
RESERVATIONS: Final = Table(
    "rewards_reservation",
    ("id", "status", "captured_points", "given_back_points", "order_id", "closed_at"),
    (BIGINT, TEXT, BIGINT, BIGINT, BIGINT, TIME),
)
NEW_RESERVATIONS: Final = Table(
    "rewards_reservation",
    ("id", "public_id", "member_id", "account_id", "parent_id", "touchpoint_id", "status",
     "points", "captured_points", "given_back_points", "held_at", "expires_at", "closed_at"),
    (BIGINT, "uuid", BIGINT, BIGINT, BIGINT, BIGINT, TEXT, BIGINT, BIGINT, BIGINT, TIME, TIME,
     TIME),
)  # fmt: skip
REDEMPTIONS: Final = Table(
    "rewards_redemption",
    ("id", "public_id", "member_id", "reward_id", "slot_id", "stock_id", "reservation_id",
     "quantity", "points", "status", "sealed_address", "carrier", "tracking_number",
     "touchpoint_id", "actor", "requested_at", "approved_by", "fulfilled_at", "close_reason"),
    (BIGINT, "uuid", BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, "integer", BIGINT, TEXT, "bytea",
     TEXT, TEXT, BIGINT, TEXT, TIME, TEXT, TIME, TEXT),
)  # fmt: skip
STOCK_MOVEMENTS: Final = Table(
    "rewards_stockmovement",
    ("stock_id", "quantity", "reason", "redemption_id", "actor", "at"),
    (BIGINT, "integer", TEXT, BIGINT, TEXT, TIME),
)
SNAPSHOTS: Final = Table(
    "rewards_foldsnapshot",
    ("member_id", "position", "state", "review_due_at"),
    (BIGINT, "jsonb", "jsonb", TIME),
    ("member_id",),
)
PROGRESS: Final = Table(
    "tiers_progressentry",
    ("member_id", "metric", "amount", "at", "fact_id", "recorded_at"),
    (BIGINT, TEXT, NUMERIC, TIME, BIGINT, TIME),
)
STANDINGS: Final = Table(
    "tiers_standing",
    ("member_id", "tier_id", "from_at", "ended_at", "kept_until_on", "reason", "evidence"),
    (BIGINT, BIGINT, TIME, TIME, "date", TEXT, "jsonb"),
)
STANDING_ENDS: Final = Table(
    "tiers_standing",
    ("id", "from_at", "ended_at", "kept_until_on"),
    (BIGINT, TIME, TIME, "date"),
)
GONE_STANDINGS: Final = Table("tiers_standing", ("id",), (BIGINT,))
FIRST_PURCHASES: Final = Table(
    "members_memberprofile",
    ("member_id", "first_purchase_on"),
    (BIGINT, "date"),
    ("member_id",),
)
SERVICE_LEVELS: Final = Table("members_member", ("id", "service_level"), (BIGINT, "smallint"))
CASES: Final = Table(
    "members_case",
    ("member_id", "code", "fact_id", "state", "details", "opened_at"),
    (BIGINT, TEXT, BIGINT, TEXT, "jsonb", TIME),
)

COPY_ORDER: Final = (
    ORDERS, FACTS, LINES, REFUNDS, INTERACTIONS, MODERATIONS, EVALUATIONS, ENTRIES, LOTS,
    LOT_USES, PROGRESS, STANDINGS, CASES,
)  # fmt: skip
"""Rows that others point at go first."""
