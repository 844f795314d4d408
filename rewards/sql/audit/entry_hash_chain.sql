-- hash = SHA-256(hash of the entry before ‖ canonical JSON of this one); the first follows 32 zero
-- bytes. to_json(text) escapes exactly as RFC 8785 does; the names stand in their sorted order.
SELECT id AS entry, account_id AS account, seq, encode(wanted, 'hex') AS expected,
       encode(hash, 'hex') AS found
FROM (
    SELECT e.id, e.account_id, e.seq, e.hash,
           sha256(
               coalesce(lag(e.hash) OVER (PARTITION BY e.account_id ORDER BY e.seq, e.id),
                        decode(repeat('00', 32), 'hex'))
               || convert_to(concat(
                   '{"actor":', to_json(e.actor),
                   ',"fact":', CASE WHEN f.id IS NULL THEN 'null' ELSE concat(
                       '{"kind":', to_json(f.kind), ',"ref":', to_json(f.ref),
                       ',"source":', to_json(f.source), ',"version":', f.version, '}') END,
                   ',"from":', to_json(e.source),
                   ',"kind":', to_json(a.kind),
                   ',"member":"', m.public_id,
                   '","occurred_at":"',
                   to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   '","points":', e.points,
                   ',"reason":', to_json(e.reason),
                   ',"recorded_at":"',
                   to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   '","rule":', CASE WHEN v.id IS NULL THEN 'null' ELSE concat(
                       '{"code":', to_json(r.code), ',"version":', v.number, '}') END,
                   ',"seq":', e.seq,
                   ',"to":', to_json(e.target), '}'), 'UTF8')
           ) AS wanted
    FROM rewards_entry e
    JOIN rewards_pointsaccount a ON a.id = e.account_id
    JOIN members_member m ON m.id = a.member_id
    LEFT JOIN members_receivedfact f ON f.id = e.fact_id
    LEFT JOIN rewards_ruleversion v ON v.id = e.rule_id
    LEFT JOIN rewards_rule r ON r.id = v.rule_id
) chain
WHERE hash <> wanted
ORDER BY account_id, seq
