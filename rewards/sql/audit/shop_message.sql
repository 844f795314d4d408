-- A message from a shop that could not be done has a case; one that was done has its orders' facts.
SELECT d.id AS message, 'a case' AS expected, 'none' AS found
FROM rewards_inbounddelivery d
WHERE d.state = 'parked' AND d.case_id IS NULL
UNION ALL
SELECT d.id, 'a fact of ' || (r ->> 'order_no'), 'none'
FROM rewards_inbounddelivery d CROSS JOIN LATERAL jsonb_array_elements(d.result) r
WHERE d.state = 'done' AND r ? 'order_no'
  AND NOT EXISTS (SELECT FROM members_receivedfact f
                  WHERE f.source = r ->> 'source' AND f.order_no = r ->> 'order_no')
ORDER BY 1
