-- A paid membership lies over the tier of its plan for exactly its time, and none that was refunded.
SELECT m.id AS membership, m.member_id AS member,
       CASE WHEN m.status = 'refunded' THEN 'taken back' ELSE 'the plan''s tier, for its time' END
           AS expected,
       CASE WHEN o.id IS NULL THEN 'nothing' ELSE 'something else' END AS found
FROM tiers_paidmembership m JOIN tiers_membershipplan p ON p.id = m.plan_id
LEFT JOIN tiers_standingoverride o ON o.id = m.override_id
WHERE o.id IS NULL OR NOT o.is_floor OR o.member_id <> m.member_id
   OR (o.from_at, o.until_at) <> (m.from_at, m.until_at)
   OR (m.status = 'refunded') <> (o.revoked_at IS NOT NULL)
ORDER BY m.id
