-- The snapshot stands on the rank, since the instant and until the day that the open standing says.
SELECT s.member_id AS member, o.id AS standing,
       format('rank %s since %s until %s', o.rank, o.from_at, o.kept_until_on) AS expected,
       format('rank %s since %s until %s', s.rank, s.since, s.kept_until_on) AS found
FROM (
    SELECT member_id, coalesce((state -> 't' ->> 'rank')::int, 0) AS rank,
           (state -> 't' ->> 'since')::timestamptz AS since,
           date '0001-01-01' + (state -> 't' ->> 'kept')::int - 1 AS kept_until_on
    FROM rewards_foldsnapshot
) s
LEFT JOIN (
    SELECT s.id, s.member_id, t.rank::int AS rank, s.from_at, s.kept_until_on
    FROM tiers_standing s JOIN tiers_tier t ON t.id = s.tier_id
    WHERE s.ended_at IS NULL
) o ON o.member_id = s.member_id
WHERE (s.rank, s.since, s.kept_until_on) IS DISTINCT FROM (o.rank, o.from_at, o.kept_until_on)
ORDER BY s.member_id
