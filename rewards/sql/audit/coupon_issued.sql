-- A template has issued as many coupons as there are, those of a pool left out.
SELECT t.id AS coupon_template, count(c.id) AS expected, t.issued AS found
FROM rewards_coupontemplate t
LEFT JOIN rewards_coupon c ON c.template_id = t.id AND c.issued_at IS NOT NULL
GROUP BY t.id
HAVING count(c.id) <> t.issued
ORDER BY t.id
