-- A member's first purchase is on the local day of the oldest order that counts.
SELECT p.member_id AS member, coalesce(o.first_on::text, 'none') AS expected,
       coalesce(p.first_purchase_on::text, 'none') AS found
FROM members_memberprofile p
LEFT JOIN (
    SELECT e.member_id, min((o.placed_at AT TIME ZONE %(time_zone)s)::date) AS first_on
    FROM (
        SELECT DISTINCT ON (order_id, member_id) order_id, member_id, result
        FROM rewards_evaluation WHERE order_id IS NOT NULL
        ORDER BY order_id, member_id, id DESC
    ) e
    JOIN members_order o ON o.id = e.order_id
    WHERE (e.result #>> '{order,counted,1}')::boolean
    GROUP BY e.member_id
) o ON o.member_id = p.member_id
WHERE p.first_purchase_on IS DISTINCT FROM o.first_on
ORDER BY p.member_id
