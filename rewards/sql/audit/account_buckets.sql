-- What was earned is somewhere: the buckets sum to it, none is negative, debt stands beside nothing.
SELECT a.id AS account, a.earned::text AS expected,
       format('pending %s + available %s + reserved %s + redeemed %s + expired %s + reversed %s'
              ' + adjusted %s - debt %s', a.pending, a.available, a.reserved, a.redeemed,
              a.expired, a.reversed, a.adjusted, a.debt) AS found
FROM rewards_pointsaccount a
WHERE a.earned <> a.pending + a.available + a.reserved + a.redeemed + a.expired + a.reversed
                  + a.adjusted - a.debt
   OR least(a.pending, a.available, a.reserved, a.debt, a.earned, a.redeemed, a.expired,
            a.reversed) < 0
   OR (a.debt > 0 AND a.available > 0)
ORDER BY a.id
