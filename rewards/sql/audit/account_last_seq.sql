-- An account knows the number of its last entry.
SELECT a.id AS account, coalesce(max(e.seq), 0)::text AS expected, a.seq::text AS found
FROM rewards_pointsaccount a
LEFT JOIN rewards_entry e ON e.account_id = a.id
GROUP BY a.id
HAVING coalesce(max(e.seq), 0) <> a.seq
ORDER BY a.id
