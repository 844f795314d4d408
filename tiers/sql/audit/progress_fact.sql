-- Progress belongs to the member whose fact added it, or whose order that fact changed; also of one
-- from whom staff have moved the order since.
SELECT p.id AS progress, f.id AS fact, coalesce(f.member_id, o.member_id)::text AS expected,
       p.member_id::text AS found
FROM tiers_progressentry p
JOIN members_receivedfact f ON f.id = p.fact_id
LEFT JOIN members_order o ON o.id = f.order_id
WHERE p.member_id IS DISTINCT FROM f.member_id AND p.member_id IS DISTINCT FROM o.member_id
  AND NOT EXISTS (
      SELECT 1 FROM members_receivedfact v
      WHERE v.order_id = f.order_id AND v.kind = 'order' AND v.member_id = p.member_id)
  AND NOT EXISTS (
      SELECT 1 FROM members_ordermove w
      WHERE w.order_id = f.order_id AND w.from_member_id = p.member_id)
ORDER BY p.id
