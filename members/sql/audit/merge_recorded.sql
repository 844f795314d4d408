-- A member is merged into another exactly while a merge that is not undone says so.
SELECT coalesce(m.id, g.away_id) AS member, g.id AS merge,
       coalesce('merged into ' || g.into_id, 'not merged') AS expected,
       coalesce('merged into ' || m.merged_into_id, 'not merged') AS found
FROM (SELECT id, merged_into_id FROM members_member WHERE merged_into_id IS NOT NULL) m
FULL JOIN (SELECT * FROM members_membermerge WHERE undone_at IS NULL) g ON g.away_id = m.id
WHERE m.merged_into_id IS DISTINCT FROM g.into_id
ORDER BY 1
