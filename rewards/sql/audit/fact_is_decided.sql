-- A fact that was applied has an evaluation of its own order or interaction; one that takes an
-- interaction back has one of that.
SELECT f.id AS fact, format('an evaluation of order %s interaction %s', f.order_id,
       CASE WHEN f.kind = 'interaction'
            THEN coalesce((f.body ->> 'withdraws')::bigint, f.id) END) AS expected, 'none' AS found
FROM members_receivedfact f
WHERE f.state = 'applied'
  AND NOT EXISTS (
      SELECT 1 FROM rewards_evaluation e
      WHERE e.fact_id = f.id
        AND (e.order_id = f.order_id
             OR (f.kind = 'interaction'
                 AND e.interaction_id = coalesce((f.body ->> 'withdraws')::bigint, f.id))))
ORDER BY f.id
