-- A coupon is held and used as often as its uses say.
SELECT c.id AS coupon, count(u.id) FILTER (WHERE u.status = 'held') || ' held, '
       || count(u.id) FILTER (WHERE u.status = 'redeemed') || ' used' AS expected,
       c.held || ' held, ' || c.used || ' used' AS found
FROM rewards_coupon c LEFT JOIN rewards_couponuse u ON u.coupon_id = c.id
GROUP BY c.id
HAVING count(u.id) FILTER (WHERE u.status = 'held') <> c.held
    OR count(u.id) FILTER (WHERE u.status = 'redeemed') <> c.used
ORDER BY c.id
