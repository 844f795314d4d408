-- What is left of a lot is its points less what entries took from it and did not give back.
SELECT l.id AS lot, (l.points - coalesce(u.used, 0))::text AS expected, l.remaining::text AS found
FROM rewards_lot l
LEFT JOIN (
    SELECT lot_id, sum(points) AS used FROM rewards_lotuse GROUP BY lot_id
) u ON u.lot_id = l.id
WHERE l.remaining <> l.points - coalesce(u.used, 0) OR l.remaining < 0
ORDER BY l.id
