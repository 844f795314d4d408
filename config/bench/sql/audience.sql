-- Whom an analyst would find by hand: members whose tier counts as one of two, with consent to text
-- messages, who have bought at least twice in a year for at least so much, and not for sixty days.
WITH bought AS (
    SELECT member_id, count(*) FILTER (WHERE placed_at > %(at)s - interval '365 days') AS orders,
           sum(net_amount) FILTER (WHERE placed_at > %(at)s - interval '365 days') AS spend,
           max(placed_at) AS last_at
    FROM members_order
    WHERE status <> 'cancelled' AND net_amount > 0 AND placed_at <= %(at)s
    GROUP BY member_id
), agreed AS (
    SELECT DISTINCT ON (member_id) member_id, granted FROM members_consent
    WHERE purpose = 'marketing' AND channel IN ('sms', '') AND given_at <= %(at)s
    ORDER BY member_id, channel <> '' DESC, given_at DESC, id DESC
), laid_over AS (
    SELECT DISTINCT ON (v.member_id, v.is_floor) v.member_id, v.is_floor, t.code, t.rank
    FROM tiers_standingoverride v JOIN tiers_tier t ON t.id = v.tier_id
    WHERE v.from_at <= %(at)s AND v.until_at > %(at)s
      AND (v.revoked_at IS NULL OR v.revoked_at > %(at)s)
    ORDER BY v.member_id, v.is_floor, CASE WHEN v.is_floor THEN t.rank END DESC, v.from_at DESC,
             v.id DESC
)
SELECT m.id
FROM members_member m
JOIN tiers_standing s ON s.member_id = m.id AND s.from_at <= %(at)s
                     AND (s.ended_at IS NULL OR s.ended_at > %(at)s)
JOIN tiers_tier t ON t.id = s.tier_id
LEFT JOIN laid_over o ON o.member_id = m.id AND NOT o.is_floor
LEFT JOIN laid_over f ON f.member_id = m.id AND f.is_floor
JOIN bought b ON b.member_id = m.id
JOIN agreed a ON a.member_id = m.id
WHERE m.status IN ('active', 'frozen') AND m.joined_at <= %(at)s
  AND CASE WHEN f.rank > coalesce(o.rank, t.rank) THEN f.code ELSE coalesce(o.code, t.code) END
      IN ('silver', 'gold')
  AND a.granted AND b.orders >= 2 AND b.spend >= 1000
  AND (b.last_at AT TIME ZONE %(zone)s)::date <= %(today)s - 60
