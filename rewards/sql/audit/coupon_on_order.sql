-- A coupon is used on an order of its user, as long as the order is worth something.
SELECT u.id AS coupon_use, u.order_id AS "order", o.member_id || ', above 0' AS expected,
       u.member_id || ', ' || o.net_amount AS found
FROM rewards_couponuse u JOIN members_order o ON o.id = u.order_id
WHERE u.status = 'redeemed'
  AND (o.status = 'cancelled' OR o.net_amount <= 0 OR u.member_id IS DISTINCT FROM o.member_id)
ORDER BY u.id
