"""Making the rows of new members, many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from members.domain.card import new_card_number
from members.domain.enrolment import Key
from members.domain.personal import Personal
from members.domain.public_id import new_public_id
from members.models import (
    AttributeChange,
    Identifier,
    IdentifierKind,
    Member,
    MemberKey,
    MemberProfile,
    Touchpoint,
)
from members.services import crypto, profile
from members.services.identity import IdentifierRow


@dataclass(frozen=True, slots=True)
class Newcomer:
    """One person who becomes a member."""

    keys: Sequence[Key]
    personal: Personal
    attributes: Mapping[str, Any]
    channel: str
    store_id: int | None
    staff: str
    joined_at: datetime


def found(
    newcomers: Sequence[Newcomer], *, touchpoint: Touchpoint | None, at: datetime
) -> list[Member]:
    """Write member, key, profile and identifiers of each newcomer; return the members in order.

    Four statements for any number, one more where anyone has attributes. Identifiers are written
    in the order of their hashes, so that two batches that share some wait for each other and never
    in a circle.
    Raises: IntegrityError when an identifier or a card number has been taken meanwhile.
    """
    members = [_member(newcomer, touchpoint, at) for newcomer in newcomers]
    Member.objects.bulk_create(members)
    rows: list[IdentifierRow] = []
    keys: list[MemberKey] = []
    profiles: list[MemberProfile] = []
    history: list[AttributeChange] = []
    for newcomer, member in zip(newcomers, members, strict=True):
        data_key, key = crypto.new_key(member.public_id)
        key.member = member
        keys.append(key)
        known = profile.build(member.pk, member.public_id, data_key, newcomer.personal)
        known.attributes = dict(newcomer.attributes)
        profiles.append(known)
        history += profile.attribute_changes(member.pk, {}, newcomer.attributes, newcomer.joined_at)
        own_card = (IdentifierKind.CARD.value, "", member.card_number)
        rows.append(IdentifierRow(member, data_key, own_card, is_own_card=True))
        rows.extend(IdentifierRow(member, data_key, value) for value in newcomer.keys)
    MemberKey.objects.bulk_create(keys)
    MemberProfile.objects.bulk_create(profiles)
    AttributeChange.objects.bulk_create(history)
    _write_identifiers(rows, at)
    return members


def attach(
    additions: Sequence[tuple[Member, Sequence[Key]]],
    *,
    at: datetime,
    are_own_cards: bool = False,
) -> None:
    """Write further identifiers of members that the caller has locked.

    `are_own_cards`: the numbers stand on the members too and are not kept twice.
    Raises: IntegrityError when one has been taken meanwhile.
    """
    if not additions:
        return
    data_keys = crypto.data_keys([member.pk for member, _values in additions])
    rows = [
        IdentifierRow(member, data_keys[member.pk][1], value, are_own_cards)
        for member, values in additions
        for value in values
    ]
    _write_identifiers(rows, at)


def _member(newcomer: Newcomer, touchpoint: Touchpoint | None, at: datetime) -> Member:
    return Member(
        public_id=new_public_id(at),
        card_number=new_card_number(),
        joined_at=newcomer.joined_at,
        channel=newcomer.channel,
        touchpoint=touchpoint,
        home_store_id=newcomer.store_id,
        enrolled_by=newcomer.staff,
        created_at=at,
    )


def _write_identifiers(rows: Sequence[IdentifierRow], at: datetime) -> None:
    built = [row.build(at) for row in rows]
    built.sort(key=lambda row: (bytes(row.value_hash), row.kind, row.app))
    Identifier.objects.bulk_create(built)
