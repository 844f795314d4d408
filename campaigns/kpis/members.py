"""Members: how many, how many are new, buy, take part, and bring others."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from campaigns.kpis.commerce import BOUGHT
from campaigns.kpis.metrics import Group, Measure, Metric, Unit
from campaigns.kpis.points import ENTRIES

MEMBERS: Final = """(
    SELECT joined_at FROM members_member
    WHERE joined_at < %(until)s AND status NOT IN ('erased', 'merged', 'closed')
)"""
REFERRALS: Final = """(
    SELECT i.member_id FROM members_interaction i
    WHERE i.kind = 'referral' AND i.occurred_at >= %(d365)s AND i.occurred_at < %(until)s
      AND NOT EXISTS (SELECT FROM campaigns_referral r
                      WHERE r.fact_id = i.fact_id AND r.state = 'taken_back')
)"""

_ALL: Final = Measure(MEMBERS, "count(*)")

METRICS: Final = (
    Metric(
        "members", _("Members"),
        _(
            "Members who had joined by the day; those who have since closed their account, were"
            " erased or merged are not counted. Source: members."
        ),
        Unit.COUNT, Group.MEMBERS, _ALL,
    ),
    Metric(
        "new_members", _("New members"),
        _("Members who joined in the last 30 days. Source: members."),
        Unit.COUNT, Group.MEMBERS,
        Measure(MEMBERS, "count(*) FILTER (WHERE joined_at >= %(d30)s)"),
    ),
    Metric(
        "active_members", _("Active members"),
        _(
            "Members with at least one order in the last 365 days that is not cancelled and has a"
            " positive net amount. Source: orders."
        ),
        Unit.COUNT, Group.MEMBERS, BOUGHT,
    ),
    Metric(
        "participation_rate", _("Participation rate"),
        _(
            "Members who earned or redeemed points in the last 90 days ÷ all members. Source:"
            " entries of the ledger, members."
        ),
        Unit.PERCENT, Group.MEMBERS,
        Measure(
            ENTRIES,
            "count(DISTINCT member_id) FILTER (WHERE occurred_at >= %(d90)s"
            " AND (source = 'issuance' OR target = 'redeemed'))",
        ),
        _ALL,
    ),
    Metric(
        "referral_rate", _("Referral rate"),
        _(
            "Members who brought at least one new member in the last 365 days ÷ active members"
            " (who bought in the same days). Source: interactions of the kind referral, orders."
        ),
        Unit.PERCENT, Group.MEMBERS, Measure(REFERRALS, "count(DISTINCT member_id)"), BOUGHT,
    ),
)  # fmt: skip
