-- A grant is of a version of its rule, and of a step of that version.
SELECT g.id AS "grant", g.member_id AS member, 'its own rule''s' AS expected,
       'another rule''s' AS found
FROM rewards_grant g
JOIN rewards_grantruleversion v ON v.id = g.version_id
LEFT JOIN rewards_grantstep s ON s.id = g.step_id
WHERE v.rule_id <> g.rule_id OR s.version_id IS DISTINCT FROM g.version_id
ORDER BY g.id
