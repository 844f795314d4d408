-- An entry takes points from lots of its own account only.
SELECT u.id AS lot_use, u.entry_id AS entry, u.lot_id AS lot,
       format('account %s member %s', e.account_id, e.member_id) AS expected,
       format('account %s member %s', l.account_id, u.member_id) AS found
FROM rewards_lotuse u
LEFT JOIN rewards_entry e ON e.id = u.entry_id
LEFT JOIN rewards_lot l ON l.id = u.lot_id
WHERE (l.account_id, u.member_id) IS DISTINCT FROM (e.account_id, e.member_id)
ORDER BY u.id
