-- Staff acts are numbered 1, 2, 3 … in the order of their instants, and none is missing in between.
SELECT a.seq AS act, format('after %s', a.last_seq) AS expected,
       format('%s, %s after it', a.seq, a.at - a.last_at) AS found
FROM (
    SELECT seq, at, lag(seq, 1, 0::bigint) OVER w AS last_seq, lag(at, 1, at) OVER w AS last_at
    FROM config_staffact WINDOW w AS (ORDER BY seq)
) a
WHERE a.seq <> a.last_seq + 1 OR a.at < a.last_at
ORDER BY a.seq
