-- The points of an evaluation are its awards and the changes of all evaluations until then.
SELECT e.id AS evaluation, e.order_id AS "order", e.interaction_id AS interaction,
       format('awards %s, changes %s', e.awarded, e.changed) AS expected, e.points::text AS found
FROM (
    SELECT id, order_id, interaction_id, points,
           (SELECT coalesce(sum((award ->> 1)::bigint), 0)
              FROM jsonb_array_elements(awards) AS award) AS awarded,
           sum(delta) OVER (PARTITION BY member_id, order_id, interaction_id ORDER BY id) AS changed
    FROM rewards_evaluation
) e
WHERE e.points <> e.awarded OR e.points <> e.changed
ORDER BY e.id
