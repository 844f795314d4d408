-- A merged member's account holds and owes nothing: all of that is its survivor's.
SELECT a.id AS account, a.member_id AS member, 'nothing' AS expected,
       format('%s pending, %s available, %s reserved, %s owed', a.pending, a.available, a.reserved,
              a.debt) AS found
FROM rewards_pointsaccount a
JOIN members_member m ON m.id = a.member_id AND m.status = 'merged'
WHERE (a.pending, a.available, a.reserved, a.debt) <> (0, 0, 0, 0)
ORDER BY a.id
