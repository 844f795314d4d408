-- A member has one open claim to what a tier gives of a benefit, of whichever version.
SELECT min(e.id) AS entitlement, e.member_id AS member, 'one' AS expected,
       count(*)::text AS found
FROM tiers_entitlement e JOIN tiers_tierbenefit b ON b.id = e.terms_id
WHERE e.source = 'tier' AND e.ended_at IS NULL AND e.until_at IS NULL
GROUP BY e.member_id, b.tier_id, e.benefit_id
HAVING count(*) > 1
ORDER BY 1
