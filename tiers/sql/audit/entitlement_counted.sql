-- What a period says is held and used of a quota is what the uses add up to.
SELECT p.id AS period, p.entitlement_id AS entitlement,
       format('%s held, %s used', coalesce(u.held, 0), coalesce(u.used, 0)) AS expected,
       format('%s held, %s used', p.held, p.used) AS found
FROM tiers_entitlementperiod p
LEFT JOIN (
    SELECT period_id, sum(uses) FILTER (WHERE status = 'held') AS held,
           sum(uses) FILTER (WHERE status = 'used') AS used
    FROM tiers_entitlementuse GROUP BY period_id
) u ON u.period_id = p.id
WHERE (p.held, p.used) IS DISTINCT FROM (coalesce(u.held, 0), coalesce(u.used, 0))
ORDER BY p.id
