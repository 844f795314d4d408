-- An entry moves a positive number of points between buckets that allow it.
SELECT e.id AS entry, e.account_id AS account, 'allowed' AS expected,
       format('%s→%s %s', e.source, e.target, e.points) AS found
FROM rewards_entry e
WHERE e.points <= 0
   OR (e.source || '→' || e.target) <> ALL (%(allowed)s)
ORDER BY e.id
