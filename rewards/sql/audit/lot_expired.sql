-- A lot has no more expired points than entries expired of it.
SELECT l.id AS lot, format('0 to %s', coalesce(u.expired, 0)) AS expected, l.expired::text AS found
FROM rewards_lot l
LEFT JOIN (
    SELECT u.lot_id, sum(u.points) AS expired
    FROM rewards_lotuse u JOIN rewards_entry e ON e.id = u.entry_id
    WHERE e.target = 'expired'
    GROUP BY u.lot_id
) u ON u.lot_id = l.id
WHERE l.expired NOT BETWEEN 0 AND coalesce(u.expired, 0)
ORDER BY l.id
