-- A fact that was applied has its member and its order, refund or interaction.
SELECT f.id AS fact, f.kind AS expected,
       format('member %s order %s refund %s interaction %s', f.member_id, f.order_id, r.id,
              i.fact_id) AS found
FROM members_receivedfact f
LEFT JOIN members_refund r ON r.fact_id = f.id AND r.order_id = f.order_id
LEFT JOIN members_interaction i ON i.fact_id = f.id AND i.member_id = f.member_id
WHERE f.state = 'applied'
  AND CASE f.kind
          WHEN 'order' THEN f.member_id IS NULL OR f.order_id IS NULL
          WHEN 'refund' THEN f.order_id IS NULL OR r.id IS NULL
          ELSE f.member_id IS NULL OR i.fact_id IS NULL END
ORDER BY f.id
