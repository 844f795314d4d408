-- Lines and refunds belong to the member of their order.
SELECT o.id AS "order", l.id AS line, NULL::bigint AS refund, o.member_id::text AS expected,
       l.member_id::text AS found
FROM members_orderline l JOIN members_order o ON o.id = l.order_id
WHERE l.member_id <> o.member_id
UNION ALL
SELECT o.id, NULL, r.id, o.member_id::text, r.member_id::text
FROM members_refund r JOIN members_order o ON o.id = r.order_id
WHERE r.member_id <> o.member_id
ORDER BY 1
