-- An account remembers the instant at which the member's fold stands.
SELECT a.id AS account, coalesce(s.position ->> 0, 'none') AS expected,
       coalesce(a.last_fact_at::text, 'none') AS found
FROM rewards_pointsaccount a
LEFT JOIN rewards_foldsnapshot s ON s.member_id = a.member_id
WHERE a.kind = 'points'
  AND (s.position ->> 0)::timestamptz IS DISTINCT FROM a.last_fact_at
ORDER BY a.id
