-- The snapshot stands on the rank, since the instant and until the day that the open standing says.
-- A rank is a tier's place among those that the snapshot's version of the ladder has.
SELECT s.member_id AS member, o.id AS standing,
       format('rank %s since %s until %s', o.rank, o.from_at, o.kept_until_on) AS expected,
       format('rank %s since %s until %s', s.rank, s.since, s.kept_until_on) AS found
FROM (
    SELECT member_id, coalesce((state -> 't' ->> 'rank')::int, 0) AS rank,
           (state -> 't' ->> 'ladder')::int AS ladder,
           (state -> 't' ->> 'since')::timestamptz AS since,
           date '0001-01-01' + (state -> 't' ->> 'kept')::int - 1 AS kept_until_on
    FROM rewards_foldsnapshot
) s
LEFT JOIN LATERAL (
    SELECT o.id, coalesce(p.rank, t.rank::int) AS rank, o.from_at, o.kept_until_on
    FROM tiers_standing o
    JOIN tiers_tier t ON t.id = o.tier_id
    LEFT JOIN (
        SELECT l.number, m.tier_id,
               (row_number() OVER (PARTITION BY l.id ORDER BY r.rank) - 1)::int AS rank
        FROM tiers_ladderversion l
        JOIN tiers_tierterm m ON m.ladder_id = l.id
        JOIN tiers_tier r ON r.id = m.tier_id
    ) p ON p.number = s.ladder AND p.tier_id = o.tier_id
    WHERE o.member_id = s.member_id AND o.ended_at IS NULL
) o ON true
WHERE (s.rank, s.since, s.kept_until_on) IS DISTINCT FROM (o.rank, o.from_at, o.kept_until_on)
ORDER BY s.member_id
