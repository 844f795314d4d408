"""Expire the lots of many accounts at once, set-based.

The plain case only: one instant at which lots of an account expire, and nothing else due with it.
Whatever else is due is settled by the engine, account by account; both write the same rows, and
the entry's hash is the same JSON (`docs/journal.md`) put together by the database.
Source: design §5.2, §8.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, Final

from django.db import connection, transaction

# One transaction holds that many accounts, and nobody of them can spend meanwhile.
SLICE: Final = 2_500
# The work is the server's, this process only waits. More would leave a small server none for tills.
CONNECTIONS: Final = 2

Span = tuple[int, int]
"""The first and the last account of a slice."""

_SPANS = """
SELECT min(id), max(id) FROM (
    SELECT id, (row_number() OVER (ORDER BY id) - 1) / %(slice)s AS slice
    FROM rewards_pointsaccount WHERE next_due_at <= %(at)s
) a
GROUP BY slice ORDER BY slice
"""

_LOCK = """
SELECT id FROM rewards_pointsaccount
WHERE next_due_at <= %(at)s AND id BETWEEN %(first)s AND %(last)s
ORDER BY id
FOR NO KEY UPDATE
"""

# One statement whose parts all see what was there before it; none reads what another has written,
# `due` carries it. The planner cannot know how many rows `due` has, so whatever is joined with it
# is found by an index or, being locked and so unmoved, at its place: right for any number. Accounts
# with a hold are left to the engine, which has to look at more than lots there.
_EXPIRE = """
WITH due AS MATERIALIZED (
    SELECT d.*, nextval('rewards_entry_id_seq') AS entry_id,
           sha256(d.prev || convert_to(
               '{"actor":"system","fact":null,"from":"available","kind":"' || d.kind
               || '","member":"' || m.public_id
               || '","occurred_at":"' || to_char(d.occurred_at AT TIME ZONE 'UTC', %(format)s)
               || '","points":' || d.points || ',"reason":"expired","recorded_at":"'
               || %(recorded)s || '","rule":null,"seq":' || d.seq || ',"to":"expired"}',
               'UTF8')) AS hash
    FROM (
        SELECT a.id AS account_id, a.ctid AS place, a.member_id, a.kind, a.seq + 1 AS seq,
               a.head_hash AS prev,
               min(l.expires_at) FILTER (WHERE NOT l.is_pending AND l.expires_at <= %(at)s)
                   AS occurred_at,
               max(l.expires_at) FILTER (WHERE NOT l.is_pending AND l.expires_at <= %(at)s)
                   AS last_at,
               sum(l.remaining) FILTER (WHERE NOT l.is_pending AND l.expires_at <= %(at)s)::bigint
                   AS points,
               min(CASE WHEN l.is_pending THEN l.available_at
                        WHEN l.expires_at > %(at)s THEN l.expires_at END) AS next_due_at
        FROM rewards_pointsaccount a
        JOIN rewards_lot l ON l.account_id = a.id AND l.remaining > 0
        WHERE a.id = ANY(%(accounts)s)
          AND NOT EXISTS (SELECT FROM rewards_reservation r
                          WHERE r.member_id = a.member_id AND r.status = 'held')
        GROUP BY a.id
    ) d
    JOIN members_member m ON m.id = d.member_id
    WHERE d.occurred_at = d.last_at AND coalesce(d.next_due_at > %(at)s, true)
    ORDER BY d.account_id
), entries AS (
    INSERT INTO rewards_entry
        (id, account_id, member_id, seq, source, target, points, reason, actor, occurred_at,
         recorded_at, hash)
    SELECT entry_id, account_id, member_id, seq, 'available', 'expired', points, 'expired',
           'system', occurred_at, %(recorded_at)s, hash
    FROM due
), uses AS (
    INSERT INTO rewards_lotuse (entry_id, lot_id, member_id, points)
    SELECT d.entry_id, l.id, l.member_id, l.remaining
    FROM due d JOIN rewards_lot l ON l.account_id = d.account_id
    WHERE l.remaining > 0 AND NOT l.is_pending AND l.expires_at <= %(at)s
    ORDER BY d.entry_id, l.earned_at, l.id
), lots AS (
    UPDATE rewards_lot l SET expired = l.expired + l.remaining, remaining = 0
    FROM due d
    WHERE l.account_id = d.account_id AND l.remaining > 0 AND NOT l.is_pending
      AND l.expires_at <= %(at)s
)
UPDATE rewards_pointsaccount a
SET available = a.available - d.points, expired = a.expired + d.points, seq = d.seq,
    head_hash = d.hash, settled_at = greatest(a.settled_at, %(at)s), next_due_at = d.next_due_at
FROM due d WHERE a.ctid = d.place
"""

_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


def expire_lots(*, at: datetime, recorded_at: datetime) -> Iterator[int]:
    """Expire what is over in every account where nothing else is due; yields how many there were.

    Each slice is a transaction of its own, and several go on at once. Inside a caller's transaction
    they do not: no other connection could see what is in it.
    """
    spans = _spans(at)
    helpers = 0 if connection.in_atomic_block else min(CONNECTIONS, len(spans)) - 1
    left, counts = iter(spans), SimpleQueue[int]()

    def help_out() -> None:
        try:
            for span in left:
                counts.put(_expire(span, at, recorded_at))
        finally:
            connection.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        helping = [pool.submit(help_out) for _number in range(helpers)]
        try:
            for span in left:
                counts.put(_expire(span, at, recorded_at))
                yield from _collected(counts)
        finally:
            # Whatever has stopped us stops the helpers after the slices that they are at.
            deque(left, maxlen=0)
        for helper in helping:
            helper.result()
    yield from _collected(counts)


def _collected(counts: "SimpleQueue[int]") -> Iterator[int]:
    while not counts.empty():
        if count := counts.get():
            yield count


def _spans(at: datetime) -> list[Span]:
    """Return slices of accounts that have something due; no two have an account in common."""
    with connection.cursor() as cursor:
        cursor.execute(_SPANS, {"at": at, "slice": SLICE})
        spans: list[Span] = cursor.fetchall()
        return spans


def _expire(span: Span, at: datetime, recorded_at: datetime) -> int:
    first, last = span
    values: dict[str, Any] = {
        "at": at, "first": first, "last": last, "recorded_at": recorded_at, "format": _FORMAT,
        "recorded": f"{recorded_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, values)
        values["accounts"] = [row[0] for row in cursor.fetchall()]
        cursor.execute(_EXPIRE, values)
        return int(cursor.rowcount)
