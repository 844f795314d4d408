-- Whatever points were given for a referral stand on exactly one.
SELECT e.id AS entry, '1 referral' AS expected, '0 referrals' AS found
FROM rewards_entry e
WHERE e.reason = 'referral' AND e.source = 'issuance'
  AND NOT EXISTS (SELECT FROM campaigns_referral r WHERE r.entry_id = e.id)
ORDER BY e.id
