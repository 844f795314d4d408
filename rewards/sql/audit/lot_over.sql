-- A lot that is over by the instant up to which its account is settled has nothing left.
SELECT l.id AS lot, l.account_id AS account, '0' AS expected,
       format('%s left, expired at %s, settled until %s', l.remaining, l.expires_at, a.settled_at)
       AS found
FROM rewards_lot l
JOIN rewards_pointsaccount a ON a.id = l.account_id
WHERE l.remaining > 0 AND NOT l.is_pending AND l.expires_at <= a.settled_at
ORDER BY l.id
