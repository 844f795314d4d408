-- A member's fold stands at the last of its facts: those of every order that any of its facts named
-- the member for, and its interactions.
SELECT coalesce(s.member_id, l.member_id) AS member, coalesce(l.last_at::text, 'no fact') AS expected,
       coalesce(s.position ->> 0, 'none') AS found
FROM rewards_foldsnapshot s
FULL JOIN (
    SELECT member_id, max(acts_at) AS last_at
    FROM (
        SELECT n.member_id, f.acts_at
        FROM (
            SELECT DISTINCT member_id, order_id FROM members_receivedfact
            WHERE kind = 'order' AND state = 'applied'
        ) n
        JOIN members_receivedfact f ON f.order_id = n.order_id AND f.state = 'applied'
        UNION ALL
        SELECT member_id, acts_at FROM members_receivedfact
        WHERE kind = 'interaction' AND state = 'applied'
    ) facts
    GROUP BY member_id
) l ON l.member_id = s.member_id
WHERE (s.position ->> 0)::timestamptz IS DISTINCT FROM l.last_at
ORDER BY 1
