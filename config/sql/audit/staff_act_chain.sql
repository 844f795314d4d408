-- Each staff act hashes to its hash, and its hash is where the next one goes on.
SELECT a.seq AS act,
       CASE WHEN a.prev_hash IS DISTINCT FROM a.before_it THEN encode(a.before_it, 'hex')
            ELSE encode(a.computed, 'hex') END AS expected,
       CASE WHEN a.prev_hash IS DISTINCT FROM a.before_it THEN encode(a.prev_hash, 'hex')
            ELSE encode(a.hash, 'hex') END AS found
FROM (
    SELECT s.seq, s.prev_hash, s.hash,
           lag(s.hash, 1, decode(repeat('00', 32), 'hex')) OVER (ORDER BY s.seq) AS before_it,
           sha256(s.prev_hash || convert_to(
               json_build_array(
                   s.seq, to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   s.actor, s.roles, s.source, s.address, s.act, s.operation, s."table", s.row_id,
                   s.member_id, s.before::text, s.after::text, s.reason, s.approval_id)::text,
               'UTF8')) AS computed
    FROM config_staffact s
) a
WHERE a.prev_hash IS DISTINCT FROM a.before_it OR a.hash IS DISTINCT FROM a.computed
ORDER BY a.seq
