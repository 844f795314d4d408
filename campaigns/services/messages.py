"""Owing messages to members: each occurrence of a trigger once, whoever asks and how often.

Channel, consent, quiet hours and caps are decided when a message is sent, not here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import MessageTemplate
from config.base.errors import DomainError

LONGEST_TRIGGER: Final = 80
LONGEST_OCCURRENCE: Final = 120

_ENQUEUE: Final = """
INSERT INTO campaigns_message
    (public_id, member_id, template_id, trigger, occurrence, channel, language, state, reason,
     due_at, expires_at, context, tries, created_at, provider_id)
SELECT gen_random_uuid(), w.member_id, w.template_id, w.trigger, w.occurrence, '', '', 'queued', '',
       w.due_at, w.expires_at, w.context, 0, %s, ''
FROM json_to_recordset(%s::json) AS w (
    member_id bigint, template_id bigint, trigger text, occurrence text,
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
        return cursor.rowcount


def _templates(codes: set[str]) -> dict[str, int]:
    found = dict(MessageTemplate.objects.filter(code__in=codes).values_list("code", "pk"))
    if missing := codes - found.keys():
        raise TemplateUnknownError(sorted(missing))
    return found


def _row(wanted: Wanted, template: int, at: datetime) -> dict[str, Any]:
    return {
        "member_id": wanted.member_id,
        "template_id": template,
        "trigger": wanted.trigger,
        "occurrence": wanted.occurrence,
        "due_at": max(wanted.due_at, at),
        "expires_at": wanted.expires_at,
        "context": dict(wanted.context),
    }
