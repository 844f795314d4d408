SELECT k.code AS campaign, i.member_id AS member, 'not in it' AS expected, 'in the segment' AS found
FROM campaigns_campaign k
JOIN members_segment s ON s.code = 'campaign-' || k.code AND s.kind = 'campaign'
JOIN members_segmentmembership i ON i.segment_id = s.id AND i.to_at IS NULL
WHERE k.state NOT IN ('pilot', 'live') OR NOT EXISTS (
    SELECT FROM campaigns_campaignmember c
    WHERE c.campaign_id = k.id AND c.member_id = i.member_id AND c.arm = 'treated'
      AND c.left_at IS NULL)
UNION ALL
SELECT k.code, c.member_id, 'in the segment', 'not in it'
FROM campaigns_campaign k
JOIN members_segment s ON s.code = 'campaign-' || k.code AND s.kind = 'campaign'
JOIN campaigns_campaignmember c
  ON c.campaign_id = k.id AND c.arm = 'treated' AND c.left_at IS NULL
-- Who is gone is out of the segment at once, and out of the audience when that is next refreshed.
JOIN members_member m ON m.id = c.member_id AND m.status IN ('active', 'frozen')
WHERE k.state IN ('pilot', 'live') AND NOT EXISTS (
    SELECT FROM members_segmentmembership i
    WHERE i.segment_id = s.id AND i.member_id = c.member_id AND i.to_at IS NULL)
