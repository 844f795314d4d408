-- The entries of an account are numbered 1, 2, 3 … without a gap.
SELECT id AS entry, account_id AS account, wanted::text AS expected, seq::text AS found
FROM (
    SELECT id, account_id, seq,
           coalesce(lag(seq) OVER (PARTITION BY account_id ORDER BY seq, id), 0) + 1 AS wanted
    FROM rewards_entry
) e
WHERE seq <> wanted
ORDER BY account_id, seq
