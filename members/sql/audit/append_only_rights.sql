-- The application role may read and add to append-only tables, nothing else. Where one role does
-- everything, the triggers alone guard them.
SELECT t.name AS "table", o.operation, 'no right' AS expected,
       format('role %s may', %(role)s::text) AS found
FROM unnest(%(tables)s::text[]) AS t (name)
CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS o (operation)
WHERE NOT pg_has_role(%(role)s::name,
                      (SELECT relowner FROM pg_class WHERE oid = to_regclass(quote_ident(t.name))),
                      'USAGE')
  AND (has_table_privilege(%(role)s::name, quote_ident(t.name), o.operation)
       OR (o.operation = 'UPDATE'
           AND has_any_column_privilege(%(role)s::name, quote_ident(t.name), 'UPDATE')))
ORDER BY 1, 2
