-- The nightly review as a single statement would do it that knows no member's due date: sum each
-- member's year, compare with the ladder, end and begin standings, say so in the event log.
-- The preset `classic`: silver from 1,000, gold from 3,000, diamond from 6,000.
WITH spent AS (
    SELECT member_id, sum(amount) AS amount
    FROM tiers_progressentry
    WHERE metric = 'spend'
      AND at >= (date_trunc('day', %(night)s AT TIME ZONE 'Asia/Shanghai') - interval '364 days')
                AT TIME ZONE 'Asia/Shanghai'
      AND at <= %(night)s
    GROUP BY member_id
), lower AS (
    SELECT s.id, s.member_id, t.code AS from_code, n.id AS tier_id, n.code, n.rank, p.amount
    FROM tiers_standing s
    JOIN tiers_tier t ON t.id = s.tier_id
    LEFT JOIN spent p ON p.member_id = s.member_id
    JOIN tiers_tier n ON n.rank = CASE
        WHEN p.amount >= 6000 THEN 3 WHEN p.amount >= 3000 THEN 2
        WHEN p.amount >= 1000 THEN 1 ELSE 0 END
    WHERE s.ended_at IS NULL AND n.rank < t.rank AND s.kept_until_on < (%(night)s AT TIME ZONE 'Asia/Shanghai')::date
), ended AS (
    UPDATE tiers_standing s
    SET ended_at = date_trunc('day', %(night)s AT TIME ZONE 'Asia/Shanghai')
                   AT TIME ZONE 'Asia/Shanghai'
    FROM lower WHERE s.id = lower.id
), begun AS (
    INSERT INTO tiers_standing
        (member_id, tier_id, from_at, ended_at, kept_until_on, reason, evidence)
    SELECT member_id, tier_id,
           date_trunc('day', %(night)s AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai',
           NULL, NULL, 'review_downgrade', jsonb_build_object('spend', amount)
    FROM lower
), levelled AS (
    UPDATE members_member m SET service_level = lower.rank FROM lower WHERE m.id = lower.member_id
)
INSERT INTO members_memberevent
    (member_id, kind, schema, occurred_at, recorded_at, caused_by, payload)
SELECT member_id, 'tier.changed', 1, %(night)s, %(night)s, '',
       jsonb_build_object('from', from_code, 'to', code, 'reason', 'review_downgrade')
FROM lower
