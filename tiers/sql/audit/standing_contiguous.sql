-- Each standing begins where the one before ended: no gap, no overlap, only the last is open.
SELECT id AS standing, member_id AS member, coalesce(ended_before::text, 'an end before') AS expected,
       from_at::text AS found
FROM (
    SELECT id, member_id, from_at,
           lag(ended_at) OVER w AS ended_before, row_number() OVER w AS place
    FROM tiers_standing
    WINDOW w AS (PARTITION BY member_id ORDER BY from_at, ended_at NULLS LAST, id)
) s
WHERE place > 1 AND from_at IS DISTINCT FROM ended_before
ORDER BY member_id, from_at
