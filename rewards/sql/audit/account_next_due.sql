-- An account is due no later than the first instant at which time alone changes it.
SELECT a.id AS account, d.first_due::text AS expected, coalesce(a.next_due_at::text, 'never') AS found
FROM rewards_pointsaccount a
JOIN (
    SELECT account_id, min(due_at) AS first_due
    FROM (
        SELECT account_id, CASE WHEN is_pending THEN available_at ELSE expires_at END AS due_at
        FROM rewards_lot WHERE remaining > 0
        UNION ALL
        SELECT account_id, expires_at FROM rewards_reservation WHERE status = 'held'
    ) due
    GROUP BY account_id
) d ON d.account_id = a.id
WHERE d.first_due IS NOT NULL AND (a.next_due_at IS NULL OR a.next_due_at > d.first_due)
ORDER BY a.id
