-- Reserved points are those of the reservations that are held.
SELECT a.id AS account, coalesce(r.held, 0)::text AS expected, a.reserved::text AS found
FROM rewards_pointsaccount a
LEFT JOIN (
    SELECT account_id, sum(points) AS held
    FROM rewards_reservation WHERE status = 'held' GROUP BY account_id
) r ON r.account_id = a.id
WHERE a.reserved <> coalesce(r.held, 0)
ORDER BY a.id
