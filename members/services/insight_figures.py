"""What members did, read for a whole batch in one statement.

Orders of members that were merged away are the survivor's here: the person is one customer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
from django.conf import settings
from django.db import connection

from config.base import money
from members.domain.insight import History
from members.models import LineKind

# A member's own articles count by category, those without one each by itself.
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
), line AS (
    SELECT b.owner, b.day, l.brand, l.category = '' AS is_article,
           CASE WHEN l.category = '' THEN l.sku ELSE l.category END AS part,
           CASE WHEN b.day BETWEEN %(since)s AND %(today)s THEN l.amount * b.kept END AS amount
    FROM bought b JOIN members_orderline l ON l.order_id = b.id WHERE l.kind = ANY(%(kinds)s)
), grouped AS (
    SELECT owner, part, is_article, brand, grouping(brand) = 1 AS is_part,
           min(day) AS first_on, sum(amount) AS amount
    FROM line GROUP BY GROUPING SETS ((owner, part, is_article), (owner, brand))
), parts AS (
    SELECT owner, array_agg(first_on ORDER BY first_on) FILTER (WHERE is_part) AS firsts,
           jsonb_object_agg(part, share) FILTER (WHERE is_part AND NOT is_article AND share > 0)
               AS categories,
           jsonb_object_agg(brand, share) FILTER (WHERE NOT is_part AND brand <> '' AND share > 0)
               AS brands
    FROM (SELECT *, floor(amount * 1000 / nullif(sum(amount) OVER (PARTITION BY owner, is_part), 0))
                 ::int AS share FROM grouped) g
    GROUP BY owner
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
       t.referrals, t.reviews, t.survey_days, t.survey_scores, p.categories, p.brands
FROM own JOIN members_member m ON m.id = own.owner AND own.owner = own.member
LEFT JOIN orders o ON o.owner = m.id
LEFT JOIN parts p ON p.owner = m.id
LEFT JOIN told t ON t.owner = m.id
ORDER BY m.id
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """One member's history, and what the spend of a window went to.

    Units: thousandths of the window's spend on goods and services.
    """

    member: int
    history: History
    category_shares: dict[str, int]
    brand_shares: dict[str, int]


def read(member_ids: Sequence[int], *, since: date, today: date) -> list[Figures]:
    """Return the figures of the living members among these, shares of the days from `since` on."""
    with connection.cursor() as cursor:
        cursor.execute(
            _READ,
            {
                "ids": list(member_ids),
                "zone": settings.LOYALTY_TIME_ZONE,
                "minor": 10 ** money.exponent(),
                "since": since,
                "today": today,
                "kinds": [LineKind.GOODS, LineKind.SERVICE],
            },
        )
        return [_figures(row) for row in cursor.fetchall()]


def _figures(row: Sequence[Any]) -> Figures:
    member, joined_on, days, amounts, margins, firsts, referrals, reviews = row[:8]
    survey_days, survey_scores, categories, brands = row[8:]
    history = History(
        joined_on, days or (), amounts or (), margins or (), firsts or (), referrals or (),
        reviews or (), list(zip(survey_days or (), survey_scores or (), strict=True)),
    )  # fmt: skip
    return Figures(member, history, _shares(categories), _shares(brands))


def _shares(document: str | None) -> dict[str, int]:
    """Return what a raw cursor gives as text."""
    shares: dict[str, int] = {} if document is None else orjson.loads(document)
    return shares
