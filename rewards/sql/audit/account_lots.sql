-- The lots of an account hold its pending and available points, and what has expired of them.
SELECT a.id AS account, b.bucket, b.expected::text AS expected, b.found::text AS found
FROM rewards_pointsaccount a
LEFT JOIN (
    SELECT account_id,
           coalesce(sum(remaining) FILTER (WHERE is_pending), 0) AS pending,
           coalesce(sum(remaining) FILTER (WHERE NOT is_pending), 0) AS available,
           sum(expired) AS expired
    FROM rewards_lot
    GROUP BY account_id
) l ON l.account_id = a.id
CROSS JOIN LATERAL (VALUES
    ('pending', a.pending, coalesce(l.pending, 0)),
    ('available', a.available, coalesce(l.available, 0)),
    ('expired', a.expired, coalesce(l.expired, 0))
) AS b (bucket, expected, found)
WHERE b.expected <> b.found
ORDER BY a.id, b.bucket
