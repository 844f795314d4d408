-- What a member has spent so far is the sum of the orders that count, those of members merged into
-- it included, as far as everything that was told of them has been read.
WITH RECURSIVE mark AS (
    SELECT safe_event FROM members_insightmark WHERE basis <> '' AND swept_to IS NULL
), own AS (
    SELECT i.member_id AS owner, i.member_id AS member
    FROM mark CROSS JOIN members_memberinsight i
    UNION ALL
    SELECT own.owner, m.id FROM own JOIN members_member m ON m.merged_into_id = own.member
), fresh AS (
    SELECT own.owner FROM mark CROSS JOIN members_memberevent e
    JOIN own ON own.member = e.member_id WHERE e.id > mark.safe_event
)
SELECT i.member_id AS member, coalesce(s.net, 0)::text AS expected, i.spent_total::text AS found
FROM mark CROSS JOIN members_memberinsight i
LEFT JOIN (
    SELECT own.owner, sum(o.net_amount) AS net
    FROM own JOIN members_order o ON o.member_id = own.member
    JOIN members_memberinsight x ON x.member_id = own.owner
    WHERE o.status <> 'cancelled' AND o.net_amount > 0
      AND (o.placed_at AT TIME ZONE %(zone)s)::date <= x.computed_on
    GROUP BY own.owner
) s ON s.owner = i.member_id
WHERE i.spent_total <> coalesce(s.net, 0) AND i.member_id NOT IN (SELECT owner FROM fresh)
ORDER BY i.member_id
