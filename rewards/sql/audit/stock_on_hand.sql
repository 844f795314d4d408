-- What is on hand of a stock is what its movements add up to.
SELECT s.id AS stock, s.reward_id AS reward, coalesce(m.moved, 0)::text AS expected,
       s.on_hand::text AS found
FROM rewards_stock s
LEFT JOIN (
    SELECT stock_id, sum(quantity) AS moved FROM rewards_stockmovement GROUP BY stock_id
) m ON m.stock_id = s.id
WHERE s.on_hand <> coalesce(m.moved, 0)
ORDER BY s.id
