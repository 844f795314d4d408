-- Posted(order, rule) = issuance→* − *→reversed is what the newest evaluation of the order awards.
SELECT coalesce(d.member_id, p.member_id) AS member, coalesce(d.order_id, p.order_id) AS "order",
       coalesce(d.interaction_id, p.interaction_id) AS interaction,
       coalesce(d.rule_id, p.rule_id) AS rule, coalesce(d.points, 0)::text AS expected,
       coalesce(p.points, 0)::text AS found
FROM (
    SELECT e.member_id, e.order_id, e.interaction_id, (award ->> 0)::bigint AS rule_id,
           (award ->> 1)::bigint AS points
    FROM (
        SELECT DISTINCT ON (order_id, interaction_id, member_id)
               member_id, order_id, interaction_id, awards
        FROM rewards_evaluation
        ORDER BY order_id, interaction_id, member_id, id DESC
    ) e
    CROSS JOIN LATERAL jsonb_array_elements(e.awards) AS award
) d
FULL JOIN (
    SELECT member_id, order_id, interaction_id, rule_id,
           sum(CASE WHEN source = 'issuance' THEN points ELSE -points END) AS points
    FROM rewards_entry
    WHERE (source = 'issuance' OR target = 'reversed')
      -- What a member moved in with belongs to no order and needed no decision.
      AND num_nonnulls(order_id, interaction_id) > 0
    GROUP BY member_id, order_id, interaction_id, rule_id
) p ON p.member_id = d.member_id AND p.rule_id = d.rule_id
       AND coalesce(p.order_id, 0) = coalesce(d.order_id, 0)
       AND coalesce(p.interaction_id, 0) = coalesce(d.interaction_id, 0)
WHERE coalesce(d.points, 0) <> coalesce(p.points, 0)
ORDER BY 1, 2, 3, 4
