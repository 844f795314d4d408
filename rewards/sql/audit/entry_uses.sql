-- An entry that takes points out of lots names which and sums to its points; one that gives them
-- back sums to minus its points; others, among them expired→*, touch no lot.
SELECT e.id AS entry, e.account_id AS account, e.wanted::text AS expected,
       coalesce(u.used, 0)::text AS found
FROM (
    SELECT id, account_id,
           CASE
               WHEN source = 'available' THEN points
               WHEN source = 'pending' AND target IN ('reversed', 'transfer') THEN points
               WHEN target = 'available' AND source IN ('reserved', 'redeemed') THEN -points
               ELSE 0
           END AS wanted
    FROM rewards_entry
) e
LEFT JOIN (
    SELECT entry_id, sum(points) AS used FROM rewards_lotuse GROUP BY entry_id
) u ON u.entry_id = e.id
WHERE e.wanted <> coalesce(u.used, 0)
ORDER BY e.id
