-- A grant gave every benefit that its step holds, unless it waits; one taken back holds none.
SELECT g.id AS "grant", g.member_id AS member, i.id AS item,
       CASE WHEN g.status = 'given' THEN 'given' ELSE 'ended' END AS expected,
       CASE WHEN e.id IS NULL THEN 'nothing' WHEN e.ended_at IS NULL THEN 'open' ELSE 'ended' END
           AS found
FROM rewards_grant g
JOIN rewards_giftitem i ON i.step_id = g.step_id AND i.kind = 'benefit'
LEFT JOIN tiers_entitlement e
  ON e.source = 'grant' -- of the member, or of whom that one was merged into
 AND e.source_ref = 'grant:' || g.public_id || ':' || i.id
WHERE NOT g.evidence ? 'waiting'
  AND (e.id IS NULL OR (g.status = 'revoked' AND e.ended_at IS NULL))
ORDER BY g.id, i.id
