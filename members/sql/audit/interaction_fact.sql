-- An interaction says what its fact says.
SELECT i.fact_id AS interaction, format('%s/%s %s', f.source, f.ref, f.body ->> 'kind') AS expected,
       format('%s/%s %s', i.source, i.ref, i.kind) AS found
FROM members_interaction i
JOIN members_receivedfact f ON f.id = i.fact_id
WHERE f.kind <> 'interaction' OR f.state <> 'applied' OR f.member_id <> i.member_id
   OR (f.source, f.ref, f.body ->> 'kind') IS DISTINCT FROM (i.source, i.ref, i.kind)
ORDER BY i.fact_id
