-- A message says what its event says, and one that counts as delivered was taken by the receiver.
SELECT d.id AS message, e.kind || ' / 2xx' AS expected,
       d.kind || ' / ' || coalesce(d.status::text, 'none') AS found
FROM members_webhookdelivery d JOIN members_memberevent e ON e.id = d.event_id
WHERE d.kind <> e.kind OR (d.state = 'delivered' AND coalesce(d.status, 0) NOT BETWEEN 200 AND 299)
ORDER BY d.id
