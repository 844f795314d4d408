-- Within one entry all lots give or all lots get, each lot once.
SELECT min(u.id) AS lot_use, u.entry_id AS entry, u.lot_id AS lot,
       'one use' AS expected, string_agg(u.points::text, ', ' ORDER BY u.id) AS found
FROM rewards_lotuse u
GROUP BY u.entry_id, u.lot_id
HAVING count(*) > 1
UNION ALL
SELECT min(u.id), u.entry_id, NULL, 'one direction', format('%s to %s', min(u.points), max(u.points))
FROM rewards_lotuse u
GROUP BY u.entry_id
HAVING min(u.points) < 0 AND max(u.points) > 0
ORDER BY 1
