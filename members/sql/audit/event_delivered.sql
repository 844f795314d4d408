-- Each event is owed, or was handed, to everyone who follows its kind; counted from the first
-- event that the follower got of this kind, since a subscription owes nothing of the past. What was
-- recorded before the deliveries that are kept is left out.
SELECT e.id AS event, s.follower, 'a delivery' AS expected, 'none' AS found
FROM members_subscription s
JOIN (
    SELECT d.follower, e.kind, min(e.id) AS first_id
    FROM members_eventdelivery d JOIN members_memberevent e ON e.id = d.event_id
    GROUP BY d.follower, e.kind
) k ON k.follower = s.follower AND k.kind = s.kind
JOIN members_memberevent e ON e.kind = s.kind AND e.id > k.first_id
LEFT JOIN members_eventdelivery d ON d.event_id = e.id AND d.follower = s.follower
WHERE d.id IS NULL AND e.recorded_at >= %(kept_since)s
ORDER BY e.id, s.follower
