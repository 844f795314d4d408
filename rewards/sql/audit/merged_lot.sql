-- A lot that a merge has made of another one is of the same order, interaction and rule, was earned
-- when that one was, and belongs to the survivor of that one's member.
SELECT g.id AS merged_lot, g.lot_id AS lot,
       format('member %s order %s interaction %s rule %s earned %s', m.into_id, f.order_id,
              f.interaction_id, f.rule_id, f.earned_at) AS expected,
       format('member %s order %s interaction %s rule %s earned %s', l.member_id, l.order_id,
              l.interaction_id, l.rule_id, l.earned_at) AS found
FROM rewards_mergedlot g
JOIN members_membermerge m ON m.id = g.merge_id
JOIN rewards_lot f ON f.id = g.from_lot_id
JOIN rewards_lot l ON l.id = g.lot_id
WHERE (m.away_id, m.into_id, f.order_id, f.interaction_id, f.rule_id, f.earned_at)
      IS DISTINCT FROM
      (f.member_id, l.member_id, l.order_id, l.interaction_id, l.rule_id, l.earned_at)
ORDER BY g.id
