-- What goes from one account to another at one instant leaves the one and reaches the other.
SELECT min(e.id) AS entry, '0' AS expected, sum(e.moved)::text AS found
FROM (
    SELECT id, recorded_at, CASE WHEN target = 'transfer' THEN points ELSE -points END AS moved
    FROM rewards_entry
    WHERE reason IN ('merged', 'merge_undone') AND 'transfer' IN (source, target)
) e
GROUP BY e.recorded_at
HAVING sum(e.moved) <> 0
ORDER BY 1
