-- No member has more coupons of a template in use than each may.
SELECT c.template_id AS coupon_template, u.member_id AS member,
       min(t.uses_per_member) AS expected, count(*) AS found
FROM rewards_couponuse u
JOIN rewards_coupon c ON c.id = u.coupon_id
JOIN rewards_coupontemplate t ON t.id = c.template_id
WHERE u.status <> 'returned' AND u.member_id IS NOT NULL AND t.uses_per_member IS NOT NULL
GROUP BY c.template_id, u.member_id
HAVING count(*) > min(t.uses_per_member)
ORDER BY c.template_id, u.member_id
