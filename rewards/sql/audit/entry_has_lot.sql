-- An entry that brings points in makes exactly one lot of as many points; no other entry makes one.
SELECT e.id AS entry, l.id AS lot,
       CASE WHEN e.source IN ('issuance', 'adjustment', 'transfer')
            THEN format('a lot of %s', e.points) ELSE 'no lot' END AS expected,
       coalesce('a lot of ' || l.points, 'no lot') AS found
FROM rewards_entry e
LEFT JOIN rewards_lot l ON l.entry_id = e.id
WHERE CASE WHEN e.source IN ('issuance', 'adjustment', 'transfer')
           THEN l.points IS DISTINCT FROM e.points ELSE l.id IS NOT NULL END
ORDER BY e.id
