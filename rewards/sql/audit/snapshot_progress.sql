-- The snapshot's totals are the sums of the member's progress.
SELECT s.member_id AS member, b.metric, b.expected::text AS expected, b.found::text AS found
FROM rewards_foldsnapshot s
LEFT JOIN (
    SELECT member_id,
           coalesce(sum(amount) FILTER (WHERE metric = 'spend'), 0) * %(minor_units)s AS spend,
           coalesce(sum(amount) FILTER (WHERE metric = 'orders'), 0) AS orders,
           coalesce(sum(amount) FILTER (WHERE metric = 'interactions'), 0) AS interactions,
           coalesce(sum(amount) FILTER (WHERE metric = 'referrals'), 0) AS referrals,
           coalesce(sum(amount) FILTER (WHERE metric = 'points_earned'), 0) AS points_earned
    FROM tiers_progressentry
    GROUP BY member_id
) p ON p.member_id = s.member_id
CROSS JOIN LATERAL (SELECT s.state -> 't' -> 'days' -> 't' AS totals) t
CROSS JOIN LATERAL (VALUES
    ('spend', coalesce(p.spend, 0), (t.totals ->> 0)::numeric),
    ('orders', coalesce(p.orders, 0), (t.totals ->> 1)::numeric),
    ('interactions', coalesce(p.interactions, 0), (t.totals ->> 2)::numeric),
    ('referrals', coalesce(p.referrals, 0), (t.totals ->> 3)::numeric),
    ('points_earned', coalesce(p.points_earned, 0), (t.totals ->> 4)::numeric)
) AS b (metric, expected, found)
WHERE b.expected IS DISTINCT FROM b.found
ORDER BY s.member_id, b.metric
