-- What a reservation held or spent at once, captured, released and gave back is what its entries
-- say.
SELECT r.id AS reservation, r.account_id AS account, b.part, b.expected::text AS expected,
       b.found::text AS found
FROM rewards_reservation r
LEFT JOIN (
    SELECT reservation_id,
           coalesce(sum(points) FILTER (WHERE source = 'available'), 0) AS held,
           coalesce(sum(points) FILTER (WHERE target = 'redeemed'), 0)
           AS captured,
           coalesce(sum(points) FILTER (WHERE source = 'reserved' AND target = 'available'), 0)
           AS released,
           coalesce(sum(points) FILTER (WHERE source = 'redeemed'), 0) AS given_back
    FROM rewards_entry WHERE reservation_id IS NOT NULL GROUP BY reservation_id
) e ON e.reservation_id = r.id
CROSS JOIN LATERAL (VALUES
    ('held', coalesce(e.held, 0), r.points),
    ('captured', coalesce(e.captured, 0), r.captured_points),
    ('released', coalesce(e.released, 0),
     CASE WHEN r.status = 'held' THEN 0 ELSE r.points - r.captured_points END),
    ('given_back', coalesce(e.given_back, 0), r.given_back_points)
) AS b (part, expected, found)
WHERE b.expected <> b.found
ORDER BY r.id, b.part
