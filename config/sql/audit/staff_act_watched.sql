-- The tables that staff can change are watched, new acts are chained, and the functions that do it
-- are ours.
SELECT w.name AS "table", 'watched' AS expected,
       CASE WHEN g.oid IS NULL THEN 'no enabled trigger' ELSE 'another trigger' END AS found
FROM unnest(%(tables)s::text[], %(types)s::int[], %(arguments)s::text[]) AS w (name, type, arguments)
LEFT JOIN pg_trigger g
  ON g.tgrelid = to_regclass(quote_ident(w.name)) AND g.tgname = 'staff_act'
 AND g.tgenabled IN ('O', 'A')
LEFT JOIN pg_proc p ON p.oid = g.tgfoid AND p.proname = 'loyalty_record_change'
WHERE p.oid IS NULL OR g.tgtype <> w.type OR g.tgattr::text <> ''
   OR encode(g.tgargs, 'hex') <> w.arguments
   OR pg_get_triggerdef(g.oid) NOT LIKE %(guard)s
UNION ALL
SELECT 'config_staffact', c.function, 'no enabled trigger'
FROM (VALUES ('loyalty_chain_staff_act', 7), ('loyalty_move_head', 5)) AS c (function, type)
WHERE NOT EXISTS (
    SELECT FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
    WHERE g.tgrelid = to_regclass('config_staffact') AND g.tgenabled IN ('O', 'A')
      AND g.tgtype = c.type AND g.tgqual IS NULL AND p.proname = c.function)
UNION ALL
SELECT f.name, 'our function', 'another'
FROM unnest(%(functions)s::text[], %(bodies)s::text[]) AS f (name, body)
WHERE NOT EXISTS (
    SELECT FROM pg_proc p WHERE p.proname = f.name AND p.prosrc = f.body
      AND p.pronamespace = current_schema()::regnamespace)
ORDER BY 1
