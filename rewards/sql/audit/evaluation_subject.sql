-- An evaluation is of one order or one interaction, and of a member that has the account for it.
SELECT v.id AS evaluation, 'one order or one interaction of a member' AS expected,
       format('order %s, interaction %s, member %s', v.order_id, v.interaction_id, v.member_id)
       AS found
FROM rewards_evaluation v
LEFT JOIN rewards_pointsaccount a ON a.member_id = v.member_id
LEFT JOIN members_interaction i ON i.fact_id = v.interaction_id
WHERE num_nonnulls(v.order_id, v.interaction_id) <> 1 OR a.id IS NULL
   OR i.member_id <> v.member_id
ORDER BY v.id
