SELECT b.campaign_id AS campaign, b.period,
       concat_ws(' / ', s.points, s.money, s.acts) AS expected,
       concat_ws(' / ', b.spent_points, b.spent_money, b.spent_acts) AS found
FROM campaigns_campaignbudget b
CROSS JOIN LATERAL (
    SELECT coalesce(sum(a.points), 0) points, coalesce(sum(a.money), 0) money, count(*) acts
    FROM campaigns_campaignact a
    JOIN campaigns_campaignversion v ON v.id = a.version_id
    WHERE a.campaign_id = b.campaign_id AND a.period = b.period AND a.skipped = ''
      AND (a.undone_at IS NULL OR NOT v.returns_to_budget)
) s
WHERE (b.spent_points, b.spent_money, b.spent_acts) IS DISTINCT FROM (s.points, s.money, s.acts)
