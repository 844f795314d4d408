-- The points of a redemption are those of its reservation: held with it, all given back when it is
-- cancelled, and kept while it stands.
SELECT r.id AS redemption, r.reservation_id AS reservation, b.part, b.expected, b.found
FROM rewards_redemption r
LEFT JOIN rewards_reservation v ON v.id = r.reservation_id
CROSS JOIN LATERAL (VALUES
    ('points', coalesce(v.points, 0)::text, r.points::text),
    ('member', coalesce(v.member_id, r.member_id)::text, r.member_id::text),
    ('held', CASE WHEN v.status = 'held' THEN 'held' ELSE 'not held' END,
     CASE WHEN r.status = 'held' THEN 'held' ELSE 'not held' END),
    ('spent',
     CASE WHEN r.status IN ('requested', 'approved', 'fulfilled') THEN coalesce(v.points, 0)::text
          WHEN r.status = 'cancelled' THEN '0' ELSE 'any' END,
     CASE WHEN r.status IN ('requested', 'approved', 'fulfilled', 'cancelled')
          THEN coalesce(v.captured_points - v.given_back_points, 0)::text ELSE 'any' END)
) AS b (part, expected, found)
WHERE b.expected <> b.found
ORDER BY r.id, b.part
