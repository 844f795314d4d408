-- At no instant do two tiers set by staff run for a member; what was bought may run beside one.
SELECT a.id AS override, b.id AS other, a.member_id AS member, 'one after the other' AS expected,
       format('both at %s', greatest(a.from_at, b.from_at)) AS found
FROM tiers_standingoverride a
JOIN tiers_standingoverride b ON b.member_id = a.member_id AND b.id > a.id
 AND NOT a.is_floor AND NOT b.is_floor
WHERE tstzrange(a.from_at, greatest(a.from_at, least(a.until_at, a.revoked_at)))
      && tstzrange(b.from_at, greatest(b.from_at, least(b.until_at, b.revoked_at)))
ORDER BY a.id
