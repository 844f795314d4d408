-- The intervals of a member in a segment never overlap, and the size of a segment is the number of
-- its open ones. The audience of a campaign is sized by its campaign.
SELECT i.segment_id AS segment, i.member_id::text AS member,
       'starts after ' || i.before_to AS expected, i.from_at::text AS found
FROM (
    SELECT segment_id, member_id, from_at,
           lag(coalesce(to_at, 'infinity')) OVER w AS before_to
    FROM members_segmentmembership
    WINDOW w AS (PARTITION BY segment_id, member_id ORDER BY from_at, id)
) i
WHERE i.before_to > i.from_at
UNION ALL
SELECT g.id, NULL, coalesce(o.open, 0)::text, g.size::text
FROM members_segment g
LEFT JOIN (
    SELECT segment_id, count(*) AS open FROM members_segmentmembership
    WHERE to_at IS NULL GROUP BY segment_id
) o ON o.segment_id = g.id
WHERE g.kind <> 'campaign' AND g.size IS NOT NULL AND g.size <> coalesce(o.open, 0)
ORDER BY 1
