-- An offer counts what its prospects were given, and points were given as the offer says.
SELECT o.id AS offer, concat_ws(' / ', s.given, 0) AS expected,
       concat_ws(' / ', o.given, s.wrong) AS found
FROM campaigns_prospectoffer o
CROSS JOIN LATERAL (
    SELECT count(*) AS given,
           count(*) FILTER (WHERE e.member_id IS DISTINCT FROM a.member_id AND a.coupon_id IS NULL
                               OR e.points IS DISTINCT FROM o.points) AS wrong
    FROM campaigns_prospectaddress a
    LEFT JOIN rewards_entry e ON e.id = a.entry_id
    WHERE a.offer_id = o.id AND a.given_at IS NOT NULL
) s
WHERE o.given <> s.given OR s.wrong > 0
ORDER BY o.id
