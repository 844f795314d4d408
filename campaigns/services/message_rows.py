"""Messages as rows under a lease: claiming what is due, and writing what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection

# Longer than any talk with a provider: whoever holds a message after that has died.
LEASE: Final = timedelta(minutes=15)
BROKE_OFF: Final = "broke_off"

# Without the lock two senders would read the same rows as due, and both would send them.
_LOCK: Final = "FOR UPDATE SKIP LOCKED"
_CLAIM: Final = """
WITH due AS (
    SELECT id FROM campaigns_message
    WHERE state = 'queued' AND {which} AND due_at <= %(at)s
    ORDER BY due_at, id LIMIT %(limit)s
    {lock}
)
UPDATE campaigns_message m
SET state = 'sending', tries = m.tries + 1, claimed_at = %(now)s, lease_until = %(until)s,
    reason = ''
FROM due, campaigns_messagetemplate t, members_member r
WHERE m.id = due.id AND t.id = m.template_id AND r.id = m.member_id
RETURNING m.id, m.public_id, m.member_id, m.template_id, t.code, m.purpose, t.needs_consent,
          m.due_at, m.expires_at, m.context::text, m.tries, m.trigger, m.occurrence,
          r.merged_into_id
"""
MARKETING_LINE: Final = "purpose = 'marketing'"
OTHER_LINE: Final = "NOT purpose = 'marketing'"

_BROKEN: Final = """
UPDATE campaigns_message
SET state = CASE WHEN purpose = 'security' THEN 'queued' ELSE 'unknown' END,
    reason = %(reason)s, lease_until = NULL,
    sent_at = CASE WHEN purpose = 'security' THEN NULL ELSE sent_at END,
    ended_at = CASE WHEN purpose = 'security' THEN NULL ELSE %(at)s END
WHERE state = 'sending' AND lease_until <= %(now)s
"""

# Only who holds the claim writes: `tries` tells this claim from later ones.
_WRITE: Final = """
UPDATE campaigns_message m
SET state = w.state, reason = w.reason, channel = w.channel, language = w.language,
    version_id = w.version_id, due_at = w.due_at, sent_at = w.sent_at, ended_at = w.ended_at,
    delivered_at = w.delivered_at, provider_id = w.provider_id,
    sealed = decode(w.sealed, 'hex'), tries = w.kept_tries,
    lease_until = CASE WHEN w.state = 'sending' THEN m.lease_until END
FROM json_to_recordset(%s::json) AS w (
    id bigint, tries int, kept_tries int, state text, reason text, channel text, language text,
    version_id bigint, due_at timestamptz, sent_at timestamptz, ended_at timestamptz,
    delivered_at timestamptz, provider_id text, sealed text)
WHERE m.id = w.id AND m.tries = w.tries AND m.state = 'sending'
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message that this sender holds; `merged_into` tells that its member is merged away."""

    id: int
    public_id: UUID
    member_id: int
    template_id: int
    template: str
    purpose: str
    needs_consent: bool
    due_at: datetime
    expires_at: datetime | None
    context: dict[str, Any]
    tries: int
    trigger: str
    occurrence: str
    merged_into: int | None


def claim(which: str, *, at: datetime, limit: int) -> list[Claimed]:
    """Take what is due of a line, oldest first; it is `sending` once this commits."""
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM.format(which=which, lock=_LOCK),
            {"at": at, "limit": limit, "now": now, "until": now + LEASE},
        )
        rows = cursor.fetchall()
    return sorted(map(_claimed, rows), key=lambda each: (each.due_at, each.id))


def _claimed(row: Sequence[Any]) -> Claimed:
    told = dict(zip(Claimed.__slots__, row, strict=True))
    return Claimed(**{**told, "context": orjson.loads(told["context"] or "{}")})


def end_broken(*, at: datetime) -> None:
    """Let go of what a sender held that has died: it may have gone out."""
    with connection.cursor() as cursor:
        cursor.execute(_BROKEN, {"reason": BROKE_OFF, "at": at, "now": datetime.now(UTC)})


def write(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what became of claimed messages, in one statement; later claims are not touched."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, [orjson.dumps(rows).decode()])
