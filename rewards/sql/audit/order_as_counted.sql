-- An order counts for its member with its qualifying amount, or with nothing.
SELECT o.id AS "order", o.member_id AS member, o.qualifying_amount::text AS expected,
       coalesce(e.counted, 0)::text AS found
FROM members_order o
LEFT JOIN (
    SELECT DISTINCT ON (order_id, member_id) order_id, member_id,
           CASE WHEN (result #>> '{order,counted,1}')::boolean
                THEN (result #>> '{order,counted,0}')::numeric / %(minor_units)s ELSE 0 END
           AS counted
    FROM rewards_evaluation WHERE order_id IS NOT NULL
    ORDER BY order_id, member_id, id DESC
) e ON e.order_id = o.id AND e.member_id = o.member_id
WHERE o.qualifying_amount <> coalesce(e.counted, 0)
ORDER BY o.id
