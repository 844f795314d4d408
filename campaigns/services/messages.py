"""Owing messages to members: each occurrence of a trigger once, whoever asks and how often.

Channel, consent, quiet hours and caps are decided when a message is sent, not here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from campaigns.models import Message, MessageState, MessageTemplate
from config.base.errors import DomainError
from members.services import events, notes

RETRIED: Final = "message.retried"
NOT_SENT: Final = (MessageState.SUPPRESSED, MessageState.FAILED, MessageState.UNKNOWN)

_ENQUEUE: Final = """
INSERT INTO campaigns_message
    (public_id, member_id, template_id, purpose, trigger, occurrence,
     channel, language, state, reason,
     due_at, expires_at, context, tries, created_at, provider_id)
SELECT gen_random_uuid(), w.member_id, w.template_id, w.purpose, w.trigger, w.occurrence,
       '', '', 'queued', '',
       w.due_at, w.expires_at, w.context, 0, %s, ''
FROM json_to_recordset(%s::json) AS w (
    member_id bigint, template_id bigint, purpose text, trigger text, occurrence text,
    due_at timestamptz, expires_at timestamptz, context jsonb)
ON CONFLICT ON CONSTRAINT message_once_per_occurrence DO NOTHING
"""


class TemplateUnknownError(DomainError):
    """Messages were asked for by the code of no template."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(
            "message_template_unknown",
            _("There is no message template with this code."),
            404,
            codes=list(codes),
        )


class NotUnknownError(DomainError):
    """Only a message of unknown outcome is sent again by hand."""

    def __init__(self) -> None:
        super().__init__(
            "message_not_unknown", _("Only messages of unknown outcome are sent again."), 409
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """One message to be sent; `context` holds values of its variables, none of them personal.

    From `expires_at` on it would be stale news and is not sent any more.
    """

    member_id: int
    template_code: str
    trigger: str
    occurrence: str
    due_at: datetime
    expires_at: datetime | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def enqueue(wanted: Sequence[Wanted], *, at: datetime, recorded_at: datetime) -> int:
    """Owe the messages that are not owed yet, in one statement; return how many those are.

    `at` is when their trigger acted; none is due before that.
    Raises: TemplateUnknownError.
    Source: design §3; CMP-04.
    """
    if not wanted:
        return 0
    templates = _templates({each.template_code for each in wanted})
    rows = [_row(each, templates[each.template_code], at) for each in wanted]
    with connection.cursor() as cursor:
        cursor.execute(_ENQUEUE, [recorded_at, orjson.dumps(rows).decode()])
        return int(cursor.rowcount)


@transaction.atomic
def retry(*, message_id: int, reason: str, actor: str, at: datetime) -> Message:
    """Let a message of unknown outcome be sent again: somebody has looked into it.

    Raises: NotUnknownError.
    """
    rows = Message.objects.select_for_update(of=("self",), no_key=True)
    message = rows.filter(pk=message_id).first()
    if message is None or message.state != MessageState.UNKNOWN:
        raise NotUnknownError
    message.state, message.reason = MessageState.QUEUED, ""
    message.due_at, message.ended_at, message.sent_at = at, None, None
    message.save(update_fields=["state", "reason", "due_at", "ended_at", "sent_at"])
    note = notes.seal(member=message.member_id, text=reason)
    payload = {"message": str(message.public_id), "note": note, "actor": actor}
    events.append([events.NewEvent(message.member_id, RETRIED, at, at, payload)])
    return message


def counts_of(trigger: str) -> dict[str, int]:
    """Return how many messages of a trigger are in each state; together they are its audience."""
    rows = Message.objects.filter(trigger=trigger).values_list("state")
    return dict(rows.annotate(count=Count("pk")).order_by("state"))


def reasons_of(trigger: str) -> dict[tuple[str, str], int]:
    """Return why how many messages of a trigger were not sent, by state and reason."""
    rows = Message.objects.filter(trigger=trigger, state__in=NOT_SENT)
    counted = rows.values_list("state", "reason").annotate(count=Count("pk"))
    return {(state, reason): count for state, reason, count in counted.order_by("-count")}


def _templates(codes: set[str]) -> dict[str, MessageTemplate]:
    found = {each.code: each for each in MessageTemplate.objects.filter(code__in=codes)}
    if missing := codes - found.keys():
        raise TemplateUnknownError(sorted(missing))
    return found


def _row(wanted: Wanted, template: MessageTemplate, at: datetime) -> dict[str, Any]:
    return {
        "member_id": wanted.member_id,
        "template_id": template.pk,
        "purpose": template.purpose,
        "trigger": wanted.trigger,
        "occurrence": wanted.occurrence,
        "due_at": max(wanted.due_at, at),
        "expires_at": wanted.expires_at,
        "context": dict(wanted.context),
    }
