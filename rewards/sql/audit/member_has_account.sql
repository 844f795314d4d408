-- Every member has exactly one points account.
SELECT m.id AS member, '1' AS expected, count(a.id)::text AS found
FROM members_member m
LEFT JOIN rewards_pointsaccount a ON a.member_id = m.id AND a.kind = 'points'
GROUP BY m.id
HAVING count(a.id) <> 1
ORDER BY m.id
