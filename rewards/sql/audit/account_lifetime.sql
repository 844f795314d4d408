-- The lifetime counters are net transfers from issuance and into the outer buckets.
SELECT a.id AS account, b.bucket, b.expected::text AS expected, b.found::text AS found
FROM rewards_pointsaccount a
LEFT JOIN (
    SELECT account_id,
           coalesce(sum(points) FILTER (WHERE source = 'issuance'), 0) AS earned,
           coalesce(sum(points) FILTER (WHERE target = 'redeemed'), 0)
           - coalesce(sum(points) FILTER (WHERE source = 'redeemed'), 0) AS redeemed,
           coalesce(sum(points) FILTER (WHERE target = 'expired'), 0)
           - coalesce(sum(points) FILTER (WHERE source = 'expired'), 0) AS expired,
           coalesce(sum(points) FILTER (WHERE target = 'reversed'), 0) AS reversed,
           coalesce(sum(points) FILTER (WHERE target IN ('adjustment', 'transfer')), 0)
           - coalesce(sum(points) FILTER (WHERE source IN ('adjustment', 'transfer')), 0)
           AS adjusted
    FROM rewards_entry
    GROUP BY account_id
) e ON e.account_id = a.id
CROSS JOIN LATERAL (VALUES
    ('earned', coalesce(e.earned, 0), a.earned),
    ('redeemed', coalesce(e.redeemed, 0), a.redeemed),
    ('expired', coalesce(e.expired, 0), a.expired),
    ('reversed', coalesce(e.reversed, 0), a.reversed),
    ('adjusted', coalesce(e.adjusted, 0), a.adjusted)
) AS b (bucket, expected, found)
WHERE b.expected <> b.found
ORDER BY a.id, b.bucket
