SELECT a.id AS act, a.campaign_id AS campaign, a.version_id AS version
FROM campaigns_campaignact a JOIN campaigns_campaignversion v ON v.id = a.version_id
WHERE v.campaign_id <> a.campaign_id
