"""Sending what is owed to webhooks.

Messages are claimed under a lease, sent outside of any transaction, and answered for one by one; a
sender that dies loses nothing, its claims come due again under the same ids. Webhooks are served
side by side, the messages of one in order; after a failure the others of that webhook wait.

Source: INT-02; design §3, rule 3.
"""

import queue
import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from config.base.api import json_format
from members.domain import webhooks as standard
from members.domain.sealing import KeyringInvalidError, SealBrokenError
from members.models import DisabledReason, SendState, Webhook, WebhookDelivery, WebhookState
from members.services import sending, webhooks
from members.services.sending import Attempt

BATCH: Final = 1_000
PER_WEBHOOK: Final = 20
THREADS: Final = 8
LEASE: Final = timedelta(minutes=5)
# Nothing new is begun this close to the end of the lease: another sender may claim it then.
LEASE_MARGIN: Final = timedelta(seconds=60)
FAILING_FOR: Final = timedelta(days=5)
GONE: Final = 410

# Some of each webhook, so that one with a long backlog keeps no other waiting. Without the lock two
# senders would read the same rows as due, and both would send them.
_LOCK: Final = "FOR UPDATE OF d SKIP LOCKED"
_CLAIM: Final = """
WITH due AS (
    SELECT oldest.id FROM members_webhook w CROSS JOIN LATERAL (
        SELECT d.id FROM members_webhookdelivery d
        WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.due_at <= %(at)s
        ORDER BY d.due_at, d.id LIMIT %(each)s
        {lock}
    ) oldest
    WHERE w.state = 'active' LIMIT %(limit)s
), claimed AS (
    UPDATE members_webhookdelivery d SET attempts = d.attempts + 1, due_at = %(until)s
    FROM due WHERE d.id = due.id
    RETURNING d.id, d.public_id, d.webhook_id, d.attempts, d.event_id, d.kind, d.created_at
)
SELECT c.id, c.public_id, c.webhook_id, c.attempts, c.kind, c.created_at,
       e.id, e.occurred_at, e.payload::text, m.public_id
FROM claimed c
LEFT JOIN members_memberevent e ON e.id = c.event_id
LEFT JOIN members_member m ON m.id = e.member_id
ORDER BY c.webhook_id, e.id, c.id
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One claimed message; `attempt` tells this claim from later ones."""

    id: int
    public_id: UUID
    webhook_id: int
    attempt: int
    body: bytes

    @property
    def message_id(self) -> str:
        """Return the id that every attempt carries."""
        return f"msg_{self.public_id.hex}"


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """The messages of one webhook in order, and what signs them."""

    url: str
    secrets: Sequence[str]
    messages: Sequence[Message]


_Result = tuple[Message, Attempt | None]


def send_due(*, at: datetime, limit: int = BATCH) -> int:
    """Send what is due, one batch of it; return how many messages were claimed.

    Not inside a transaction: claims have to be seen by other senders while this one waits.
    """
    claimed = claim(at=at, limit=limit)
    if not claimed:
        return 0
    results: queue.SimpleQueue[_Result] = queue.SimpleQueue()
    deadline = time.monotonic() + (LEASE - LEASE_MARGIN).total_seconds()
    outgoing = _outgoing(claimed, at)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as pool:
        for each in outgoing:
            pool.submit(_send_all, each, deadline, results.put)
        for _place in range(sum(len(each.messages) for each in outgoing)):
            message, attempt = results.get()
            _answer(message, attempt)
    return len(claimed)


@transaction.atomic
def claim(*, at: datetime, limit: int = BATCH) -> list[Message]:
    """Claim what is due, oldest first; nobody else gets it before the lease ends."""
    parameters: dict[str, Any] = {
        "at": at,
        "limit": limit,
        "each": PER_WEBHOOK,
        "until": at + LEASE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(lock=_LOCK), parameters)
        return [_message(*row) for row in cursor.fetchall()]


def _message(*row: Any) -> Message:
    number, public_id, webhook_id, attempt, kind, created_at, event, occurred_at, data, member = row
    content: dict[str, Any] = {
        "id": event,
        "type": kind,
        "timestamp": occurred_at or created_at,
        "data": {},
    }
    if event is not None:
        content["data"] = {"member": str(member), **json_format.read(data.encode())}
    return Message(number, public_id, webhook_id, attempt, json_format.write(content))


def _outgoing(claimed: Iterable[Message], at: datetime) -> list[_Outgoing]:
    by_webhook: dict[int, list[Message]] = {}
    for message in claimed:
        by_webhook.setdefault(message.webhook_id, []).append(message)
    rows = Webhook.objects.in_bulk(by_webhook)
    return [
        _Outgoing(rows[key].url, _secrets(rows[key], at), messages)
        for key, messages in by_webhook.items()
        if key in rows
    ]


def _secrets(webhook: Webhook, at: datetime) -> Sequence[str]:
    """Return what signs, nothing where a key is missing: the other webhooks are served."""
    try:
        return webhooks.secrets_in_force(webhook, at=at)
    except (KeyringInvalidError, SealBrokenError):
        return ()


def _send_all(outgoing: _Outgoing, deadline: float, put: Callable[[_Result], None]) -> None:
    """Send the messages of one webhook in order, in a thread that knows no database."""
    is_cut_off = False
    for message in outgoing.messages:
        if is_cut_off or time.monotonic() > deadline:
            put((message, None))
            continue
        attempt = _send(outgoing, message)
        is_cut_off = not attempt.is_done
        put((message, attempt))


def _send(outgoing: _Outgoing, message: Message) -> Attempt:
    if not outgoing.secrets:
        return Attempt(None, "secret_unreadable")
    try:
        timestamp = int(datetime.now(UTC).timestamp())
        headers = standard.headers(outgoing.secrets, message.message_id, timestamp, message.body)
        return sending.post(outgoing.url, message.body, headers)
    except Exception as error:  # whatever one message does, the sender answers for all
        return Attempt(None, type(error).__name__)


@transaction.atomic
def _answer(message: Message, attempt: Attempt | None) -> None:
    """Write down how an attempt ended, unless another claim has come since."""
    at = datetime.now(UTC)
    row = WebhookDelivery.objects.filter(
        pk=message.id, state=SendState.PENDING, attempts=message.attempt
    )
    if attempt is None:
        # It was never sent; it waits behind the one that failed.
        row.update(attempts=message.attempt - 1, due_at=at + standard.WAITS[0])
    elif attempt.is_done:
        row.update(state=SendState.DELIVERED, status=attempt.status, error="", delivered_at=at)
        Webhook.objects.filter(pk=message.webhook_id, failing_since__isnull=False).update(
            failing_since=None
        )
    else:
        _fail(row, message, attempt, at)


def _fail(row: Any, message: Message, attempt: Attempt, at: datetime) -> None:
    # The webhook before its messages, as everybody locks them.
    webhook = (
        Webhook.objects.select_related("touchpoint")
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=message.webhook_id)
        .first()
    )
    if webhook is None:
        return
    wait = standard.wait_after(message.attempt, random.random())  # noqa: S311 (spreads load)
    row.update(
        state=SendState.PENDING if wait else SendState.FAILED,
        due_at=at + (wait or timedelta()),
        status=attempt.status,
        error=attempt.error or f"http_{attempt.status}",
    )
    if webhook.state != WebhookState.ACTIVE:
        return
    if webhook.failing_since is None:
        webhook.failing_since = at
        webhook.save(update_fields=["failing_since"])
    if attempt.status == GONE:
        webhooks.disable(webhook=webhook, reason=DisabledReason.GONE, at=at)
    elif at - webhook.failing_since >= FAILING_FOR:
        webhooks.disable(webhook=webhook, reason=DisabledReason.FAILING, at=at)
