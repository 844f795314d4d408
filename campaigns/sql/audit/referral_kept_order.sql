-- A reward was given for an order of the friend, worth enough then, after its return window.
SELECT r.id AS referral, r.order_id AS "order", b.expected, b.found
FROM campaigns_referral r
JOIN campaigns_referralprogramme p ON p.id = r.programme_id
JOIN members_order o ON o.id = r.order_id
LEFT JOIN members_ordermove m ON m.order_id = o.id AND m.from_member_id = r.friend_id
CROSS JOIN LATERAL (SELECT
    'order of ' || r.friend_id || ' worth ' || p.min_amount || ' kept ' || p.return_window_days
        || ' days' AS expected,
    'order of ' || o.member_id || ' worth ' || r.kept_amount || ' kept since ' || o.placed_at
        AS found
) b
WHERE r.state IN ('rewarded', 'taken_back')
  AND ((o.member_id <> r.friend_id AND m.id IS NULL)
       OR r.kept_amount < p.min_amount
       OR r.kept_amount > o.sold_amount
       OR r.rewarded_at < r.kept_from
       OR r.kept_from < o.placed_at + make_interval(days => p.return_window_days, hours => -1))
ORDER BY r.id
