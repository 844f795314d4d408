"""Tiers: what the members who hold one bring."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from campaigns.kpis.metrics import Group, Measure, Metric, Unit

# The tier before the order decides, as it does for points: a standing holds after its beginning.
SALES: Final = """(
    SELECT o.net_amount, coalesce(t.rank, 0) AS rank
    FROM members_order o
    LEFT JOIN tiers_standing s ON s.member_id = o.member_id
        AND s.from_at < o.placed_at AND (s.ended_at IS NULL OR o.placed_at <= s.ended_at)
    LEFT JOIN tiers_tier t ON t.id = s.tier_id
    WHERE o.placed_at >= %(d365)s AND o.placed_at < %(until)s
      AND o.status <> 'cancelled' AND o.net_amount > 0
)"""
STANDINGS: Final = """(
    SELECT t.rank
    FROM tiers_standing s
    JOIN tiers_tier t ON t.id = s.tier_id
    JOIN members_member m ON m.id = s.member_id AND m.status NOT IN ('erased', 'merged', 'closed')
    WHERE s.from_at < %(until)s AND (s.ended_at IS NULL OR s.ended_at >= %(until)s)
)"""

METRICS: Final = (
    Metric(
        "tier_members", _("Members above the first tier"),
        _(
            "Members who hold an earned tier above the first at the end of the day ÷ members who"
            " hold any tier. Source: standings."
        ),
        Unit.PERCENT, Group.TIERS,
        Measure(STANDINGS, "count(*) FILTER (WHERE rank > 0)"), Measure(STANDINGS, "count(*)"),
    ),
    Metric(
        "tier_revenue_share", _("Revenue share of tier members"),
        _(
            "Net sales of the last 365 days to members who held a tier above the first before the"
            " order ÷ net sales to all members. Source: orders, standings."
        ),
        Unit.PERCENT, Group.TIERS,
        Measure(SALES, "coalesce(sum(net_amount) FILTER (WHERE rank > 0), 0)"),
        Measure(SALES, "coalesce(sum(net_amount), 0)"),
    ),
)  # fmt: skip
