-- Append-only tables refuse UPDATE, DELETE and TRUNCATE by enabled triggers, for everyone.
SELECT t.name AS "table", o.operation, 'refused' AS expected, 'no enabled trigger' AS found
FROM unnest(%(tables)s::text[]) AS t (name)
CROSS JOIN (VALUES ('UPDATE', 16, 1), ('DELETE', 8, 1), ('TRUNCATE', 32, 0))
    AS o (operation, bit, for_each_row)
WHERE NOT EXISTS (
    SELECT 1 FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
    WHERE g.tgrelid = to_regclass(quote_ident(t.name)) AND NOT g.tgisinternal
      AND g.tgenabled IN ('O', 'A') AND g.tgqual IS NULL
      AND g.tgtype::int & o.bit > 0 AND g.tgtype::int & 2 > 0
      AND g.tgtype::int & 1 = o.for_each_row
      AND g.tgattr::text = ''
      AND p.prosrc LIKE '%RAISE EXCEPTION%')
ORDER BY 1, 2
