"""Let members' benefits follow their tiers, any number of members in a fixed number of statements.

The member's service level, which the case desk goes by, is written down with them.

The tier that counts is the one set by staff, else the open standing, and at least the highest floor
(a paid membership). Who enters a tier gets the version of its benefits then in force and keeps it
while in the tier; who comes back within the period of a quota goes on with what was left of it.

Source: BEN-17, BEN-18, ENG-06, design §3 (the order flow).
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from members.services import events
from members.services.events import NewEvent
from tiers.domain.entitlements import Period, period_end

SLICE: Final = 500
TIER_LEFT: Final = "tier_left"
RUN_OUT: Final = "run_out"

# Whoever changes standings, overrides or entitlements of a member waits here for whoever does now,
# and the statement after it sees what that one has written.
_LOCK = """
SELECT id, joined_at FROM members_member
WHERE id = ANY(%s) AND status IN ('active', 'frozen') ORDER BY id FOR NO KEY UPDATE
"""

# The tier that counts for each member, as `tiers.queries` and the fold find it too.
EFFECTIVE: Final = """
    SELECT s.member_id, CASE WHEN f.rank > coalesce(h.rank, t.rank) THEN f.tier_id
                             ELSE coalesce(h.tier_id, s.tier_id) END AS tier_id
    FROM tiers_standing s JOIN tiers_tier t ON t.id = s.tier_id
    LEFT JOIN LATERAL (
        SELECT o.tier_id, ot.rank FROM tiers_standingoverride o
        JOIN tiers_tier ot ON ot.id = o.tier_id
        WHERE o.member_id = s.member_id AND NOT o.is_floor AND o.from_at <= %(at)s
          AND o.until_at > %(at)s AND (o.revoked_at IS NULL OR o.revoked_at > %(at)s)
        ORDER BY o.id DESC LIMIT 1) h ON true
    LEFT JOIN LATERAL (
        SELECT o.tier_id, ot.rank FROM tiers_standingoverride o
        JOIN tiers_tier ot ON ot.id = o.tier_id
        WHERE o.member_id = s.member_id AND o.is_floor AND o.from_at <= %(at)s
          AND o.until_at > %(at)s AND (o.revoked_at IS NULL OR o.revoked_at > %(at)s)
        ORDER BY ot.rank DESC LIMIT 1) f ON true
    WHERE s.ended_at IS NULL AND s.member_id = ANY(%(members)s)"""

_FOLLOW = f"""
WITH who AS (
    SELECT e.member_id, e.tier_id, k.year_ends_at
    FROM ({EFFECTIVE}) e
    JOIN unnest(%(members)s::bigint[], %(year_ends)s::timestamptz[])
         AS k (member_id, year_ends_at) ON k.member_id = e.member_id
), levelled AS (
    UPDATE members_member m SET service_level = t.rank
    FROM who w JOIN tiers_tier t ON t.id = w.tier_id
    WHERE m.id = w.member_id AND m.service_level <> t.rank
), terms AS (
    SELECT DISTINCT ON (b.tier_id, b.benefit_id) b.id, b.tier_id, b.benefit_id, b.quota, b.period
    FROM tiers_tierbenefit b JOIN tiers_benefit n ON n.id = b.benefit_id AND n.is_active
    WHERE (b.effective_from IS NULL OR b.effective_from <= %(at)s)
      AND (b.effective_until IS NULL OR b.effective_until > %(at)s)
    ORDER BY b.tier_id, b.benefit_id, b.effective_from DESC NULLS LAST, b.number DESC
), open AS (
    SELECT e.id, e.member_id, e.benefit_id, e.terms_id, e.until_at, e.period, t.on_leave,
           t.tier_id = w.tier_id AS is_held, w.year_ends_at
    FROM who w
    JOIN tiers_entitlement e
      ON e.member_id = w.member_id AND e.source = 'tier' AND e.ended_at IS NULL
    JOIN tiers_tierbenefit t ON t.id = e.terms_id
), missing AS (
    SELECT w.member_id, t.id AS terms_id, t.benefit_id, t.quota, t.period
    FROM who w JOIN terms t ON t.tier_id = w.tier_id
    WHERE NOT EXISTS (
        SELECT FROM open o WHERE o.member_id = w.member_id AND o.benefit_id = t.benefit_id
          AND o.is_held AND o.until_at IS NULL)
), earlier AS (
    SELECT DISTINCT ON (e.member_id, e.terms_id) e.id, e.member_id, e.terms_id
    FROM missing m
    JOIN tiers_entitlement e ON e.member_id = m.member_id AND e.terms_id = m.terms_id
     AND e.source = 'tier' AND e.period <> '{Period.TERM}'
    ORDER BY e.member_id, e.terms_id, e.id DESC
), resumed AS (
    UPDATE tiers_entitlement e SET ended_at = NULL, end_reason = '', until_at = NULL
    FROM earlier r WHERE e.id = r.id
    RETURNING e.member_id, e.benefit_id
), granted AS (
    INSERT INTO tiers_entitlement (member_id, benefit_id, terms_id, source, source_ref, quota,
                                   period, from_at, end_reason)
    SELECT m.member_id, m.benefit_id, m.terms_id, 'tier', '', m.quota, m.period, %(at)s, ''
    FROM missing m
    WHERE NOT EXISTS (
        SELECT FROM earlier r WHERE r.member_id = m.member_id AND r.terms_id = m.terms_id)
    ORDER BY m.member_id, m.terms_id
    RETURNING member_id, benefit_id
), over AS (
    SELECT o.id, o.is_held FROM open o
    WHERE NOT EXISTS (SELECT FROM earlier r WHERE r.id = o.id)
      AND CASE WHEN o.is_held
               THEN o.until_at IS NOT NULL AND EXISTS (
                    SELECT FROM missing m
                    WHERE m.member_id = o.member_id AND m.benefit_id = o.benefit_id)
               ELSE o.on_leave = 'end' OR o.period = '{Period.TERM}' END
), ended AS (
    UPDATE tiers_entitlement e SET ended_at = greatest(%(at)s, e.from_at),
           end_reason = CASE WHEN v.is_held THEN 'replaced' ELSE '{TIER_LEFT}' END
    FROM over v WHERE e.id = v.id
    RETURNING e.member_id, e.benefit_id
), running_out AS (
    UPDATE tiers_entitlement e
    SET until_at = CASE o.period WHEN '{Period.MONTH}' THEN %(month_ends)s::timestamptz
                                 WHEN '{Period.YEAR}' THEN %(calendar_ends)s::timestamptz
                                 ELSE o.year_ends_at END
    FROM open o
    WHERE e.id = o.id AND NOT o.is_held AND o.until_at IS NULL
      AND o.id NOT IN (SELECT id FROM over)
    RETURNING e.id
), changed AS (
    SELECT member_id, benefit_id, 'entitlement.granted' AS kind FROM granted
    UNION ALL SELECT member_id, benefit_id, 'entitlement.granted' FROM resumed
    UNION ALL SELECT member_id, benefit_id, 'entitlement.ended' FROM ended
)
SELECT c.member_id, c.kind, array_agg(b.code ORDER BY b.code)
FROM changed c JOIN tiers_benefit b ON b.id = c.benefit_id
GROUP BY c.member_id, c.kind ORDER BY c.member_id, c.kind
"""  # noqa: S608 - constants

_DUE = """
WITH due AS (
    SELECT id FROM tiers_entitlement
    WHERE ended_at IS NULL AND until_at <= %(at)s
    ORDER BY until_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), ended AS (
    UPDATE tiers_entitlement e
    SET ended_at = greatest(e.until_at, e.from_at), end_reason = %(reason)s
    FROM due d WHERE e.id = d.id
    RETURNING e.id, e.member_id, e.benefit_id, e.ended_at
)
SELECT n.member_id, b.code, n.ended_at
FROM ended n JOIN tiers_benefit b ON b.id = n.benefit_id ORDER BY n.ended_at, n.id
"""


def follow_tiers(*, members: Collection[int], at: datetime, actor: str) -> None:
    """Give members benefits and service level of the tier that counts now; end those of tiers left.

    A second time changes nothing. Locks the members; call it in the transaction of what changed.
    """
    if not members:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [sorted(members)])
        locked = cursor.fetchall()
        if not locked:
            return
        cursor.execute(_FOLLOW, _values(locked, at))
        changed = cursor.fetchall()
        events.append([_event(*row, at=at, actor=actor) for row in changed])


def _values(locked: Sequence[tuple[int, datetime]], at: datetime) -> dict[str, Any]:
    ends: dict[str, Any] = {
        f"{name}_ends": period_end(period, at=at, joined_at=at)
        for name, period in (("month", Period.MONTH), ("calendar", Period.YEAR))
    }
    return ends | {
        "at": at,
        "members": [member for member, _joined_at in locked],
        "year_ends": [
            period_end(Period.MEMBERSHIP_YEAR, at=at, joined_at=joined_at)
            for _member, joined_at in locked
        ],
    }


def _event(member: int, kind: str, benefits: list[str], *, at: datetime, actor: str) -> NewEvent:
    return NewEvent(member, kind, at, at, {"benefits": benefits, "reason": "tier"}, actor)


def end_due(*, at: datetime, recorded_at: datetime) -> Iterator[int]:
    """End every entitlement whose time is over, at its own instant; yields how many, by slices."""
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_DUE, {"at": at, "limit": SLICE, "reason": RUN_OUT})
            rows = cursor.fetchall()
            events.append(
                [
                    NewEvent(
                        member, "entitlement.ended", ended_at, recorded_at,
                        {"benefits": [code], "reason": RUN_OUT}, "system",
                    )
                    for member, code, ended_at in rows
                ]
            )  # fmt: skip
        if rows:
            yield len(rows)
        if len(rows) < SLICE:
            return
