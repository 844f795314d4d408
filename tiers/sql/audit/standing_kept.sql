-- The lowest rank is kept for ever, every other one until a day.
SELECT s.id AS standing, s.member_id AS member,
       CASE WHEN t.rank = 0 THEN 'no day' ELSE 'a day' END AS expected,
       coalesce(s.kept_until_on::text, 'no day') AS found
FROM tiers_standing s JOIN tiers_tier t ON t.id = s.tier_id
WHERE (t.rank = 0) = (s.kept_until_on IS NOT NULL)
ORDER BY s.id
