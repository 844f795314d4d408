-- A merged member leads to one that still stands for a person, without going in a circle.
WITH RECURSIVE line (start, id, merged_into_id, path) AS (
    SELECT id, id, merged_into_id, ARRAY[id] FROM members_member WHERE status = 'merged'
    UNION ALL
    SELECT l.start, m.id, m.merged_into_id, l.path || m.id
    FROM line l JOIN members_member m ON m.id = l.merged_into_id
    WHERE l.id = l.start OR m.id <> ALL (l.path)
)
SELECT m.id AS member, 'a survivor' AS expected,
       'none: ' || coalesce(max(array_to_string(l.path, '→')), '') AS found
FROM members_member m
LEFT JOIN line l ON l.start = m.id
WHERE m.status = 'merged'
GROUP BY m.id
HAVING NOT bool_or(l.merged_into_id IS NULL AND l.id <> m.id)
ORDER BY m.id
