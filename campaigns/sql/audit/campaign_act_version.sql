SELECT a.id AS act, a.version_id AS version, a.campaign_id AS expected, v.campaign_id AS found
FROM campaigns_campaignact a JOIN campaigns_campaignversion v ON v.id = a.version_id
WHERE v.campaign_id <> a.campaign_id
