"""Templates and members for tests of messages."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from campaigns.models import Message, MessageTemplate, Purpose
from campaigns.services import message_templates, messages, sending
from campaigns.services.message_templates import TemplateTerms, Texts
from campaigns.services.messages import Wanted
from members.models import Member
from members.services import consents
from members.services.consents import ConsentDecision
from tests.factories import members

# Noon in the programme's time: no quiet hours.
NOON = datetime(2026, 3, 20, 4, 0, tzinfo=UTC)
NAME = {"name": "member.name", "type": "text", "fallback": {"zh": "会员", "en": "member"}}
TEXT = {"subject": "问候", "body": "{{ member.name }}，您好"}
INBOX = {"zh": {"inbox": TEXT}}
EVERYWHERE = {"zh": dict.fromkeys(("sms", "email", "inbox", "push", "wechat"), TEXT)}


def template(
    code: str = "hello",
    purpose: Purpose = Purpose.MARKETING,
    contents: Mapping[str, Any] = EVERYWHERE,
    variables: Any = (NAME,),
    **values: Any,
) -> MessageTemplate:
    """Return a published template."""
    terms = TemplateTerms(code, "问候", "Hello", purpose, **values)
    message_templates.publish_default(terms=terms, texts=Texts(contents, variables), at=NOON)
    return MessageTemplate.objects.get(code=code)


def allow(member: Member, channel: str = "", *, granted: bool = True, **values: Any) -> None:
    """Let a member decide about marketing."""
    values = {"purpose": "marketing", "source": "test", **values}
    decision = ConsentDecision(granted=granted, channel=channel, **values)
    consents.record({member.pk: [decision]}, touchpoint=None, at=NOON - timedelta(days=1))


def reader(*channels: str, name: str = "张小明", **values: Any) -> Member:
    """Enrol a member with a phone and a mailbox who takes marketing on channels, "" for all."""
    phone = members.phone()
    identifiers = (("phone", phone, ""), ("email", f"m{phone}@example.com", ""))
    made = members.member(*identifiers, name=name, **values)
    for channel in channels:
        allow(made, channel)
    return made


def owe(member: Member, code: str = "hello", occurrence: str = "1", **values: Any) -> Message:
    """Owe a member a message and return it."""
    due = values.pop("due_at", NOON)
    wanted = Wanted(member.pk, code, values.pop("trigger", "test"), occurrence, due, **values)
    messages.enqueue([wanted], at=due, recorded_at=NOON)
    return Message.objects.get(member=member, trigger=wanted.trigger, occurrence=occurrence)


def send(at: datetime = NOON, **values: Any) -> int:
    """Send until nothing is due any more; return how many messages were looked at."""
    done = 0
    while count := sending.send_due(at=at, **values):
        done += count
    return done


def ended(message: Message) -> tuple[str, str, str]:
    """Return what has become of a message: state, channel, reason."""
    message.refresh_from_db()
    return message.state, message.channel, message.reason
