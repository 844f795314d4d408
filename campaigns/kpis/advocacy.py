"""Advocacy: friends brought, recommendation scores, and what members publish.

A score counts where a survey says one of ten: our own feedback forms and the surveys of shops. Of
each member the last one counts, so nobody recommends twice.

Source: KPI-08.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy as _

from campaigns.kpis import reading
from campaigns.kpis.members import MEMBERS
from campaigns.kpis.metrics import Group, Measure, Metric, Unit
from config.base import clock

# A moderator's word is an interaction of its own; what they have not let pass says nothing.
_ACCEPTED: Final = """i.source <> 'moderation' AND NOT EXISTS (
    SELECT FROM members_moderation w WHERE w.fact_id = i.fact_id AND w.state <> 'approved')"""
_PUBLISHED: Final = """(i.kind = 'review' OR i.kind IN (
    SELECT k.code FROM members_interactionkind k WHERE k.needs_moderation))"""
_SCORE: Final = "coalesce(i.data ->> 'nps', i.data ->> 'score')"
_IS_SCORE: Final = f"i.kind = 'survey' AND {_SCORE} ~ '^(10|[0-9])$'"

# What merged members did stays with them, and counts for the member that stands for them now.
_HEIRS: Final = """(
    WITH RECURSIVE line (id, heir) AS (
        SELECT id, merged_into_id FROM members_member WHERE merged_into_id IS NOT NULL
        UNION SELECT line.id, m.merged_into_id FROM line JOIN members_member m ON m.id = line.heir
        WHERE m.merged_into_id IS NOT NULL)
    SELECT line.id, line.heir FROM line JOIN members_member m ON m.id = line.heir
    WHERE m.merged_into_id IS NULL)"""
_SAID: Final = f"members_interaction i LEFT JOIN {_HEIRS} h ON h.id = i.member_id"
_WHO: Final = "coalesce(h.heir, i.member_id)"

BROUGHT: Final = f"""(
    SELECT coalesce(h.heir, r.referrer_id) AS member_id, r.state = 'rewarded' AS converted
    FROM campaigns_referral r LEFT JOIN {_HEIRS} h ON h.id = r.referrer_id
    WHERE r.registered_at >= %(d365)s AND r.registered_at < %(until)s
)"""  # noqa: S608 - constants
SCORES: Final = f"""(
    SELECT DISTINCT ON ({_WHO}) {_WHO} AS member_id, ({_SCORE})::int AS score
    FROM {_SAID}
    WHERE i.occurred_at >= %(d365)s AND i.occurred_at < %(until)s AND {_IS_SCORE} AND {_ACCEPTED}
    ORDER BY {_WHO}, i.occurred_at DESC, i.fact_id DESC
)"""  # noqa: S608 - constants
PUBLISHED: Final = f"""(
    SELECT {_WHO} AS member_id FROM {_SAID}
    WHERE i.occurred_at >= %(d365)s AND i.occurred_at < %(until)s AND {_PUBLISHED} AND {_ACCEPTED}
)"""  # noqa: S608 - constants
ADVOCATES: Final = f"""(
    SELECT m.id FROM members_member m
    WHERE m.joined_at < %(until)s AND m.status NOT IN ('erased', 'merged', 'closed') AND m.id IN (
        SELECT member_id FROM {BROUGHT} b WHERE converted
        UNION SELECT member_id FROM {SCORES} s WHERE score >= 9
        UNION SELECT member_id FROM {PUBLISHED} p)
)"""  # noqa: S608 - constants

_ANSWERED: Final = Measure(SCORES, "count(*)")
_CONVERTED: Final = Measure(BROUGHT, "count(*) FILTER (WHERE converted)")
_INVITED: Final = Measure(BROUGHT, "count(*)")

METRICS: Final = (
    Metric(
        "advocacy_rate", _("Advocates"),
        _(
            "Members who in the last 365 days brought a friend who bought, last gave a"
            " recommendation score of 9 or 10, or published something that was accepted ÷ all"
            " members; each member once. Source: referrals, interactions, members."
        ),
        Unit.PERCENT, Group.ADVOCACY,
        Measure(ADVOCATES, "count(*)"), Measure(MEMBERS, "count(*)"),
    ),
    Metric(
        "friends_joined", _("Friends who joined"),
        _("Friends who joined by a member's code in the last 365 days. Source: referrals."),
        Unit.COUNT, Group.ADVOCACY, _INVITED,
    ),
    Metric(
        "referral_conversion", _("Friends who bought"),
        _(
            "Friends who joined by a member's code in the last 365 days and for whose first kept"
            " order the referrer holds the reward ÷ all friends who joined so. Those who joined"
            " lately may still buy. Source: referrals."
        ),
        Unit.PERCENT, Group.ADVOCACY, _CONVERTED, _INVITED,
    ),
    Metric(
        "net_promoter_score", _("Net promoter score"),
        _(
            "Share of promoters (score 9 or 10) less the share of detractors (0 to 6) among the"
            " members who gave a recommendation score of ten in the last 365 days, the last one of"
            " each. Source: interactions of the kind survey with a score, feedback forms included."
        ),
        Unit.PERCENT, Group.ADVOCACY,
        Measure(
            SCORES,
            "count(*) FILTER (WHERE score >= 9) - count(*) FILTER (WHERE score <= 6)",
        ),
        _ANSWERED,
    ),
    Metric(
        "scores_given", _("Members who gave a score"),
        _(
            "Members who gave a recommendation score of ten in the last 365 days. Source:"
            " interactions of the kind survey with a score."
        ),
        Unit.COUNT, Group.ADVOCACY, _ANSWERED,
    ),
    Metric(
        "published", _("Published by members"),
        _(
            "Reviews, and interactions of every other moderated kind (photos, posts), of the last"
            " 365 days; where a moderator decides, only what was approved and has not been removed."
            " Source: interactions, moderation."
        ),
        Unit.COUNT, Group.ADVOCACY, Measure(PUBLISHED, "count(*)"),
    ),
)  # fmt: skip

_REFERRALS_BY_MONTH: Final = """
SELECT date_trunc('month', registered_at AT TIME ZONE %(zone)s)::date, count(*),
       count(*) FILTER (WHERE state = 'rewarded')
FROM campaigns_referral WHERE registered_at >= %(since)s AND registered_at < %(until)s GROUP BY 1
"""
_SCORES_BY_MONTH: Final = f"""
SELECT month, count(*) FILTER (WHERE score >= 9), count(*) FILTER (WHERE score BETWEEN 7 AND 8),
       count(*) FILTER (WHERE score <= 6)
FROM (
    SELECT DISTINCT ON (1, {_WHO})
           date_trunc('month', i.occurred_at AT TIME ZONE %(zone)s)::date AS month,
           ({_SCORE})::int AS score
    FROM {_SAID}
    WHERE i.occurred_at >= %(since)s AND i.occurred_at < %(until)s AND {_IS_SCORE} AND {_ACCEPTED}
    ORDER BY 1, {_WHO}, i.occurred_at DESC, i.fact_id DESC
) s GROUP BY month
"""  # noqa: S608 - constants
_PUBLISHED_BY_MONTH: Final = f"""
SELECT date_trunc('month', i.occurred_at AT TIME ZONE %(zone)s)::date, count(*),
       count(DISTINCT {_WHO})
FROM {_SAID}
WHERE i.occurred_at >= %(since)s AND i.occurred_at < %(until)s AND {_PUBLISHED} AND {_ACCEPTED}
GROUP BY 1
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class MonthOfAdvocacy:
    """What members did for the programme in a month; of each the last score of the month."""

    month: date
    joined: int = 0
    converted: int = 0
    promoters: int = 0
    passives: int = 0
    detractors: int = 0
    published: int = 0
    publishers: int = 0

    @property
    def net_promoter_score(self) -> Decimal | None:
        """Return promoters less detractors ÷ all; None where nobody gave a score."""
        all_ = self.promoters + self.passives + self.detractors
        return Decimal(self.promoters - self.detractors) / all_ if all_ else None


def by_month(until: datetime, *, months: int) -> Sequence[MonthOfAdvocacy]:
    """Return the last months, that of the instant last."""
    shown = reading.months_back(until, months)
    values = {"zone": clock.zone().key, "since": clock.day_start(shown[0]), "until": until}
    friends, scores, published = (
        {month: rest for month, *rest in reading.rows(statement, values)}
        for statement in (_REFERRALS_BY_MONTH, _SCORES_BY_MONTH, _PUBLISHED_BY_MONTH)
    )
    return [
        MonthOfAdvocacy(
            month, *friends.get(month, (0, 0)), *scores.get(month, (0, 0, 0)),
            *published.get(month, (0, 0)),
        )
        for month in shown
    ]  # fmt: skip
