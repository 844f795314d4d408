-- An entry belongs to the member of its account, and to a reservation of the same account.
SELECT e.id AS entry, e.account_id AS account,
       format('member %s', a.member_id) AS expected,
       format('member %s, reservation of account %s', e.member_id, r.account_id) AS found
FROM rewards_entry e
JOIN rewards_pointsaccount a ON a.id = e.account_id
LEFT JOIN rewards_reservation r ON r.id = e.reservation_id
WHERE e.member_id <> a.member_id OR r.account_id <> e.account_id
ORDER BY e.id
