"""The queries behind an exported journal, one per type of line.

Each takes `since` (None: from the first entry) and `members` (None: all), and orders its rows by
member. The first column is the member's id, the rest is what the builder of the type wants.
"""

# ruff: noqa: S608 - put together from the constants of this file

from typing import Final

_TIME = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_MONEY = "round({}, {{places}})::text"


def instant(column: str) -> str:
    """Return SQL for an instant as the journal writes it."""
    return _TIME.format(column)


_at = instant
OF_MEMBERS: Final = "(%(members)s::bigint[] IS NULL OR m.id = ANY(%(members)s::bigint[]))"
_OF_MEMBERS = OF_MEMBERS
_SINCE = "(%(since)s::timestamptz IS NULL OR {} >= %(since)s)"
_FACT = "f.source, f.kind, f.ref, f.version"

# Column 1 orders the lines of all types by member; the rest goes to the builder of the type.
STATEMENTS: Final[dict[str, str]] = {
    "member": f"""
SELECT m.id, m.public_id::text, m.status, {_at("m.joined_at")}
FROM members_member m WHERE {_OF_MEMBERS} ORDER BY m.id""",
    "account": f"""
SELECT m.id, m.public_id::text, a.kind, a.pending, a.available, a.reserved, a.debt, a.earned,
       a.redeemed, a.expired, a.reversed, a.adjusted, a.seq, encode(a.head_hash, 'hex')
FROM rewards_pointsaccount a JOIN members_member m ON m.id = a.member_id
WHERE {_OF_MEMBERS} ORDER BY m.id, a.kind""",
    "entry": f"""
SELECT m.id, e.id, e.seq, m.public_id::text, a.kind, e.source, e.target, e.points, {_FACT}, r.code,
       v.number, e.reason, e.actor, o.source, o.order_no, {_at("e.occurred_at")},
       {_at("e.recorded_at")}, encode(e.prev_hash, 'hex'), encode(e.hash, 'hex')
FROM (
    SELECT *, lag(hash) OVER (PARTITION BY account_id ORDER BY seq, id) AS prev_hash
    FROM rewards_entry
) e
JOIN rewards_pointsaccount a ON a.id = e.account_id
JOIN members_member m ON m.id = a.member_id
LEFT JOIN members_receivedfact f ON f.id = e.fact_id
LEFT JOIN rewards_ruleversion v ON v.id = e.rule_id
LEFT JOIN rewards_rule r ON r.id = v.rule_id
LEFT JOIN members_order o ON o.id = e.order_id
WHERE {_OF_MEMBERS} AND {_SINCE.format("e.recorded_at")}
ORDER BY m.id, a.kind, e.seq, e.id""",
    "lot": f"""
SELECT m.id, l.id, m.public_id::text, l.entry_id, l.points, l.remaining, l.expired, l.is_pending,
       {_at("l.earned_at")}, {_at("l.available_at")}, {_at("l.expires_at")}
FROM rewards_lot l
JOIN rewards_pointsaccount a ON a.id = l.account_id
JOIN members_member m ON m.id = a.member_id
WHERE {_OF_MEMBERS} ORDER BY m.id, l.id""",
    "lot_use": f"""
SELECT m.id, m.public_id::text, u.entry_id, u.lot_id, u.points
FROM rewards_lotuse u
JOIN rewards_entry e ON e.id = u.entry_id
JOIN rewards_pointsaccount a ON a.id = e.account_id
JOIN members_member m ON m.id = a.member_id
WHERE {_OF_MEMBERS} AND {_SINCE.format("e.recorded_at")} ORDER BY m.id, u.id""",
    "order": f"""
SELECT m.id, o.source, o.order_no, o.version, o.status, m.public_id::text, {_at("o.placed_at")},
       {_MONEY.format("o.net_amount")}, o.currency
FROM members_order o JOIN members_member m ON m.id = o.member_id
WHERE {_OF_MEMBERS} ORDER BY m.id, o.placed_at, o.source COLLATE "C", o.order_no COLLATE "C\"""",
    "progress": f"""
SELECT m.id, m.public_id::text, p.metric,
       CASE p.metric WHEN 'spend' THEN {_MONEY.format("p.amount")} ELSE trunc(p.amount)::text END,
       {_at("p.at")}, {_FACT}
FROM tiers_progressentry p
JOIN members_member m ON m.id = p.member_id
LEFT JOIN members_receivedfact f ON f.id = p.fact_id
WHERE {_OF_MEMBERS} AND {_SINCE.format("p.recorded_at")} ORDER BY m.id, p.id""",
    "standing": f"""
SELECT m.id, m.public_id::text, t.code, {_at("s.from_at")}, {_at("s.ended_at")},
       s.kept_until_on::text, s.reason
FROM tiers_standing s
JOIN members_member m ON m.id = s.member_id
JOIN tiers_tier t ON t.id = s.tier_id
WHERE {_OF_MEMBERS} ORDER BY m.id, s.from_at, s.ended_at NULLS LAST, s.id""",
    "override": f"""
SELECT m.id, m.public_id::text, t.code, {_at("v.from_at")}, {_at("v.until_at")},
       {_at("v.revoked_at")}, v.set_by, v.approved_by
FROM tiers_standingoverride v
JOIN members_member m ON m.id = v.member_id
JOIN tiers_tier t ON t.id = v.tier_id
WHERE {_OF_MEMBERS} ORDER BY m.id, v.id""",
    "redemption": f"""
SELECT m.id, r.public_id::text, m.public_id::text, w.code, r.quantity, r.points, r.status,
       {_at("r.requested_at")}, {_at("r.fulfilled_at")}, {_at("r.closed_at")}
FROM rewards_redemption r
JOIN members_member m ON m.id = r.member_id
JOIN rewards_reward w ON w.id = r.reward_id
WHERE {_OF_MEMBERS} ORDER BY m.id, r.id""",
    # Those of no member come before those of all.
    "coupon": f"""
SELECT coalesce(m.id, 0), encode(sha256(convert_to(c.code, 'UTF8')), 'hex'), t.code,
       m.public_id::text,
       CASE WHEN c.revoked_at IS NOT NULL THEN 'revoked' WHEN c.issued_at IS NULL THEN 'pooled'
            WHEN c.used >= c.max_uses THEN 'redeemed'
            WHEN c.used + c.held >= c.max_uses THEN 'held' ELSE 'issued' END,
       c.max_uses, c.held, c.used, {_at("c.issued_at")}, {_at("c.expires_at")}
FROM rewards_coupon c
JOIN rewards_coupontemplate t ON t.id = c.template_id
LEFT JOIN members_member m ON m.id = c.member_id
WHERE c.member_id IS NULL OR {_OF_MEMBERS} ORDER BY coalesce(m.id, 0), c.id""",
    # With the member that is gone; its points are with the survivor's.
    "merge": f"""
SELECT m.id, m.public_id::text, i.public_id::text, {_at("g.at")}, {_at("g.undone_at")}
FROM members_membermerge g
JOIN members_member m ON m.id = g.away_id
JOIN members_member i ON i.id = g.into_id
WHERE {_OF_MEMBERS} ORDER BY m.id, g.id""",
    # Of no member: these come before those of all.
    "stock": """
SELECT 0, w.code, l.code, t.code, s.on_hand, s.held
FROM rewards_stock s
JOIN rewards_reward w ON w.id = s.reward_id
LEFT JOIN rewards_rewardslot l ON l.id = s.slot_id
LEFT JOIN tiers_tier t ON t.id = s.tier_id
ORDER BY s.id""",
    "event": f"""
SELECT m.id, v.id, m.public_id::text, v.kind, {_at("v.occurred_at")}
FROM members_memberevent v JOIN members_member m ON m.id = v.member_id
WHERE {_OF_MEMBERS} AND {_SINCE.format("v.recorded_at")} ORDER BY m.id, v.id""",
}

CHANGED: Final = """
SELECT array(
    SELECT a.member_id FROM rewards_entry e JOIN rewards_pointsaccount a ON a.id = e.account_id
    WHERE e.recorded_at >= %(since)s
    UNION SELECT member_id FROM members_memberevent WHERE recorded_at >= %(since)s
    UNION SELECT member_id FROM tiers_progressentry WHERE recorded_at >= %(since)s
)
"""
