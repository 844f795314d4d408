-- A check-in of so many days in a row has a check-in on each of them.
SELECT f.id AS fact, f.body ->> 'streak' AS expected, count(d.id)::text AS found
FROM members_receivedfact f
LEFT JOIN members_receivedfact d
  ON d.source = f.source AND d.kind = f.kind AND d.ref IN (
    SELECT split_part(f.ref, ':', 1) || ':' || (split_part(f.ref, ':', 2)::date - n)::text
    FROM generate_series(0, (f.body ->> 'streak')::int - 1) AS n)
WHERE f.source = 'check_in' AND f.kind = 'interaction' AND f.body ? 'streak'
GROUP BY f.id
HAVING count(d.id) <> (f.body ->> 'streak')::int
ORDER BY f.id
