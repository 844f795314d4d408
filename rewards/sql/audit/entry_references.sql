-- What an entry names exists. No constraint says so: a check of every row would cost every posting.
SELECT e.id AS entry, 'all that it names' AS expected,
       concat_ws(', ',
           CASE WHEN a.id IS NULL THEN format('no account %s', e.account_id) END,
           CASE WHEN f.id IS NULL THEN 'no fact ' || e.fact_id END,
           CASE WHEN v.id IS NULL THEN 'no rule ' || e.rule_id END,
           CASE WHEN o.id IS NULL THEN 'no order ' || e.order_id END,
           CASE WHEN i.fact_id IS NULL THEN 'no interaction ' || e.interaction_id END,
           CASE WHEN r.id IS NULL THEN 'no reservation ' || e.reservation_id END) AS found
FROM rewards_entry e
LEFT JOIN rewards_pointsaccount a ON a.id = e.account_id
LEFT JOIN members_receivedfact f ON f.id = e.fact_id
LEFT JOIN rewards_ruleversion v ON v.id = e.rule_id
LEFT JOIN members_order o ON o.id = e.order_id
LEFT JOIN members_interaction i ON i.fact_id = e.interaction_id
LEFT JOIN rewards_reservation r ON r.id = e.reservation_id
WHERE (a.id, f.id, v.id, o.id, i.fact_id, r.id) IS DISTINCT FROM
      (e.account_id, e.fact_id, e.rule_id, e.order_id, e.interaction_id, e.reservation_id)
ORDER BY e.id
