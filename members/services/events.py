"""The event log: append what changed, and hand it to those who follow it.

Events are written in the transaction of the change. Followers claim deliveries under a lease, so a
follower that dies loses nothing: its claims come due again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from django.db import connection, transaction

from config.base.bulk import Writes
from members.models import EventDelivery, Subscription
from members.models.event import DeliveryState

LEASE: Final = timedelta(minutes=5)
FIRST_BACKOFF: Final = timedelta(seconds=10)
LONGEST_BACKOFF: Final = timedelta(hours=1)
MAX_ATTEMPTS: Final = 12
MAX_ERROR_LENGTH: Final = 80
SYNC_LOCK: Final = 0x45_56_53_42


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One change of one member, to be appended. The payload holds no personal values."""

    member_id: int
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    caused_by: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event that a follower has claimed; `attempt` tells this claim from later ones."""

    id: int
    attempt: int
    event_id: int
    member_id: int
    kind: str
    schema: int
    occurred_at: datetime
    recorded_at: datetime
    caused_by: str
    payload: Mapping[str, Any]


def parts(rows: str) -> str:
    """Return the parts of a WITH that append the events which a SELECT gives, and owe them.

    It gives member_id, kind, occurred_at, recorded_at, caused_by and payload (jsonb).
    """
    return f"""
appended AS (
    INSERT INTO members_memberevent
        (member_id, kind, schema, occurred_at, recorded_at, caused_by, payload)
    SELECT member_id, kind, 1, occurred_at, recorded_at, caused_by, payload
    FROM ({rows}) changes
    RETURNING id, kind, recorded_at
), owed AS (
    INSERT INTO members_eventdelivery (event_id, follower, state, attempts, due_at, error_code)
    SELECT a.id, s.follower, 'pending', 0, a.recorded_at, ''
    FROM appended a JOIN members_subscription s ON s.kind = a.kind
)"""  # noqa: S608  # text of services


_PARTS: Final = parts(
    """
    SELECT member_id, kind, occurred_at, recorded_at, caused_by, payload::jsonb AS payload
    FROM ROWS FROM (json_to_recordset(%s::json) AS (
        member_id bigint, kind text, occurred_at timestamptz, recorded_at timestamptz,
        caused_by text, payload text
    )) WITH ORDINALITY AS e (member_id, kind, occurred_at, recorded_at, caused_by, payload, place)
    ORDER BY place
    """
)

# The claim counts as an attempt when it begins, so that an event which kills its follower is
# parked too.
_CLAIM = """
WITH due AS (
    SELECT id FROM members_eventdelivery
    WHERE follower = %(follower)s AND state = 'pending' AND due_at <= %(at)s
    ORDER BY due_at, id LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE members_eventdelivery d
    SET attempts = d.attempts + 1, due_at = %(until)s,
        state = CASE WHEN d.attempts >= %(most)s THEN 'failed' ELSE 'pending' END,
        error_code = CASE WHEN d.attempts >= %(most)s AND d.error_code = ''
                          THEN 'follower_died' ELSE d.error_code END
    FROM due WHERE d.id = due.id
    RETURNING d.id, d.attempts, d.event_id, d.state
)
SELECT c.id, c.attempts, e.id, e.member_id, e.kind, e.schema, e.occurred_at, e.recorded_at,
       e.caused_by, e.payload
FROM claimed c JOIN members_memberevent e ON e.id = c.event_id
WHERE c.state = 'pending'
ORDER BY e.id
"""

_FORGET = """
WITH old AS (
    SELECT id FROM members_eventdelivery
    WHERE id > %(after)s AND state = 'done' AND due_at < %(before)s
    ORDER BY id LIMIT %(limit)s
), gone AS (
    DELETE FROM members_eventdelivery d USING old WHERE d.id = old.id
)
SELECT count(*), coalesce(max(id), %(after)s) FROM old
"""


def append(events: Sequence[NewEvent]) -> None:
    """Append the events and what is owed to their followers, in one statement.

    Source: design §3, rule 3.
    """
    if not events:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {_PARTS} SELECT 1", [_document(events)])


def append_with(writes: Writes, events: Sequence[NewEvent]) -> None:
    """Let the events and what is owed to their followers be written with other rows."""
    if events:
        writes.end_with(_PARTS, _document(events))


def _document(events: Sequence[NewEvent]) -> str:
    rows = [
        {
            "member_id": event.member_id,
            "kind": event.kind,
            "occurred_at": event.occurred_at,
            "recorded_at": event.recorded_at,
            "caused_by": event.caused_by,
            "payload": orjson.dumps(dict(event.payload)).decode(),
        }
        for event in events
    ]
    return orjson.dumps(rows).decode()


def subscribe(follower: str, kinds: Iterable[str]) -> None:
    """Let a follower follow further kinds; those that it follows already stay."""
    Subscription.objects.bulk_create(
        [Subscription(follower=follower, kind=kind) for kind in sorted(set(kinds))],
        ignore_conflicts=True,
    )


def lock_subscriptions() -> None:
    """Let nobody else decide who follows what until this transaction ends.

    Call it before reading what is wanted, where subscriptions are deleted.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SYNC_LOCK])


@transaction.atomic
def sync_subscriptions(
    following: Mapping[str, Iterable[str]], *, leaving: Collection[str] = ()
) -> None:
    """Make the subscriptions what the mapping says: each follower and the kinds it wants.

    Those of the followers in `leaving` are left as they are. Deliveries that are already owed stay
    owed.
    """
    wanted = {(follower, kind) for follower, kinds in following.items() for kind in kinds}
    lock_subscriptions()
    stored = Subscription.objects.exclude(follower__in=leaving)
    rows = {(row.follower, row.kind): row.pk for row in stored}
    gone = [pk for pair, pk in rows.items() if pair not in wanted]
    if gone:
        Subscription.objects.filter(pk__in=gone).delete()
    Subscription.objects.bulk_create(
        [Subscription(follower=f, kind=k) for f, k in sorted(wanted - rows.keys())]
    )


def claim_deliveries(follower: str, limit: int, at: datetime) -> list[Delivery]:
    """Claim what is due for a follower, oldest first; nobody else gets it before the lease ends.

    A delivery that its follower never answered for is parked after the last attempt.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "follower": follower,
                "at": at,
                "limit": limit,
                "until": at + LEASE,
                "most": MAX_ATTEMPTS,
            },
        )
        return [_delivery(row) for row in cursor.fetchall()]


def complete(deliveries: Collection[Delivery]) -> int:
    """Mark deliveries as done; return how many were still owed."""
    return EventDelivery.objects.filter(
        id__in=[delivery.id for delivery in deliveries], state=DeliveryState.PENDING
    ).update(state=DeliveryState.DONE, error_code="")


def fail(delivery: Delivery, *, at: datetime, error_code: str) -> DeliveryState | None:
    """Owe the delivery again later, or park it after the last attempt; return what it became.

    None: it is no longer this claim's to decide, because the lease was over and another claim or an
    answer has come since.
    """
    state = DeliveryState.FAILED if delivery.attempt >= MAX_ATTEMPTS else DeliveryState.PENDING
    changed = EventDelivery.objects.filter(
        id=delivery.id, state=DeliveryState.PENDING, attempts=delivery.attempt
    ).update(
        state=state,
        due_at=at + backoff(delivery.attempt),
        error_code=error_code[:MAX_ERROR_LENGTH],
    )
    return state if changed else None


def retry(delivery_ids: Collection[int], *, at: datetime) -> int:
    """Owe parked deliveries again, from the first attempt; return how many were parked."""
    parked = EventDelivery.objects.filter(id__in=delivery_ids, state=DeliveryState.FAILED)
    return parked.update(state=DeliveryState.PENDING, attempts=0, due_at=at, error_code="")


def forget_done(*, before: datetime, after: int, limit: int) -> tuple[int, int]:
    """Delete the next deliveries that were done before an instant, by id; the events stay.

    Returns how many, and the last id: go on after it until there are none. A delivery is due once
    more when its last lease ends, so that is when it was done, or minutes later.
    """
    # By key and with a cursor: one walk through the table a day costs less than an index that every
    # delivery would pay for.
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"before": before, "after": after, "limit": limit})
        (count, last) = cursor.fetchone()
    return count, last


def backoff(attempt: int) -> timedelta:
    """Return how long to wait after a failed attempt, counted from 1."""
    doubled = FIRST_BACKOFF * (1 << min(attempt - 1, MAX_ATTEMPTS))
    return min(doubled, LONGEST_BACKOFF)


def _delivery(row: Sequence[Any]) -> Delivery:
    """Return the claimed row; a raw cursor gives JSON as text."""
    values = [*row[:-1], orjson.loads(row[-1])]
    return Delivery(*values)
