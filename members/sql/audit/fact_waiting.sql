-- A fact waits only for what is missing: a refund for its order, a fact for its member.
SELECT f.id AS fact, f.state AS expected,
       CASE WHEN f.state = 'parked' THEN format('a %s whose order is %s', f.kind, o.id)
            ELSE format('awaits %s, which member %s has', f.awaits_kind, i.member_id) END AS found
FROM members_receivedfact f
LEFT JOIN members_order o
  ON f.state = 'parked' AND o.order_no = f.order_no AND o.source = f.source
LEFT JOIN members_identifier i
  ON f.state = 'awaiting_member' AND i.value_hash = f.awaits_hash AND i.kind = f.awaits_kind
 AND i.ended_at IS NULL
WHERE (f.state = 'parked' AND (f.kind <> 'refund' OR o.id IS NOT NULL))
   OR (f.state = 'awaiting_member'
       AND (f.member_id IS NOT NULL OR f.order_id IS NOT NULL OR i.id IS NOT NULL))
ORDER BY f.id
