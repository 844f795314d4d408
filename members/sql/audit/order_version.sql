-- An order stands at the highest version received of it: status, member and lines are that one's.
SELECT o.id AS "order", f.id AS fact,
       format('version %s %s member %s lines %s', f.version, f.body ->> 'status', f.member_id,
              f.lines) AS expected,
       format('version %s %s member %s lines %s', o.version, o.status, o.member_id, l.lines) AS found
FROM members_order o
LEFT JOIN (
    SELECT DISTINCT ON (order_id) id, order_id, version, member_id, body,
           (SELECT format('%s %s', count(*), coalesce(sum((line ->> 6)::numeric), 0))
              FROM jsonb_array_elements(body -> 'lines') AS line) AS lines
    FROM members_receivedfact
    WHERE kind = 'order' AND state = 'applied'
    ORDER BY order_id, version DESC
) f ON f.order_id = o.id
LEFT JOIN (
    SELECT order_id, format('%s %s', count(*), trunc(sum(amount) * %(minor_units)s)) AS lines
    FROM members_orderline GROUP BY order_id
) l ON l.order_id = o.id
WHERE (o.version, o.status, o.member_id, coalesce(l.lines, '0 0'))
      IS DISTINCT FROM (f.version, f.body ->> 'status', f.member_id, f.lines)
ORDER BY o.id
