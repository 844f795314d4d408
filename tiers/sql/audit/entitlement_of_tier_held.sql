-- No claim goes on for a tier that is neither held nor runs out, where nothing is still to follow.
SELECT e.id AS entitlement, e.member_id AS member, ht.code AS expected, t.code AS found
FROM tiers_entitlement e
JOIN tiers_tierbenefit b ON b.id = e.terms_id JOIN tiers_tier t ON t.id = b.tier_id
JOIN members_member m ON m.id = e.member_id AND m.status IN ('active', 'frozen')
JOIN tiers_standing s ON s.member_id = e.member_id AND s.ended_at IS NULL
JOIN tiers_tier st ON st.id = s.tier_id
LEFT JOIN LATERAL (
    SELECT o.tier_id, ot.rank FROM tiers_standingoverride o JOIN tiers_tier ot ON ot.id = o.tier_id
    WHERE o.member_id = e.member_id AND NOT o.is_floor AND o.revoked_at IS NULL
      AND o.follow_at = o.until_at
    ORDER BY o.id DESC LIMIT 1) h ON true
LEFT JOIN LATERAL (
    SELECT o.tier_id, ot.rank FROM tiers_standingoverride o JOIN tiers_tier ot ON ot.id = o.tier_id
    WHERE o.member_id = e.member_id AND o.is_floor AND o.revoked_at IS NULL
      AND o.follow_at = o.until_at
    ORDER BY ot.rank DESC LIMIT 1) f ON true
JOIN tiers_tier ht ON ht.id = CASE WHEN f.rank > coalesce(h.rank, st.rank) THEN f.tier_id
                                   ELSE coalesce(h.tier_id, s.tier_id) END
WHERE e.source = 'tier' AND e.ended_at IS NULL AND e.until_at IS NULL AND t.id <> ht.id
ORDER BY e.id
