"""Buying: repurchase, retention, churn, frequency, spend per buyer and per order."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from campaigns.kpis.metrics import Group, Measure, Metric, Unit

# One row per member who bought within two years: an order counts when its net amount is positive.
BUYERS: Final = """(
    SELECT member_id,
           count(*) FILTER (WHERE placed_at >= %(d365)s) AS orders_365,
           coalesce(sum(net_amount) FILTER (WHERE placed_at >= %(d365)s), 0) AS net_365,
           count(*) FILTER (WHERE placed_at < %(d365)s) AS orders_before_365,
           count(*) FILTER (WHERE placed_at >= %(d180)s) AS orders_180,
           count(*) FILTER (WHERE placed_at >= %(d545)s AND placed_at < %(d180)s) AS orders_545_180,
           count(*) FILTER (WHERE placed_at >= %(d30)s) AS orders_30,
           coalesce(sum(net_amount) FILTER (WHERE placed_at >= %(d30)s), 0) AS net_30
    FROM members_order
    WHERE placed_at >= %(d730)s AND placed_at < %(until)s
      AND status <> 'cancelled' AND net_amount > 0
    GROUP BY member_id
)"""

# Orders without a member are not orders yet but facts that wait for one, at their highest version.
STRANGERS: Final = """(
    SELECT greatest(0, s.sold - s.refunded) / %(minor_units)s::numeric AS net
    FROM (
        SELECT DISTINCT ON (f.source, f.ref) f.body->>'status' AS status,
               (SELECT coalesce(sum((l->>6)::numeric), 0)
                FROM jsonb_array_elements(f.body->'lines') l) AS sold,
               (SELECT coalesce(sum(coalesce(
                    (r.body->>'amount')::numeric,
                    (SELECT sum((l->>2)::numeric) FROM jsonb_array_elements(r.body->'lines') l),
                    'Infinity'::numeric)), 0)
                FROM members_receivedfact r
                WHERE r.order_no = f.ref AND r.source = f.source AND r.kind = 'refund'
                  AND r.order_no <> '' AND r.acts_at < %(until)s) AS refunded
        FROM members_receivedfact f
        WHERE f.state = 'awaiting_member' AND f.kind = 'order'
          AND (f.body->>'placed_at')::timestamptz >= %(d365)s
          AND (f.body->>'placed_at')::timestamptz < %(until)s
        ORDER BY f.source, f.ref, f.version DESC
    ) s
    WHERE s.status <> 'cancelled' AND s.sold > s.refunded
)"""

BOUGHT: Final = Measure(BUYERS, "count(*) FILTER (WHERE orders_365 >= 1)")
_SPENT: Final = Measure(BUYERS, "coalesce(sum(net_365), 0)")
_ORDERS: Final = Measure(BUYERS, "coalesce(sum(orders_365), 0)")

METRICS: Final = (
    Metric(
        "repurchase_rate", _("Repurchase rate"),
        _(
            "Members with at least 2 orders in the last 365 days ÷ members with at least 1. An"
            " order counts when it is not cancelled and its net amount, after refunds, is positive."
            " Source: orders by the instant they were placed."
        ),
        Unit.PERCENT, Group.COMMERCE,
        Measure(BUYERS, "count(*) FILTER (WHERE orders_365 >= 2)"), BOUGHT,
    ),
    Metric(
        "frequency", _("Purchase frequency"),
        _(
            "Net orders of members in the last 365 days ÷ members with at least one of them."
            " Source: orders."
        ),
        Unit.TIMES, Group.COMMERCE, _ORDERS, BOUGHT,
    ),
    Metric(
        "spend_per_buyer", _("Spend per buyer"),
        _(
            "Net spend of members in the last 365 days ÷ the members who bought (not ÷ orders)."
            " Source: net amounts of orders."
        ),
        Unit.MONEY, Group.COMMERCE, _SPENT, BOUGHT,
    ),
    Metric(
        "order_value", _("Average order value"),
        _(
            "Net spend of members in the last 365 days ÷ their net orders (not ÷ buyers)."
            " Source: net amounts of orders."
        ),
        Unit.MONEY, Group.COMMERCE, _SPENT, _ORDERS,
    ),
    Metric(
        "stranger_order_value", _("Average order value without a member"),
        _(
            "Net spend ÷ net orders of the last 365 days that belong to no member. Source: orders"
            " that were received and that nobody has claimed, less their refunds."
        ),
        Unit.MONEY, Group.COMMERCE,
        Measure(STRANGERS, "coalesce(sum(net), 0)"), Measure(STRANGERS, "count(*)"),
    ),
    Metric(
        "net_sales", _("Net sales to members"),
        _("Net amounts of members' orders in the last 30 days, after refunds. Source: orders."),
        Unit.MONEY, Group.COMMERCE, Measure(BUYERS, "coalesce(sum(net_30), 0)"),
    ),
    Metric(
        "orders", _("Orders of members"),
        _("Net orders of members in the last 30 days. Source: orders."),
        Unit.COUNT, Group.COMMERCE, Measure(BUYERS, "coalesce(sum(orders_30), 0)"),
    ),
    Metric(
        "retention_rate", _("Customer retention rate"),
        _(
            "Of the members who bought in the 365 days before the last 365 days, those who bought"
            " again in the last 365 days. Source: orders."
        ),
        Unit.PERCENT, Group.COMMERCE,
        Measure(BUYERS, "count(*) FILTER (WHERE orders_before_365 > 0 AND orders_365 > 0)"),
        Measure(BUYERS, "count(*) FILTER (WHERE orders_before_365 > 0)"),
    ),
    Metric(
        "churn_rate", _("Churn rate"),
        _(
            "Of the members who bought in the 365 days that ended 180 days ago, those who bought"
            " nothing in the last 180 days. Members whose first purchase is newer are not counted."
            " Source: orders."
        ),
        Unit.PERCENT, Group.COMMERCE,
        Measure(BUYERS, "count(*) FILTER (WHERE orders_545_180 > 0 AND orders_180 = 0)"),
        Measure(BUYERS, "count(*) FILTER (WHERE orders_545_180 > 0)"),
    ),
)  # fmt: skip
