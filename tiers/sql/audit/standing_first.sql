-- The first standing is of rank 0 and begins no later than enrolment.
SELECT s.id AS standing, s.member_id AS member, format('rank 0 from %s', m.joined_at) AS expected,
       format('rank %s from %s', t.rank, s.from_at) AS found
FROM (
    SELECT DISTINCT ON (member_id) id, member_id, tier_id, from_at
    FROM tiers_standing ORDER BY member_id, from_at, ended_at NULLS LAST, id
) s
JOIN tiers_tier t ON t.id = s.tier_id
JOIN members_member m ON m.id = s.member_id
WHERE t.rank <> 0 OR s.from_at > m.joined_at
ORDER BY s.member_id
