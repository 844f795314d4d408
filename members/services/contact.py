"""Changing how a member is reached and recognised: a new phone, a new card.

The old one ends and is kept, so that staff can tell what has become of it; it leads to nobody.
`rewards.services.contact` calls these and lets facts that waited for the new one meet the member.
"""

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain.card import new_card_number
from members.domain.enrolment import Key
from members.domain.sealing import seal
from members.models import Identifier, IdentifierKind, Member, MemberStatus
from members.services import crypto, events, founding, identity, notes

PHONE_CHANGED: Final = "member.phone_changed"
CARD_REPLACED: Final = "member.card_replaced"
OPEN: Final = frozenset({MemberStatus.ACTIVE, MemberStatus.FROZEN})


class ContactError(DomainError):
    """A phone or card cannot be given to this member."""


class IdentifierTakenError(ContactError):
    """The phone or card leads to somebody else; `member` is that one's database id."""

    def __init__(self, kind: str, member: int) -> None:
        super().__init__(
            "identifier_taken",
            _("This phone or card belongs to another member."),
            409,
            kind=kind,
            member=member,
        )


@transaction.atomic
def change_phone(
    *, member_id: int, phone: str, verified_by: str, reason: str, actor: str, at: datetime
) -> Member:
    """Let a new phone lead to the member and the old one to nobody; consents stay as they are.

    Raises: IdentifierInvalid, IdentifierTakenError, ContactError.
    Source: STF-06, MEM-03.
    """
    member = _locked(member_id)
    key: Key = (IdentifierKind.PHONE.value, "", identity.normalise(IdentifierKind.PHONE, phone))
    _refuse_taken(key, member_id)
    ended = _end(member_id, IdentifierKind.PHONE, at)
    _attach(member, key, at)
    payload = {"had_one": ended > 0, **_act(member_id, verified_by, reason, actor)}
    events.append([events.NewEvent(member_id, PHONE_CHANGED, at, at, payload)])
    return member


@transaction.atomic
def replace_card(
    *,
    member_id: int,
    verified_by: str,
    reason: str,
    actor: str,
    at: datetime,
    card_number: str = "",
) -> Member:
    """Give the member another card, a new number where none is named; the old ones end.

    Raises: IdentifierInvalid, IdentifierTakenError, ContactError.
    Source: STF-06.
    """
    member = _locked(member_id)
    number = card_number or new_card_number()
    key: Key = (IdentifierKind.CARD.value, "", identity.normalise(IdentifierKind.CARD, number))
    _refuse_taken(key, member_id)
    if Member.objects.filter(card_number=key[2]).exists():
        raise ContactError("card_number_used", _("This card number was given out before."), 409)
    _keep_old_number(member)
    _end(member_id, IdentifierKind.CARD, at)
    member.card_number = key[2]
    member.save(update_fields=["card_number"])
    _attach(member, key, at, is_own_card=True)
    payload = _act(member_id, verified_by, reason, actor)
    events.append([events.NewEvent(member_id, CARD_REPLACED, at, at, payload)])
    return member


def _locked(member_id: int) -> Member:
    rows = Member.objects.select_for_update(of=("self",), no_key=True)
    member = rows.filter(pk=member_id).first()
    if member is None or member.status not in OPEN:
        raise ContactError("member_not_open", _("The membership is not open."), 409)
    return member


def _refuse_taken(key: Key, member_id: int) -> None:
    identity.lock_values([key])
    holder = identity.find([key]).get(key)
    if holder == member_id:
        raise ContactError("identifier_same", _("The member has this one already."), 409)
    if holder is not None:
        raise IdentifierTakenError(key[0], holder)


def _end(member_id: int, kind: IdentifierKind, at: datetime) -> int:
    rows = Identifier.objects.filter(member_id=member_id, kind=kind, ended_at__isnull=True)
    return rows.update(ended_at=at)


def _keep_old_number(member: Member) -> None:
    """Seal the number that until now stood on the member alone, beside its ended identifier."""
    public_id, data_key = crypto.data_keys([member.pk])[member.pk]
    name = crypto.field_of(IdentifierKind.CARD, "")
    sealed = seal(data_key, member.card_number.encode(), public_id, name)
    rows = Identifier.objects.filter(
        member=member, kind=IdentifierKind.CARD, ended_at__isnull=True, sealed__isnull=True
    )
    rows.update(sealed=sealed)


def _attach(member: Member, key: Key, at: datetime, *, is_own_card: bool = False) -> None:
    """Attach the identifier; whoever took it meanwhile is told of as if it had been there.

    Raises: IdentifierTakenError.
    """
    try:
        with transaction.atomic():
            founding.attach([(member, [key])], at=at, are_own_cards=is_own_card)
    except IntegrityError as error:
        holder = identity.find([key]).get(key)
        raise IdentifierTakenError(key[0], holder or 0) from error


def _act(member_id: int, verified_by: str, reason: str, actor: str) -> dict[str, Any]:
    return {
        "verified_by": verified_by,
        "note": notes.seal(member=member_id, text=reason),
        "actor": actor,
    }
