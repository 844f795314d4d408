"""What providers report: each report once, late ones never undo what is known already.

Source: CMP-04.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from campaigns.domain.delivery import MARKETING
from campaigns.models import Message, MessageReceipt, MessageState
from campaigns.services import opt_outs, prospect_opt_outs
from members.models import Touchpoint
from members.services import consents, identity
from members.services.consents import ConsentDecision

# Words of a text message that mean "no more of these", in capitals.
STOP_WORDS: Final = frozenset(
    {"R", "T", "TD", "N", "STOP", "UNSUBSCRIBE", "QUIT", "END", "退订", "拒收", "退", "取消"}
)


class Kind(StrEnum):
    """What is reported."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One report; the message is named by its id, by the provider's, or (replies) by the phone."""

    kind: Kind
    occurred_at: datetime
    message: UUID | None = None
    channel: str = ""
    provider_id: str = ""
    phone: str = field(default="", repr=False)
    reason: str = ""
    text: str = field(default="", repr=False)

    @property
    def is_stop(self) -> bool:
        """Tell whether a reply asks for no more messages."""
        return self.kind is Kind.REPLY and self.text.strip().upper() in STOP_WORDS


RECORDED: Final = "recorded"
KNOWN: Final = "known"
UNKNOWN_MESSAGE: Final = "unknown_message"

# From which states a report leads on; any other is further already, or never went out.
_FROM: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.SENT: frozenset({"sending", "unknown"}),
    Kind.FAILED: frozenset({"sending", "unknown", "sent"}),
    # Who has it has it, whatever was said of it before.
    Kind.DELIVERED: frozenset({"queued", "sending", "unknown", "sent", "failed"}),
    Kind.READ: frozenset({"queued", "sending", "unknown", "sent", "failed"}),
}


def record(
    receipts: Sequence[Receipt], *, touchpoint: Touchpoint | None, at: datetime
) -> list[str]:
    """Take in reports and return what became of each, in order. Not in a transaction.

    Sending them again changes nothing.
    """
    found = _messages(receipts)
    # Consents lock members, and whoever sends locks messages before members: one after the other.
    stopped = [_stop(receipt, found[place], at) for place, receipt in enumerate(receipts)]
    recorded = _record(receipts, found, touchpoint, at)
    return [
        outcome if outcome != UNKNOWN_MESSAGE or not was_stopped else RECORDED
        for outcome, was_stopped in zip(recorded, stopped, strict=True)
    ]


def _messages(receipts: Sequence[Receipt]) -> list[Message | None]:
    """Return the message of each report, with one statement for all."""
    ids = {each.message for each in receipts if each.message}
    named = [(each.channel, each.provider_id) for each in receipts if each.provider_id]
    wanted = Q(public_id__in=ids)
    for channel in {channel for channel, _id in named}:
        numbers = [number for each, number in named if each == channel]
        wanted |= Q(channel=channel, provider_id__in=numbers) & ~Q(provider_id="")
    by_id, by_name = dict[UUID, Message](), dict[tuple[str, str], Message]()
    for message in Message.objects.filter(wanted).order_by("pk"):
        by_id[message.public_id] = message
        if message.provider_id:
            by_name[message.channel, message.provider_id] = message
    return [
        by_id.get(each.message) if each.message else by_name.get((each.channel, each.provider_id))
        for each in receipts
    ]


def _stop(receipt: Receipt, message: Message | None, at: datetime) -> bool:
    """Withdraw the consent of whoever asked for no more; tell whether somebody did."""
    if not receipt.is_stop:
        return False
    # As of the reply: one that is reported again does not undo a consent given since.
    given_at = min(receipt.occurred_at, at)
    if message is not None:
        opt_outs.opt_out(
            message=message, everywhere=False, at=at, source=opt_outs.REPLY, given_at=given_at
        )
        return True
    member = _member_by(receipt.phone)
    if member is None:
        return prospect_opt_outs.stop_by_reply(
            message=receipt.message, phone=receipt.phone, at=at, given_at=given_at
        )
    decision = ConsentDecision(
        MARKETING, granted=False, channel="sms", source=opt_outs.REPLY, given_at=given_at
    )
    consents.record({member: [decision]}, touchpoint=None, at=at, actor=opt_outs.REPLY)
    return True


def _member_by(phone: str) -> int | None:
    key = ("phone", "", phone)
    return identity.find([key]).get(key) if phone else None


@transaction.atomic
def _record(
    receipts: Sequence[Receipt],
    found: Sequence[Message | None],
    touchpoint: Touchpoint | None,
    at: datetime,
) -> list[str]:
    ids = sorted({message.pk for message in found if message})
    rows = Message.objects.filter(pk__in=ids).order_by("pk")
    locked = {row.pk: row for row in rows.select_for_update(of=("self",), no_key=True)}
    known = set(MessageReceipt.objects.filter(message_id__in=ids).values_list("message_id", "kind"))
    outcomes, made = list[str](), list[MessageReceipt]()
    for receipt, message in zip(receipts, found, strict=True):
        if message is None:
            outcomes.append(UNKNOWN_MESSAGE)
            continue
        key = (message.pk, receipt.kind.value)
        outcomes.append(KNOWN if key in known else RECORDED)
        if key not in known:
            known.add(key)
            made.append(_row(receipt, message, touchpoint, at))
            _move(locked[message.pk], receipt)
    MessageReceipt.objects.bulk_create(made)
    _save(locked[pk] for pk in {row.message_id for row in made})
    return outcomes


def _row(
    receipt: Receipt, message: Message, touchpoint: Touchpoint | None, at: datetime
) -> MessageReceipt:
    return MessageReceipt(
        message=message,
        touchpoint=touchpoint,
        kind=receipt.kind,
        reason=receipt.reason,
        occurred_at=receipt.occurred_at,
        received_at=at,
    )


def _move(message: Message, receipt: Receipt) -> None:
    """Bring a message to where a report says that it is, never back."""
    if receipt.kind is Kind.READ and message.state != MessageState.SUPPRESSED:
        message.read_at = message.read_at or receipt.occurred_at
    if not message.channel or message.state not in _FROM.get(receipt.kind, frozenset()):
        return
    message.lease_until = None
    message.ended_at = message.ended_at or receipt.occurred_at
    if receipt.kind is Kind.FAILED:
        message.state, message.reason = MessageState.FAILED, receipt.reason or "provider_failed"
        return
    message.sent_at = message.sent_at or receipt.occurred_at
    message.reason = ""
    if receipt.kind is Kind.SENT:
        message.state = MessageState.SENT
        return
    message.state, message.delivered_at = MessageState.DELIVERED, receipt.occurred_at


def _save(messages: Iterable[Message]) -> None:
    fields = ["state", "reason", "lease_until", "ended_at", "sent_at", "delivered_at", "read_at"]
    Message.objects.bulk_update(sorted(messages, key=lambda each: each.pk), fields)


@transaction.atomic
def mark_read(*, message: Message, at: datetime) -> Message:
    """Note that a member has opened a message of the inbox; again changes nothing."""
    rows = Message.objects.select_for_update(of=("self",), no_key=True)
    locked = rows.get(pk=message.pk)
    if locked.read_at is None:
        locked.read_at = at
        locked.save(update_fields=["read_at"])
    return locked
