-- Every living member of whom all that was told has been read has one row; who is gone has none.
WITH mark AS (
    SELECT safe_event FROM members_insightmark WHERE basis <> '' AND swept_to IS NULL
), fresh AS (
    SELECT e.member_id FROM mark, members_memberevent e WHERE e.id > mark.safe_event
)
SELECT m.id AS member, (m.status NOT IN ('erased', 'merged'))::text AS expected,
       (i.member_id IS NOT NULL)::text AS found
FROM mark CROSS JOIN members_member m
LEFT JOIN members_memberinsight i ON i.member_id = m.id
WHERE (m.status NOT IN ('erased', 'merged')) <> (i.member_id IS NOT NULL)
  AND m.id NOT IN (SELECT member_id FROM fresh)
  AND EXISTS (SELECT FROM members_memberevent e WHERE e.member_id = m.id)
ORDER BY m.id
