"""Expire the lots of many accounts at once, set-based.

The plain case only: one instant at which lots of an account expire, and nothing else due with it.
Whatever else is due is settled by the engine, account by account; both write the same rows, and
the entry's hash is the same JSON (`docs/journal.md`) put together by the database.
Source: design §5.2, §8.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

# One transaction holds that many accounts, and nobody of them can spend meanwhile.
SLICE: Final = 10_000

_LOCK = """
SELECT id FROM rewards_pointsaccount
WHERE next_due_at <= %(at)s AND id > %(after)s
ORDER BY id LIMIT %(limit)s
FOR NO KEY UPDATE
"""

_COLLECT = """
CREATE TEMPORARY TABLE expiring ON COMMIT DROP AS
SELECT d.*, nextval('rewards_entry_id_seq') AS entry_id FROM (
    SELECT a.id AS account_id, a.member_id, m.public_id, a.kind, a.seq + 1 AS seq,
           a.head_hash AS prev,
           min(l.expires_at) FILTER (WHERE is_over) AS occurred_at,
           sum(l.remaining) FILTER (WHERE is_over)::bigint AS points,
           least(min(CASE WHEN l.is_pending THEN l.available_at
                          WHEN NOT is_over THEN l.expires_at END),
                 (SELECT min(r.expires_at) FROM rewards_reservation r
                   WHERE r.member_id = a.member_id AND r.status = 'held')) AS next_due_at
    FROM rewards_pointsaccount a
    JOIN members_member m ON m.id = a.member_id
    JOIN rewards_lot l ON l.account_id = a.id AND l.remaining > 0
    CROSS JOIN LATERAL (
        SELECT coalesce(NOT l.is_pending AND l.expires_at <= %(at)s, false)) o (is_over)
    WHERE a.id = ANY(%(accounts)s)
    GROUP BY a.id, m.public_id
    HAVING count(DISTINCT l.expires_at) FILTER (WHERE is_over) = 1
) d
WHERE d.next_due_at IS NULL OR d.next_due_at > %(at)s
ORDER BY d.account_id
"""

_ENTRIES = """
INSERT INTO rewards_entry
    (id, account_id, member_id, seq, source, target, points, reason, actor, occurred_at,
     recorded_at, hash)
SELECT entry_id, account_id, member_id, seq, 'available', 'expired', points, 'expired', 'system',
       occurred_at, %(recorded_at)s,
       sha256(prev || convert_to(
           '{"actor":"system","fact":null,"from":"available","kind":"' || kind
           || '","member":"' || public_id
           || '","occurred_at":"' || to_char(occurred_at AT TIME ZONE 'UTC', %(format)s)
           || '","points":' || points || ',"reason":"expired","recorded_at":"'
           || to_char(%(recorded_at)s::timestamptz AT TIME ZONE 'UTC', %(format)s)
           || '","rule":null,"seq":' || seq || ',"to":"expired"}', 'UTF8'))
FROM expiring
"""

_USES = """
INSERT INTO rewards_lotuse (entry_id, lot_id, member_id, points)
SELECT e.entry_id, l.id, l.member_id, l.remaining
FROM expiring e JOIN rewards_lot l ON l.account_id = e.account_id
WHERE l.remaining > 0 AND NOT l.is_pending AND l.expires_at <= %(at)s
ORDER BY e.entry_id, l.earned_at, l.id
"""

_LOTS = """
UPDATE rewards_lot l SET expired = l.expired + l.remaining, remaining = 0
FROM expiring e
WHERE l.account_id = e.account_id AND l.remaining > 0 AND NOT l.is_pending
  AND l.expires_at <= %(at)s
"""

_ACCOUNTS = """
UPDATE rewards_pointsaccount a
SET available = a.available - e.points, expired = a.expired + e.points, seq = e.seq,
    head_hash = n.hash, settled_at = greatest(a.settled_at, %(at)s), next_due_at = e.next_due_at
FROM expiring e JOIN rewards_entry n ON n.id = e.entry_id
WHERE a.id = e.account_id
"""

_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


def expire_lots(*, at: datetime, recorded_at: datetime) -> Iterator[int]:
    """Expire what is over in every account where nothing else is due; yields how many there were.

    Each slice is a transaction of its own.
    """
    after = 0
    while True:
        with transaction.atomic():
            accounts = _lock(at, after)
            count = _expire(accounts, at, recorded_at) if accounts else 0
        if count:
            yield count
        if len(accounts) < SLICE:
            return
        after = accounts[-1]


def _lock(at: datetime, after: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"at": at, "after": after, "limit": SLICE})
        return [row[0] for row in cursor.fetchall()]


def _expire(accounts: list[int], at: datetime, recorded_at: datetime) -> int:
    values: dict[str, Any] = {
        "at": at, "recorded_at": recorded_at, "accounts": accounts, "format": _FORMAT,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_COLLECT, values)
        count = int(cursor.rowcount)
        if count:
            cursor.execute("ANALYZE expiring")
            for statement in (_ENTRIES, _USES, _LOTS, _ACCOUNTS):
                cursor.execute(statement, values)
        cursor.execute("DROP TABLE expiring")
    return count
