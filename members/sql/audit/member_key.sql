-- Every member has a data key, erased ones have none.
SELECT m.id AS member, CASE WHEN m.status = 'erased' THEN 'no key' ELSE 'a key' END AS expected,
       CASE WHEN k.member_id IS NULL THEN 'no key' ELSE 'a key' END AS found
FROM members_member m
LEFT JOIN members_memberkey k ON k.member_id = m.id
WHERE (m.status = 'erased') = (k.member_id IS NOT NULL)
ORDER BY m.id
