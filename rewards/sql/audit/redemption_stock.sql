-- A redemption has taken its quantity of its stock, unless it is held or has given it back.
SELECT r.id AS redemption, r.stock_id AS stock, b.expected, b.found
FROM rewards_redemption r
LEFT JOIN (
    SELECT redemption_id, sum(quantity) AS moved
    FROM rewards_stockmovement WHERE redemption_id IS NOT NULL GROUP BY redemption_id
) m ON m.redemption_id = r.id
CROSS JOIN LATERAL (SELECT
    CASE WHEN r.stock_id IS NULL OR r.status IN ('held', 'cancelled') THEN '0'
         -- Staff decide whether what came back can be given again.
         WHEN r.status = 'returned' AND coalesce(m.moved, 0) = 0 THEN '0'
         ELSE (-r.quantity)::text END AS expected,
    coalesce(m.moved, 0)::text AS found
) b
WHERE b.expected <> b.found
ORDER BY r.id
