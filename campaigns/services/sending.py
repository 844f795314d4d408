"""Sending what is due: claimed and committed as `sending` before any provider is spoken to.

A batch is claimed, decided and written in one transaction; then it is handed over outside of any,
and what became of it is written. What dies between the two may have gone out: it is `unknown` and
stays so until a person looks, except that a security notice is sent again.

Source: CMP-04, CMP-07, CMP-08, MEM-07, MEM-11.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from campaigns import channels
from campaigns.channels import Channel, Outbound, Outcome, Result
from campaigns.domain import delivery
from campaigns.domain.delivery import MARKETING, SECURITY, Facts, Verdict
from campaigns.models import MessageState
from campaigns.services import (
    message_facts,
    message_heirs,
    message_rows,
    opt_outs,
    rendering,
    sealed_texts,
)
from campaigns.services.message_facts import BatchFacts, Person
from campaigns.services.message_rows import Claimed
from campaigns.services.rendering import Filled, Wish
from config.base import clock
from members.services import events
from members.services.events import NewEvent

BATCH: Final = 100
MAX_TRIES: Final = 6
RETRY_AFTER: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(hours=2)
NOT_REACHED: Final = "provider_not_reached"
OFFERED: Final = "offer.shown"
MESSAGE: Final = "message"
HAS_IT: Final = "survivor_has_it"
MERGED: Final = "merged"
UNREADABLE: Final = "unreadable"


@dataclass(slots=True)
class _Work:
    """A claimed message and what was decided about it."""

    message: Claimed
    person: Person
    instant: datetime
    verdict: Verdict
    language: str = ""
    version_id: int | None = None
    filled: Filled | None = None
    sealed: bytes | None = None

    def row(self, state: MessageState, **values: Any) -> dict[str, Any]:
        """Return the message as it is written in a state."""
        return {
            "id": self.message.id,
            "tries": self.message.tries,
            "kept_tries": self.message.tries,
            "state": state.value,
            "reason": "",
            "channel": self.verdict.channel,
            "language": self.language,
            "version_id": self.version_id,
            "due_at": self.message.due_at,
            "sent_at": None,
            "ended_at": None,
            "delivered_at": None,
            "provider_id": "",
            "sealed": self.sealed.hex() if self.sealed else None,
            **values,
        }


def send_due(*, at: datetime, as_of_due: bool = False) -> int:
    """Send one batch of what is due; return how many messages were looked at.

    With `as_of_due` each acts at the instant when it was due, as if this had run then: under the
    programme's own clock, which leaps. Not in a transaction.
    """
    message_rows.end_broken(at=at)
    works = _take(at, as_of_due)
    sending = [work for work in works if work.verdict.channel]
    for done in _hand_over(sending):
        message_rows.write([_ended(work, result, at) for work, result in done])
    return len(works)


# Durable: inside of somebody's transaction the claim would not stand before the provider hears.
@transaction.atomic(durable=True)
def _take(at: datetime, as_of_due: bool) -> list[_Work]:
    """Claim a batch and decide it; what is not sent now is written, the rest is `sending`."""
    claimed = message_rows.claim(message_rows.OTHER_LINE, at=at, limit=BATCH)
    room = BATCH - len(claimed)
    if room:
        claimed += message_rows.claim(message_rows.MARKETING_LINE, at=at, limit=room)
    if not claimed:
        return []
    claimed = message_heirs.addressed(claimed)
    facts = message_facts.read(
        member_ids={each.member_id for each in claimed},
        template_ids={each.template_id for each in claimed},
        at=min(at, *(each.due_at for each in claimed)) if as_of_due else at,
    )
    twice = message_heirs.twice(claimed)
    works = [_decided(each, facts, at, as_of_due, each.id in twice) for each in claimed]
    message_heirs.hand_over(work.message for work in works if work.verdict.channel)
    _fill(works, facts, at)
    message_rows.write([_begun(work, at) for work in works])
    return works


def _decided(
    message: Claimed, facts: BatchFacts, at: datetime, as_of_due: bool, is_twice: bool
) -> _Work:
    instant = message.due_at if as_of_due else at
    person, texts = facts.people[message.member_id], facts.texts.get(message.template_id)
    known = _facts(message, person, facts, at, instant)
    verdict = delivery.decide(known, facts.policy, clock.local(instant))
    if is_twice:
        verdict = Verdict(reason=HAS_IT)
    elif person.status == MERGED:
        # Merged since it was claimed: the next batch knows whose it is.
        verdict = Verdict(until=message.due_at)
    elif not person.is_readable:
        verdict = Verdict(reason=UNREADABLE)
    work = _Work(message, person, instant, verdict)
    if verdict.channel and texts is not None:
        offered = texts.languages_of(verdict.channel)
        work.language = person.language if person.language in offered else offered[0]
        work.version_id = texts.version_id
        if message.purpose == MARKETING:
            facts.sent.setdefault(message.member_id, []).append(instant)
    return work


def _facts(
    message: Claimed, person: Person, facts: BatchFacts, at: datetime, instant: datetime
) -> Facts:
    texts = facts.texts.get(message.template_id)
    return Facts(
        purpose=message.purpose,
        needs_consent=message.needs_consent,
        is_stale=message.expires_at is not None and message.expires_at <= at,
        is_active=_is_active(person.status, message.purpose),
        is_minor=message_facts.is_minor(person.birthday, instant, delivery.YOUNGEST),
        consents=person.consents,
        preferred=person.preferred,
        reachable=frozenset(person.addresses),
        with_text={each for each in delivery.CHANNELS if texts and texts.languages_of(each)},
        sent_in_day=facts.sent_since(message.member_id, instant - message_facts.DAY),
        sent_in_week=facts.sent_since(message.member_id, instant - message_facts.WEEK),
    )


def _is_active(status: str, purpose: str) -> bool:
    """Tell whether a member hears of this: a frozen one of everything but offers."""
    return status == "active" or (status == "frozen" and purpose != MARKETING)


def _fill(works: Iterable[_Work], facts: BatchFacts, at: datetime) -> None:
    wanted = [work for work in works if work.verdict.channel]
    wishes = [
        Wish(
            key=work.message.id,
            member_id=work.message.member_id,
            texts=facts.texts[work.message.template_id],
            context=work.message.context,
            channel=work.verdict.channel,
            language=work.language,
            purpose=work.message.purpose,
        )
        for work in wanted
    ]
    filled = rendering.render_all(wishes, assets=facts.assets, at=at)
    for work in wanted:
        work.filled = filled[work.message.id]
        work.sealed = sealed_texts.seal(work.person, work.filled.text)
    events.append([_offered(work, at) for work in wanted if work.filled and work.filled.decision])


def _offered(work: _Work, at: datetime) -> NewEvent:
    """Return what is written down of an offer that is recommended to a member, and why.

    Source: CMP-07.
    """
    assert work.filled is not None
    message = work.message
    payload = {
        **(work.filled.decision or {}),
        "template": message.template,
        "message": str(message.public_id),
    }
    return NewEvent(message.member_id, OFFERED, work.instant, at, payload, MESSAGE)


def _begun(work: _Work, at: datetime) -> dict[str, Any]:
    verdict = work.verdict
    if verdict.channel:
        return work.row(MessageState.SENDING, sent_at=work.instant)
    if verdict.until is not None:
        # Waiting for the morning is no try.
        return work.row(
            MessageState.QUEUED, reason=verdict.reason, due_at=verdict.until,
            kept_tries=work.message.tries - 1,
        )  # fmt: skip
    if verdict.reason == UNREADABLE:
        # A key that an operator has left out comes back; one that is damaged does not.
        if work.message.tries < MAX_TRIES:
            return _again(work, UNREADABLE, at)
        return work.row(MessageState.FAILED, reason=UNREADABLE, ended_at=work.instant)
    return work.row(MessageState.SUPPRESSED, reason=verdict.reason, ended_at=work.instant)


def _hand_over(works: Sequence[_Work]) -> Iterator[list[tuple[_Work, Result]]]:
    """Hand messages over, channels side by side, in threads that know no database."""
    lines = [(work, _outbound(work)) for work in works]
    by_channel: dict[str, list[tuple[_Work, Outbound]]] = defaultdict(list)
    for work, outbound in lines:
        by_channel[work.verdict.channel].append((work, outbound))
    shares = [
        (channels.installed()[code], found[start :: channels.installed()[code].parallel])
        for code, found in by_channel.items()
        for start in range(min(len(found), channels.installed()[code].parallel))
    ]
    if not shares:
        return
    with ThreadPoolExecutor(len(shares)) as pool:
        for future in as_completed([pool.submit(_send_all, *share) for share in shares]):
            yield future.result()


def _send_all(
    channel: Channel, lines: Sequence[tuple[_Work, Outbound]]
) -> list[tuple[_Work, Result]]:
    return list(channel.send_each(lines))


def _outbound(work: _Work) -> Outbound:
    message, filled = work.message, work.filled
    assert filled is not None
    is_marketing = message.purpose == MARKETING
    return Outbound(
        message_id=str(message.public_id),
        member=str(work.person.public_id),
        to=work.person.addresses[work.verdict.channel],
        text=filled.text,
        purpose=message.purpose,
        language=work.language,
        template=message.template,
        opt_out_url=opt_outs.url_of(message.public_id) if is_marketing else "",
        values=filled.values,
    )


def _ended(work: _Work, result: Result, at: datetime) -> dict[str, Any]:
    instant, reason = work.instant, result.reason[:40]
    may_try_again = work.message.tries < MAX_TRIES
    match result.outcome:
        case Outcome.SENT:
            return work.row(
                MessageState.SENT, sent_at=instant, ended_at=instant, provider_id=result.provider_id
            )
        case Outcome.DELIVERED:
            return work.row(
                MessageState.DELIVERED, sent_at=instant, ended_at=instant, delivered_at=instant
            )
        case Outcome.NOT_REACHED if may_try_again:
            return _again(work, NOT_REACHED, at)
        case Outcome.UNKNOWN if work.message.purpose == SECURITY and may_try_again:
            return _again(work, reason, at)
        case Outcome.UNKNOWN:
            return work.row(MessageState.UNKNOWN, reason=reason, sent_at=instant, ended_at=instant)
        case _:
            return work.row(MessageState.FAILED, reason=reason or NOT_REACHED, ended_at=instant)


def _again(work: _Work, reason: str, at: datetime) -> dict[str, Any]:
    due_at = at + wait_after(work.message.tries)
    return work.row(MessageState.QUEUED, reason=reason, due_at=due_at, sealed=None)


def wait_after(tries: int) -> timedelta:
    """Return how long to wait after so many tries: twice as long each time."""
    wait: timedelta = RETRY_AFTER * 2 ** (tries - 1)
    return min(LONGEST_WAIT, wait)
