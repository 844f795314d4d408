-- Sold, net and qualifying amount of an order follow from its lines and its refunds: refunds of
-- lines first, then refunds of an amount spread over what the lines have left, by largest remainder.
WITH refund AS (
    SELECT order_id, body,
           jsonb_array_length(body -> 'lines') AS lines,
           (body ->> 'amount')::numeric AS amount
    FROM members_receivedfact WHERE kind = 'refund' AND state = 'applied'
), refunded AS (
    SELECT order_id,
           coalesce(sum(amount) FILTER (WHERE lines = 0), 0) AS amount,
           coalesce(bool_or(lines = 0 AND amount IS NULL), false) AS is_full
    FROM refund GROUP BY order_id
), returned AS (
    SELECT order_id, (line ->> 0)::int AS line_no, sum((line ->> 2)::numeric) AS amount
    FROM refund CROSS JOIN LATERAL jsonb_array_elements(body -> 'lines') AS line
    GROUP BY order_id, (line ->> 0)::int
), own AS (
    SELECT l.order_id, l.line_no, l.kind, l.amount * %(minor_units)s AS amount,
           greatest(0, l.amount * %(minor_units)s - coalesce(t.amount, 0)) AS rest
    FROM members_orderline l
    LEFT JOIN returned t ON t.order_id = l.order_id AND t.line_no = l.line_no
), shared AS (
    SELECT o.*, r.amount AS taken, r.is_full,
           sum(o.rest) OVER w AS total,
           floor(r.amount * o.rest / nullif(sum(o.rest) OVER w, 0)) AS whole,
           row_number() OVER (PARTITION BY o.order_id
               ORDER BY mod(r.amount * o.rest, nullif(o.total_rest, 0)) DESC, o.line_no) AS place
    FROM (SELECT own.*, sum(rest) OVER (PARTITION BY order_id) AS total_rest FROM own) o
    LEFT JOIN refunded r ON r.order_id = o.order_id
    WINDOW w AS (PARTITION BY o.order_id)
), net AS (
    SELECT order_id, kind, amount,
           CASE
               WHEN taken IS NULL THEN rest
               WHEN is_full OR taken >= total THEN 0
               ELSE rest - whole - CASE WHEN place <= taken - sum(whole) OVER (PARTITION BY order_id)
                                        THEN 1 ELSE 0 END
           END AS rest
    FROM shared
), amounts AS (
    SELECT order_id, sum(amount) AS sold, sum(rest) AS net,
           coalesce(sum(rest) FILTER (WHERE kind IN ('goods', 'service')), 0) AS qualifying
    FROM net GROUP BY order_id
)
SELECT o.id AS "order", b.part, (b.expected / %(minor_units)s)::text AS expected,
       b.found::text AS found
FROM members_order o
LEFT JOIN amounts a ON a.order_id = o.id
LEFT JOIN (
    -- Received after the account was closed: nothing of it counts.
    SELECT DISTINCT ON (order_id) order_id,
           coalesce((body ->> 'closed')::boolean, false) AS is_closed
    FROM members_receivedfact WHERE kind = 'order' AND state = 'applied'
    ORDER BY order_id, version DESC
) h ON h.order_id = o.id
CROSS JOIN LATERAL (VALUES
    ('sold', coalesce(a.sold, 0), o.sold_amount),
    ('net', CASE WHEN o.status = 'cancelled' THEN 0 ELSE coalesce(a.net, 0) END, o.net_amount),
    ('qualifying',
     CASE WHEN o.status = 'cancelled' OR h.is_closed THEN 0 ELSE coalesce(a.qualifying, 0) END,
     o.qualifying_amount)
) AS b (part, expected, found)
WHERE b.expected / %(minor_units)s <> b.found
ORDER BY o.id, b.part
