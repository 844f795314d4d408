-- What is held of a stock is what the redemptions that are held set aside of it.
SELECT s.id AS stock, s.reward_id AS reward, coalesce(r.held, 0)::text AS expected,
       s.held::text AS found
FROM rewards_stock s
LEFT JOIN (
    SELECT stock_id, sum(quantity) AS held
    FROM rewards_redemption WHERE status = 'held' GROUP BY stock_id
) r ON r.stock_id = s.id
WHERE s.held <> coalesce(r.held, 0)
ORDER BY s.id
