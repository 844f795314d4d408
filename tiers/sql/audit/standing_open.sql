-- Every member has exactly one open standing.
SELECT m.id AS member, '1' AS expected, count(s.id)::text AS found
FROM members_member m
LEFT JOIN tiers_standing s ON s.member_id = m.id AND s.ended_at IS NULL
GROUP BY m.id
HAVING count(s.id) <> 1
ORDER BY m.id
