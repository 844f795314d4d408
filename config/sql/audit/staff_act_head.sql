-- The head says which act is the last, so that none is missing at the end.
SELECT coalesce(h.seq, l.seq) AS act,
       coalesce(format('%s %s', h.seq, encode(h.hash, 'hex')), 'a head') AS expected,
       coalesce(format('%s %s', l.seq, encode(l.hash, 'hex')), 'none') AS found
FROM (VALUES (1)) AS one (n)
LEFT JOIN config_staffacthead h ON h.id = 1
LEFT JOIN LATERAL (SELECT seq, hash FROM config_staffact ORDER BY seq DESC LIMIT 1) l ON true
WHERE h.id IS NULL OR h.seq <> coalesce(l.seq, 0)
   OR h.hash <> coalesce(l.hash, decode(repeat('00', 32), 'hex'))
