-- A touchpoint's budgets hold no more than its adjustments have moved.
SELECT b.id AS budget, format('0 to %s', coalesce(sum(e.points), 0)) AS expected,
       b.points::text AS found
FROM rewards_adjustmentbudget b
JOIN members_touchpoint t ON t.id = b.touchpoint_id
LEFT JOIN rewards_entry e
  ON e.actor = 'touchpoint:' || t.code AND e.reason = 'adjustment'
 AND 'adjustment' IN (e.source, e.target)
 AND (b.member_id IS NULL OR e.member_id = b.member_id)
 AND to_char(e.recorded_at AT TIME ZONE %(time_zone)s, 'YYYY-MM-DD') LIKE b.period || '%%'
GROUP BY b.id
HAVING b.points > coalesce(sum(e.points), 0)
ORDER BY b.id
