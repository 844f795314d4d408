"""What campaigns add to the exported journal: a line per message. Source: design §7."""

# ruff: noqa: S608 - put together from constants

from typing import Final

from rewards.services.journal import Kind
from rewards.services.journal_statements import OF_MEMBERS, instant

_AT: Final = instant("coalesce(x.sent_at, x.ended_at, x.due_at)")

MESSAGE: Final = Kind(
    "message",
    ("member", "trigger", "occurrence", "channel", "status", "at", "reason", "template"),
    f"""
SELECT m.id, m.public_id::text, x.trigger, x.occurrence, nullif(x.channel, ''), x.state, {_AT},
       nullif(x.reason, ''), t.code
FROM campaigns_message x
JOIN members_member m ON m.id = x.member_id
JOIN campaigns_messagetemplate t ON t.id = x.template_id
WHERE {OF_MEMBERS} AND (%(since)s::timestamptz IS NULL OR x.created_at >= %(since)s)
ORDER BY m.id, x.id""",
)
