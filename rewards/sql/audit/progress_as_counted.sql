-- Progress of an order sums to what its newest evaluation counts for the member, by metric.
SELECT coalesce(c.member_id, p.member_id) AS member, coalesce(c.order_id, p.order_id) AS "order",
       coalesce(c.metric, p.metric) AS metric, coalesce(c.amount, 0)::text AS expected,
       coalesce(p.amount, 0)::text AS found
FROM (
    SELECT e.member_id, e.order_id, counted.metric, counted.amount
    FROM (
        SELECT DISTINCT ON (order_id, member_id)
               member_id, order_id, result -> 'order' -> 'counted' AS counted
        FROM rewards_evaluation WHERE order_id IS NOT NULL
        ORDER BY order_id, member_id, id DESC
    ) e
    CROSS JOIN LATERAL (VALUES
        ('spend', (e.counted ->> 0)::numeric / %(minor_units)s),
        ('orders', 1)
    ) AS counted (metric, amount)
    WHERE (e.counted ->> 1)::boolean
) c
FULL JOIN (
    SELECT p.member_id, f.order_id, p.metric, sum(p.amount) AS amount
    FROM tiers_progressentry p
    JOIN members_receivedfact f ON f.id = p.fact_id AND f.order_id IS NOT NULL
    WHERE p.metric IN ('spend', 'orders')
    GROUP BY p.member_id, f.order_id, p.metric
) p ON p.member_id = c.member_id AND p.order_id = c.order_id AND p.metric = c.metric
WHERE coalesce(c.amount, 0) <> coalesce(p.amount, 0)
ORDER BY 1, 2, 3
