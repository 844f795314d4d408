-- Points wait until the instant that their lot names, no shorter and no longer.
SELECT l.id AS lot, l.account_id AS account,
       CASE WHEN l.is_pending THEN 'available since ' ELSE 'pending until ' END
       || coalesce(l.available_at::text, 'never') AS expected,
       format('%s at %s', CASE WHEN l.is_pending THEN 'pending' ELSE 'available' END,
              a.settled_at) AS found
FROM rewards_lot l
JOIN rewards_entry e ON e.id = l.entry_id
JOIN rewards_pointsaccount a ON a.id = l.account_id
WHERE l.remaining > 0
  AND CASE WHEN l.is_pending
           THEN e.target <> 'pending' OR l.available_at <= a.settled_at
           ELSE e.target = 'pending'
                AND (l.available_at IS NULL OR l.available_at > a.settled_at) END
ORDER BY l.id
