-- Every balance of an account is what its entries add up to.
SELECT a.id AS account, b.bucket, b.expected::text AS expected, b.found::text AS found
FROM rewards_pointsaccount a
LEFT JOIN (
    SELECT account_id,
           coalesce(sum(points) FILTER (WHERE target = 'pending'), 0)
           - coalesce(sum(points) FILTER (WHERE source = 'pending'), 0) AS pending,
           coalesce(sum(points) FILTER (WHERE target = 'available'), 0)
           - coalesce(sum(points) FILTER (WHERE source = 'available'), 0) AS available,
           coalesce(sum(points) FILTER (WHERE target = 'reserved'), 0)
           - coalesce(sum(points) FILTER (WHERE source = 'reserved'), 0) AS reserved,
           coalesce(sum(points) FILTER (WHERE source = 'debt'), 0)
           - coalesce(sum(points) FILTER (WHERE target = 'debt'), 0) AS debt
    FROM rewards_entry
    GROUP BY account_id
) e ON e.account_id = a.id
CROSS JOIN LATERAL (VALUES
    ('pending', coalesce(e.pending, 0), a.pending),
    ('available', coalesce(e.available, 0), a.available),
    ('reserved', coalesce(e.reserved, 0), a.reserved),
    ('debt', coalesce(e.debt, 0), a.debt)
) AS b (bucket, expected, found)
WHERE b.expected <> b.found
ORDER BY a.id, b.bucket
