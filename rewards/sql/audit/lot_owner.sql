-- A lot belongs to the account, member, order, interaction and rule of the entry that made it.
SELECT l.id AS lot, e.id AS entry,
       format('account %s member %s order %s interaction %s rule %s', e.account_id, e.member_id,
              e.order_id, e.interaction_id, e.rule_id) AS expected,
       format('account %s member %s order %s interaction %s rule %s', l.account_id, l.member_id,
              l.order_id, l.interaction_id, l.rule_id) AS found
FROM rewards_lot l
JOIN rewards_entry e ON e.id = l.entry_id
WHERE (l.account_id, l.member_id, l.order_id, l.interaction_id, l.rule_id)
      IS DISTINCT FROM (e.account_id, e.member_id, e.order_id, e.interaction_id, e.rule_id)
ORDER BY l.id
