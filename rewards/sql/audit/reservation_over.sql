-- A reservation that is over by the instant up to which its account is settled is no longer held.
SELECT r.id AS reservation, r.account_id AS account, 'lapsed' AS expected,
       format('held, over at %s, settled until %s', r.expires_at, a.settled_at) AS found
FROM rewards_reservation r
JOIN rewards_pointsaccount a ON a.id = r.account_id
WHERE r.status = 'held' AND r.expires_at <= a.settled_at
ORDER BY r.id
