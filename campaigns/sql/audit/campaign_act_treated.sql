SELECT a.id AS act, a.campaign_id AS campaign, a.member_id AS member, 'treated' AS expected, coalesce(m.arm, 'in no arm') AS found
FROM campaigns_campaignact a
LEFT JOIN campaigns_campaignmember m
       ON m.campaign_id = a.campaign_id AND m.member_id = a.member_id
WHERE a.skipped = '' AND m.arm IS DISTINCT FROM 'treated'
