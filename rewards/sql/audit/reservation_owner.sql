-- A reservation belongs to the member of its account.
SELECT r.id AS reservation, r.account_id AS account, a.member_id::text AS expected,
       r.member_id::text AS found
FROM rewards_reservation r
JOIN rewards_pointsaccount a ON a.id = r.account_id
WHERE r.member_id <> a.member_id
ORDER BY r.id
