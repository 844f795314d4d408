-- Every constraint and unique index that the models declare exists and has been checked.
SELECT c.name AS "constraint", 'in force' AS expected,
       CASE WHEN p.oid IS NULL AND i.indexrelid IS NULL THEN 'missing'
            ELSE 'not validated' END AS found
FROM unnest(%(names)s::text[]) AS c (name)
LEFT JOIN pg_constraint p
  ON p.conname = c.name AND p.connamespace = current_schema()::regnamespace
LEFT JOIN pg_index i ON i.indexrelid = to_regclass(quote_ident(c.name)) AND i.indisunique
WHERE CASE WHEN p.oid IS NOT NULL THEN NOT p.convalidated
           ELSE i.indexrelid IS NULL OR NOT i.indisvalid END
ORDER BY 1
