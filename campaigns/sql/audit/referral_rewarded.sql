-- A rewarded referral counts as one interaction and has what its terms promise: the points of one
-- entry, one coupon of the template, or one payout.
SELECT r.id AS referral, b.expected, b.found
FROM campaigns_referral r
JOIN campaigns_referralprogramme p ON p.id = r.programme_id
LEFT JOIN members_receivedfact f ON f.id = r.fact_id AND f.source = 'referral'
    AND f.ref = 'referral:' || r.id AND f.state = 'applied'
LEFT JOIN rewards_entry e ON e.id = r.entry_id AND e.reason = 'referral'
LEFT JOIN rewards_coupon c ON c.id = r.coupon_id
LEFT JOIN campaigns_payout t ON t.referral_id = r.id
CROSS JOIN LATERAL (SELECT
    concat_ws(' ', 'counted', p.points || ' points', 'coupon ' || p.coupon_template_id,
              'cash ' || p.amount) AS expected,
    concat_ws(' ', CASE WHEN f.id IS NOT NULL THEN 'counted' END, e.points || ' points',
              'coupon ' || c.template_id, 'cash ' || t.amount) AS found
) b
WHERE r.state IN ('rewarded', 'taken_back') AND b.expected <> b.found
ORDER BY r.id
