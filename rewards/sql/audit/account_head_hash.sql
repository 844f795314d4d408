-- An account's head hash is that of its last entry, 32 zero bytes before the first.
SELECT a.id AS account, encode(coalesce(e.hash, decode(repeat('00', 32), 'hex')), 'hex') AS expected,
       encode(a.head_hash, 'hex') AS found
FROM rewards_pointsaccount a
LEFT JOIN (
    SELECT DISTINCT ON (account_id) account_id, hash
    FROM rewards_entry ORDER BY account_id, seq DESC
) e ON e.account_id = a.id
WHERE a.head_hash <> coalesce(e.hash, decode(repeat('00', 32), 'hex'))
ORDER BY a.id
