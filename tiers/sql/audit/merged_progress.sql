-- A survivor has the progress of who was merged into it, by metric; of an undone merge, none.
SELECT g.id AS merge, coalesce(w.metric, h.metric) AS metric,
       coalesce(w.amount, 0)::text AS expected, coalesce(h.amount, 0)::text AS found
FROM members_membermerge g
CROSS JOIN LATERAL (VALUES ('spend'), ('orders'), ('interactions'), ('referrals'),
                           ('points_earned')) AS k (metric)
LEFT JOIN LATERAL (
    SELECT k.metric, sum(p.amount) AS amount FROM tiers_progressentry p
    WHERE p.member_id = g.away_id AND p.metric = k.metric AND g.undone_at IS NULL
) w ON true
LEFT JOIN LATERAL (
    SELECT k.metric, sum(p.amount) AS amount FROM tiers_progressentry p
    JOIN members_receivedfact f ON f.id = p.fact_id
    WHERE p.member_id = g.into_id AND p.metric = k.metric AND f.kind = 'interaction'
      AND f.source = 'merge' AND f.member_id = g.into_id AND f.ref LIKE g.id || ':%'
) h ON true
WHERE coalesce(w.amount, 0) <> coalesce(h.amount, 0)
ORDER BY 1, 2
