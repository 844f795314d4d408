-- A payout belongs to a referral that pays cash, to its referrer, and is of the promised amount.
SELECT t.id AS payout, t.referral_id AS referral, p.amount::text AS expected,
       t.amount::text AS found
FROM campaigns_payout t
JOIN campaigns_referral r ON r.id = t.referral_id
JOIN campaigns_referralprogramme p ON p.id = r.programme_id
WHERE t.amount IS DISTINCT FROM p.amount OR r.rewarded_at IS DISTINCT FROM t.requested_at
   OR (t.state = 'paid' AND t.paid_by = t.decided_by)
   OR (r.state = 'taken_back' AND t.state IN ('requested', 'approved'))
ORDER BY t.id
