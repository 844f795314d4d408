"""Writing to prospects: each once per offer, under the same rules as marketing to members.

A batch is taken, decided and committed as `sending` before any provider is spoken to; what dies
between the two may have gone out, stays `unknown`, and is not sent again. Prospects are locked
before the rows that name them, here and wherever they join.

Source: CMP-13, CMP-08, MEM-11.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Q

from campaigns import channels
from campaigns.channels import Outbound, Outcome, Result
from campaigns.domain import delivery
from campaigns.domain.delivery import MARKETING, Decision, Facts, Policy, Verdict
from campaigns.models import AddressState, OfferState, ProspectAddress, ProspectOffer
from campaigns.models.prospect_offer import TOLD
from campaigns.services import (
    message_facts,
    message_policy,
    message_rows,
    prospect_opt_outs,
    prospect_texts,
    sending,
)
from campaigns.services.message_facts import Texts
from campaigns.services.prospect_texts import Shared
from campaigns.services.rendering import Filled
from config.base import clock
from members.domain.sealing import KeyringInvalidError, SealBrokenError
from members.models import Prospect
from members.services import identity, prospects
from rewards.domain import validity

BATCH: Final = 100
FORGOTTEN: Final = "forgotten"
UNREADABLE: Final = "unreadable"
JOINED: Final = "joined"


Contacts = Mapping[int, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a batch is decided by; who cannot be read is without `contacts`."""

    policy: Policy
    texts: Mapping[int, Texts]
    shared: Shared
    held: Mapping[int, Prospect]
    contacts: Contacts = field(repr=False)
    members: Collection[int]
    sent: Mapping[int, list[datetime]]

    def sent_since(self, prospect: int, since: datetime) -> int:
        """Return how many messages a prospect was sent after an instant."""
        return sum(each > since for each in self.sent[prospect])


def send_due(*, at: datetime) -> int:
    """Send one batch of what is due; return how many were looked at. Not in a transaction."""
    _end_broken(at)
    looked_at, outbound = _take(at)
    for code, lines in outbound.items():
        for row, result in channels.installed()[code].send_each(lines):
            _write(row, result, at)
    return looked_at


def _end_broken(at: datetime) -> None:
    broken = ProspectAddress.objects.filter(
        state=AddressState.SENDING, lease_until__lte=datetime.now(UTC)
    )
    broken.update(state=AddressState.UNKNOWN, reason=message_rows.BROKE_OFF, lease_until=None)


Lines = dict[str, list[tuple[ProspectAddress, Outbound]]]


@transaction.atomic(durable=True)
def _take(at: datetime) -> tuple[int, Lines]:
    """Claim and decide a batch; what is sent is committed before a provider hears of it."""
    due = ProspectAddress.objects.filter(state=AddressState.QUEUED, due_at__lte=at)
    ids = set(due.order_by("due_at", "pk").values_list("prospect_id", flat=True)[:BATCH])
    people = Prospect.objects.filter(pk__in=ids).order_by("pk")
    held = {
        row.pk: row for row in people.select_for_update(no_key=True, of=("self",), skip_locked=True)
    }
    rows = (
        due.filter(prospect__in=held)
        .order_by("due_at", "pk")
        .select_related("offer__template", "offer__coupon_template")
    )
    claimed = list(rows.select_for_update(no_key=True, of=("self",), skip_locked=True))
    known = _known(claimed, held, at)
    outbound: Lines = defaultdict(list)
    for row in claimed:
        verdict = _decided(row, known, at)
        if verdict.channel:
            outbound[verdict.channel].append((row, _begin(row, known, verdict.channel, at)))
            known.sent[row.prospect_id].append(at)
        elif verdict.reason == UNREADABLE:
            _put_off(row, at)
        else:
            row.reason, row.due_at = verdict.reason, verdict.until or row.due_at
            row.state = AddressState.QUEUED if verdict.until else AddressState.SKIPPED
    ProspectAddress.objects.bulk_update(
        claimed,
        ["state", "reason", "due_at", "channel", "version", "tries", "lease_until", "sent_at",
         "good_until"],
    )  # fmt: skip
    return len(claimed), outbound


def _put_off(row: ProspectAddress, at: datetime) -> None:
    """Look again later: a key that was left out comes back, one that is damaged does not."""
    row.tries += 1
    row.reason, row.due_at = UNREADABLE, at + sending.wait_after(row.tries)
    is_over = row.tries >= sending.MAX_TRIES
    row.state = AddressState.FAILED if is_over else AddressState.QUEUED


def _read(people: Collection[Prospect]) -> Contacts:
    """Return contacts by prospect; where what is sealed does not open, that one is left out."""
    try:
        return prospects.contacts_of(people)
    except (KeyringInvalidError, SealBrokenError):
        if len(people) < 2:
            return {}
        return {pk: found for each in people for pk, found in _read([each]).items()}


def _known(
    claimed: Sequence[ProspectAddress], held: Mapping[int, Prospect], at: datetime
) -> _Known:
    contacts = _read(held.values())
    keys = {(kind, "", value): pk for pk, of in contacts.items() for kind, value in of.items()}
    sent: dict[int, list[datetime]] = {pk: [] for pk in held}
    before = ProspectAddress.objects.filter(
        prospect__in=held, state__in=TOLD, sent_at__gt=at - message_facts.WEEK
    )
    for prospect, sent_at in before.values_list("prospect_id", "sent_at"):
        if sent_at is not None:
            sent[prospect].append(sent_at)
    texts = message_facts.texts_of({row.offer.template_id for row in claimed})
    return _Known(
        policy=message_policy.in_force(),
        texts=texts,
        shared=prospect_texts.read(texts.values(), at),
        held=held,
        contacts=contacts,
        members={keys[key] for key in identity.find(keys)} if keys else set(),
        sent=sent,
    )


def _decided(row: ProspectAddress, known: _Known, at: datetime) -> Verdict:
    """Return what becomes of a message now, decided as one to a member would be."""
    prospect, texts = known.held[row.prospect_id], known.texts.get(row.offer.template_id)
    if prospect.forgotten_at is not None:
        return Verdict(reason=FORGOTTEN)
    if prospect.converted_at is not None or prospect.pk in known.members:
        return Verdict(reason=JOINED)
    if prospect.pk not in known.contacts:
        return Verdict(reason=UNREADABLE)
    facts = Facts(
        purpose=MARKETING,
        needs_consent=True,
        is_stale=not _runs(row.offer, at),
        is_active=True,
        is_minor=False,
        consents={(MARKETING, ""): Decision(prospect.may_be_addressed, at)},
        preferred=None,
        reachable=reachable(known.contacts[prospect.pk]),
        with_text={each for each in delivery.CHANNELS if texts and texts.languages_of(each)},
        sent_in_day=known.sent_since(prospect.pk, at - message_facts.DAY),
        sent_in_week=known.sent_since(prospect.pk, at - message_facts.WEEK),
    )
    return delivery.decide(facts, known.policy, clock.local(at))


def _runs(offer: ProspectOffer, at: datetime) -> bool:
    is_over = offer.ends_at is not None and offer.ends_at <= at
    return offer.state == OfferState.RUNNING and not is_over


def reachable(contacts: Mapping[str, str]) -> frozenset[str]:
    """Return the open channels that a prospect's phone or mailbox is an address of."""
    return frozenset(
        code
        for code, each in channels.open_channels().items()
        if each.address_kind in contacts and not each.address_app
    )


def _begin(row: ProspectAddress, known: _Known, channel: str, at: datetime) -> Outbound:
    prospect, texts = known.held[row.prospect_id], known.texts[row.offer.template_id]
    row.state, row.reason, row.channel = AddressState.SENDING, "", channel
    row.version_id, row.tries = texts.version_id, row.tries + 1
    row.lease_until = datetime.now(UTC) + message_rows.LEASE
    row.sent_at, row.good_until = at, good_until(row.offer, at)
    language, filled = prospect_texts.fill(
        row=row, texts=texts, language=prospect.language, channel=channel, shared=known.shared
    )
    kind = channels.installed()[channel].address_kind
    return _outbound(row, language, filled, known.contacts[prospect.pk][kind])


def _outbound(row: ProspectAddress, language: str, filled: Filled, to: str) -> Outbound:
    return Outbound(
        message_id=str(row.public_id),
        member="",
        to=to,
        text=filled.text,
        purpose=MARKETING,
        language=language,
        template=row.offer.template.code,
        opt_out_url=prospect_opt_outs.url_of(row.public_id),
        values=filled.values,
    )


def good_until(offer: ProspectOffer, at: datetime) -> datetime:
    """Return up to when joining counts for whoever is written to now."""
    last = validity.end_of_day_after(at, offer.valid_days)
    return last if offer.ends_at is None else min(last, offer.ends_at)


def _write(row: ProspectAddress, result: Result, at: datetime) -> None:
    """Write what became of a message; only who holds the claim writes."""
    claim = ProspectAddress.objects.filter(pk=row.pk, state=AddressState.SENDING, tries=row.tries)
    claim.update(**_ended(row, result, at))


def _ended(row: ProspectAddress, result: Result, at: datetime) -> dict[str, Any]:
    done: dict[str, Any] = {"lease_until": None, "reason": result.reason[:40]}
    match result.outcome:
        case Outcome.SENT | Outcome.DELIVERED:
            return {
                **done, "state": AddressState.SENT, "reason": "", "provider_id": result.provider_id
            }  # fmt: skip
        case Outcome.NOT_REACHED if row.tries < sending.MAX_TRIES:
            return {
                **done, "state": AddressState.QUEUED, "reason": sending.NOT_REACHED,
                "due_at": at + sending.wait_after(row.tries), "sent_at": None,
                "good_until": None, "channel": "",
            }  # fmt: skip
        case Outcome.UNKNOWN:
            return {**done, "state": AddressState.UNKNOWN, "reason": done["reason"] or "unknown"}
        case _:
            reason = done["reason"] or sending.NOT_REACHED
            return {**done, "state": AddressState.FAILED, "reason": reason}


def counts_of(offer: ProspectOffer) -> dict[str, int]:
    """Return how many of an audience are in each state; together they are the audience."""
    rows = ProspectAddress.objects.filter(offer=offer).values_list("state")
    return dict(rows.annotate(count=Count("pk")).order_by("state"))


def reasons_of(offer: ProspectOffer) -> dict[str, int]:
    """Return why how many were not written to."""
    rows = ProspectAddress.objects.filter(offer=offer).filter(
        Q(state__in=[AddressState.SKIPPED, AddressState.FAILED, AddressState.UNKNOWN])
    )
    return dict(rows.values_list("reason").annotate(count=Count("pk")).order_by("-count"))
