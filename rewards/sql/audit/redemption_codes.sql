-- A redemption of codes has one for each piece as long as it is held or handed over, else none.
SELECT r.id AS redemption, r.reward_id AS reward, b.expected::text AS expected,
       coalesce(c.given, 0)::text AS found
FROM rewards_redemption r
JOIN rewards_reward w ON w.id = r.reward_id AND w.kind IN ('gift_card', 'partner_code')
LEFT JOIN (
    SELECT redemption_id, count(*) AS given
    FROM rewards_rewardcode WHERE redemption_id IS NOT NULL GROUP BY redemption_id
) c ON c.redemption_id = r.id
CROSS JOIN LATERAL (
    SELECT CASE WHEN r.status IN ('held', 'fulfilled') THEN r.quantity ELSE 0 END
) AS b (expected)
WHERE b.expected <> coalesce(c.given, 0)
ORDER BY r.id
