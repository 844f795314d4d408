"""What members did, read for a whole batch in one statement.

Orders of members that were merged away are the survivor's here: the person is one customer.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.db import connection

from config.base import money
from members.domain.insight import History
from members.models import LineKind

# What is bought for the first time counts by category, an article without one by itself.
_READ: Final = """
WITH RECURSIVE own AS (
    SELECT id AS owner, id AS member FROM members_member
    WHERE id = ANY(%(ids)s) AND status NOT IN ('erased', 'merged')
    UNION ALL
    SELECT own.owner, m.id FROM own JOIN members_member m ON m.merged_into_id = own.member
), bought AS MATERIALIZED (
    SELECT own.owner, o.id, (o.placed_at AT TIME ZONE %(zone)s)::date AS day, o.placed_at,
           o.net_amount, o.net_amount / o.sold_amount AS kept
    FROM own JOIN members_order o ON o.member_id = own.member
    WHERE o.status <> 'cancelled' AND o.net_amount > 0
), margin AS (
    SELECT b.id, sum((l.amount - l.cost) * b.kept) AS margin
    FROM bought b JOIN members_orderline l ON l.order_id = b.id
    WHERE l.cost IS NOT NULL GROUP BY b.id
), orders AS (
    SELECT b.owner, array_agg(b.day ORDER BY b.placed_at, b.id) AS days,
           array_agg((b.net_amount * %(minor)s)::bigint ORDER BY b.placed_at, b.id) AS amounts,
           array_agg(round(m.margin * %(minor)s)::bigint ORDER BY b.placed_at, b.id) AS margins
    FROM bought b LEFT JOIN margin m ON m.id = b.id GROUP BY b.owner
), parts AS (
    SELECT owner, array_agg(first_on ORDER BY first_on) AS firsts
    FROM (
        SELECT b.owner, min(b.day) AS first_on
        FROM bought b JOIN members_orderline l ON l.order_id = b.id
        WHERE l.kind = ANY(%(kinds)s)
        GROUP BY b.owner, l.category, CASE WHEN l.category = '' THEN l.sku END
    ) p GROUP BY owner
), said AS (
    SELECT own.owner, i.kind, (i.occurred_at AT TIME ZONE %(zone)s)::date AS day,
           (coalesce(i.data->>'nps', i.data->>'score')) AS score, i.occurred_at
    FROM own JOIN members_interaction i ON i.member_id = own.member
    WHERE i.kind IN ('referral', 'review', 'survey') AND NOT EXISTS (
        SELECT FROM members_moderation w WHERE w.member_id = i.member_id
        AND (w.fact_id = i.fact_id OR (w.approval_id = i.fact_id AND w.state <> 'approved')))
), told AS (
    SELECT owner, array_agg(day ORDER BY day) FILTER (WHERE kind = 'referral') AS referrals,
           array_agg(day ORDER BY day) FILTER (WHERE kind = 'review') AS reviews,
           array_agg(day ORDER BY occurred_at)
               FILTER (WHERE kind = 'survey' AND score ~ '^(10|[0-9])$') AS survey_days,
           array_agg(score::int ORDER BY occurred_at)
               FILTER (WHERE kind = 'survey' AND score ~ '^(10|[0-9])$') AS survey_scores
    FROM said GROUP BY owner
)
SELECT m.id, (m.joined_at AT TIME ZONE %(zone)s)::date, o.days, o.amounts, o.margins, p.firsts,
       t.referrals, t.reviews, t.survey_days, t.survey_scores
FROM own JOIN members_member m ON m.id = own.owner AND own.owner = own.member
LEFT JOIN orders o ON o.owner = m.id
LEFT JOIN parts p ON p.owner = m.id
LEFT JOIN told t ON t.owner = m.id
ORDER BY m.id
"""


def read(member_ids: Sequence[int]) -> list[tuple[int, History]]:
    """Return what the living members among these did, by their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            _READ,
            {
                "ids": list(member_ids),
                "zone": settings.LOYALTY_TIME_ZONE,
                "minor": 10 ** money.exponent(),
                "kinds": [LineKind.GOODS, LineKind.SERVICE],
            },
        )
        return [(row[0], _history(*row[1:])) for row in cursor.fetchall()]


def _history(joined_on: date, *columns: Any) -> History:
    days, amounts, margins, firsts, referrals, reviews, on, scores = (
        each or () for each in columns
    )
    surveys = list(zip(on, scores, strict=True))
    return History(joined_on, days, amounts, margins, firsts, referrals, reviews, surveys)
