"""Prospects: people who are interested and no members, from entry to joining or forgetting.

What leads to them is sealed and hashed as members' identifiers are. Rows are locked by id; whoever
holds members' locks as well takes those first.

Source: CMP-13.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain import sealing
from members.domain.enrolment import Key
from members.domain.identifiers import tail_of
from members.models import ContactKind, InterestKind, Prospect, ProspectContact, Touchpoint
from members.services import crypto, identity
from members.services.consents import ConsentDecision

EVIDENCE: Final = "prospect-consent"
MARKETING: Final = "marketing"


class ProspectInvalidError(DomainError):
    """What was said of a prospect cannot be taken."""


class Entered(StrEnum):
    """What became of an entry."""

    NEW = "new"
    KNOWN = "known"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class NewProspect:
    """What somebody left: contacts in their normal form, where, for what, and what they allow."""

    contacts: tuple[Key, ...] = field(repr=False)
    source: str
    interest_kind: str = ""
    interest: str = ""
    language: str = ""
    referred_by: int | None = None
    consent: ConsentDecision | None = field(default=None, repr=False)

    def check(self) -> None:
        """Refuse what cannot be. Raises: ProspectInvalidError, ConsentInvalidError."""
        kinds = [kind for kind, _app, _value in self.contacts]
        if not kinds or len(set(kinds)) < len(kinds) or set(kinds) - set(ContactKind.values):
            raise ProspectInvalidError(
                "prospect_contact_required", _("Give one phone, one e-mail address, or both."),
                field="identifiers",
            )  # fmt: skip
        is_whole = bool(self.interest_kind) == bool(self.interest)
        if not is_whole or self.interest_kind not in ("", *InterestKind.values):
            raise ProspectInvalidError(
                "prospect_interest_invalid", _("Say what the interest is in, and its kind."),
                field="interest",
            )  # fmt: skip
        if self.consent is not None and self.consent.checked().purpose != MARKETING:
            raise ProspectInvalidError(
                "prospect_consent_purpose", _("Prospects are asked about marketing only."),
                field="consent",
            )  # fmt: skip


def enter(
    *, wanted: NewProspect, touchpoint: Touchpoint | None, actor: str, at: datetime
) -> Entered:
    """Keep a prospect, or add what is new to the one that is known; a member is left alone.

    Sending it again changes nothing but how long the prospect is kept. What leads to two prospects
    is never merged: the older one is meant, and the other keeps its contact.
    Raises: ProspectInvalidError, ConsentInvalidError.
    """
    wanted.check()
    with transaction.atomic():
        identity.lock_values(wanted.contacts)
        if identity.find(wanted.contacts):
            return Entered.MEMBER
        known = _locked_by(wanted.contacts)
        if known is None:
            try:
                with transaction.atomic():
                    _make(wanted, touchpoint, actor, at)
            except IntegrityError:
                # Somebody has entered the same contact meanwhile.
                known = _locked_by(wanted.contacts)
                if known is None:
                    raise
            else:
                return Entered.NEW
        return Entered.MEMBER if known.converted_at else _add(known, wanted, at)


def _make(wanted: NewProspect, touchpoint: Touchpoint | None, actor: str, at: datetime) -> None:
    made = Prospect(
        source=wanted.source, interest_kind=wanted.interest_kind, interest=wanted.interest,
        language=wanted.language, referred_by_id=wanted.referred_by, touchpoint=touchpoint,
        entered_by=actor, created_at=at, expires_at=_kept_until(at),
    )  # fmt: skip
    data_key, row = crypto.new_key(made.public_id)
    made.wrapped, made.master_version = row.wrapped, row.master_version
    _take_consent(made, data_key, wanted.consent, at)
    made.save(force_insert=True)
    _write_contacts(made, data_key, wanted.contacts)


def _add(known: Prospect, wanted: NewProspect, at: datetime) -> Entered:
    data_key = key_of(known)
    known.expires_at = max(known.expires_at, _kept_until(at))
    if wanted.interest:
        known.interest_kind, known.interest = wanted.interest_kind, wanted.interest
    known.language = wanted.language or known.language
    if known.referred_by_id is None:
        known.referred_by_id = wanted.referred_by
    _take_consent(known, data_key, wanted.consent, at)
    known.save()
    held = set(known.contacts.values_list("kind", flat=True))
    taken = _contacts_by(wanted.contacts)
    hashes = {(row.kind, bytes(row.value_hash)) for row in taken}
    free = [
        key
        for key in wanted.contacts
        if key[0] not in held
        and not {(key[0], each) for each in crypto.identifier_hashes(*key)} & hashes
    ]
    _write_contacts(known, data_key, free)
    return Entered.KNOWN


def _kept_until(at: datetime) -> datetime:
    return at + timedelta(days=settings.LOYALTY_PROSPECTS_KEPT_DAYS)


def _take_consent(
    prospect: Prospect, data_key: bytes, said: ConsentDecision | None, at: datetime
) -> None:
    """Note the newest word; one that comes late never undoes a later one."""
    if said is None:
        return
    given_at = min(said.given_at or at, at)
    if not said.granted:
        prospect.opted_out_at = max(prospect.opted_out_at or given_at, given_at)
    elif prospect.consented_at is None or given_at > prospect.consented_at:
        prospect.consented_at = given_at
        prospect.consent_version, prospect.consent_source = said.text_version, said.source
        prospect.sealed_evidence = (
            sealing.seal(data_key, said.evidence.encode(), prospect.public_id, EVIDENCE)
            if said.evidence
            else None
        )


def _write_contacts(prospect: Prospect, data_key: bytes, contacts: Sequence[Key]) -> None:
    current = crypto.keyring().current.version
    ProspectContact.objects.bulk_create(
        [
            ProspectContact(
                prospect=prospect, kind=kind, hash_version=current, tail4=tail_of(kind, normal),
                sealed=sealing.seal(
                    data_key, normal.encode(), prospect.public_id, crypto.field_of(kind, app)
                ),
                value_hash=crypto.identifier_hash(kind, app, normal),
            )
            for kind, app, normal in contacts
        ]
    )  # fmt: skip


def _contacts_by(contacts: Collection[Key]) -> list[ProspectContact]:
    """Return the contacts that are kept already, under whichever key they were hashed."""
    known = identity.known_hashes(contacts)
    hashes = [value_hash for _kind, _app, value_hash in known]
    rows = ProspectContact.objects.filter(value_hash__in=hashes).order_by("prospect_id")
    return [row for row in rows if (row.kind, "", bytes(row.value_hash)) in known]


def _locked_by(contacts: Collection[Key]) -> Prospect | None:
    found = lock({row.prospect_id for row in _contacts_by(contacts)})
    return next(iter(found.values()), None)


def lock_known(contacts: Collection[Key]) -> None:
    """Lock all prospects that contacts lead to, before these are entered one after the other.

    In one order, whatever theirs is: or two files at once could wait for each other.
    """
    identity.lock_values(contacts)
    _locked_by(contacts)


def lock(prospect_ids: Collection[int]) -> dict[int, Prospect]:
    """Return prospects that can still be reached, locked until the transaction is over, by id."""
    rows = Prospect.objects.known().filter(pk__in=prospect_ids).order_by("pk")
    locked = rows.select_for_update(no_key=True, of=("self",))
    return {row.pk: row for row in locked}


def key_of(prospect: Prospect) -> bytes:
    """Return the data key of a prospect that is not forgotten. Raises: SealBrokenError."""
    assert prospect.wrapped is not None
    return crypto.open_key(prospect.public_id, bytes(prospect.wrapped), prospect.master_version)


def contacts_of(prospects: Collection[Prospect]) -> dict[int, dict[str, str]]:
    """Return the readable contacts of prospects by kind. One statement. Raises: SealBrokenError."""
    known = {each.pk: each for each in prospects if each.wrapped is not None}
    found: dict[int, dict[str, str]] = {each.pk: {} for each in prospects}
    for row in ProspectContact.objects.filter(prospect__in=known).order_by("pk"):
        owner = known[row.prospect_id]
        name = crypto.field_of(row.kind, "")
        plain = sealing.unseal(key_of(owner), bytes(row.sealed), owner.public_id, name)
        found[owner.pk][row.kind] = plain.decode()
    return found


def of_members(member_ids: Collection[int]) -> list[Prospect]:
    """Return the prospects that lead to members by phone or e-mail, and have not joined."""
    refs = identity.awaited_hashes(member_ids)
    rows = ProspectContact.objects.filter(value_hash__in=[each[2] for each in refs])
    owners = {row.prospect_id for row in rows if (row.kind, "", bytes(row.value_hash)) in refs}
    found = Prospect.objects.known().filter(pk__in=owners, converted_at__isnull=True)
    return list(found.order_by("pk"))


@transaction.atomic
def convert(*, member_id: int, at: datetime) -> list[Prospect]:
    """Note that whoever these prospects were has become a member; return those that had not yet.

    They are read again under their locks: of two members at once one has each of them.
    """
    known = lock([each.pk for each in of_members([member_id])])
    found = [each for each in known.values() if each.converted_at is None]
    for prospect in found:
        prospect.converted_to_id, prospect.converted_at = member_id, at
        prospect.save(update_fields=["converted_to", "converted_at"])
    return found


@transaction.atomic
def opt_out(*, prospect_id: int, at: datetime, given_at: datetime | None = None) -> bool:
    """Note that a prospect wants no more marketing; tell whether that was news."""
    prospect = lock([prospect_id]).get(prospect_id)
    if prospect is None:
        return False
    said_at = min(given_at or at, at)
    if prospect.opted_out_at is not None and prospect.opted_out_at >= said_at:
        return False
    prospect.opted_out_at = said_at
    prospect.save(update_fields=["opted_out_at"])
    return True


def find(contact: Key) -> int | None:
    """Return the prospect that a contact leads to."""
    return next((row.prospect_id for row in _contacts_by([contact])), None)
