-- Whom an analyst would find by hand: members of a tier, with consent to text messages, who have
-- bought at least twice in a year for at least so much, and not for sixty days.
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
)
SELECT m.id
FROM members_member m
JOIN tiers_standing s ON s.member_id = m.id AND s.ended_at IS NULL
JOIN tiers_tier t ON t.id = s.tier_id
JOIN bought b ON b.member_id = m.id
JOIN agreed a ON a.member_id = m.id
WHERE m.status IN ('active', 'frozen') AND t.code IN ('silver', 'gold') AND a.granted
  AND b.orders >= 2 AND b.spend >= 1000
  AND (b.last_at AT TIME ZONE %(zone)s)::date <= %(today)s - 60
