"""Members' personal values: sealed in the database, readable here and nowhere else."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from members.domain.masking import mask_value
from members.domain.personal import Personal, name_key, pack, unpack
from members.domain.sealing import seal, unseal
from members.models import AttributeChange, Identifier, MemberProfile
from members.services import attributes as declarations
from members.services import crypto, events

CHANGED: Final = "member.profile_changed"
MAX_MASK_LENGTH: Final = 64
_FIELDS: Final = ["sealed", "name_hash", "name_mask", "birth_month", "birth_day", "attributes"]

_FIRST_PURCHASES = """
UPDATE members_memberprofile p SET first_purchase_on = d.first_on
FROM unnest(%s::bigint[], %s::date[]) AS d (member_id, first_on)
WHERE p.member_id = d.member_id AND p.first_purchase_on IS DISTINCT FROM d.first_on
"""


@dataclass(frozen=True, slots=True)
class ReadIdentifier:
    """One active identifier, readable; `mask` is what others are shown."""

    kind: str
    app: str
    value: str = field(repr=False)
    mask: str
    since: datetime


def build(member_id: int, public_id: UUID, data_key: bytes, personal: Personal) -> MemberProfile:
    """Return the profile row of a new member, to be inserted."""
    return _fill(MemberProfile(member_id=member_id), public_id, data_key, personal)


def read(member_id: int) -> Personal:
    """Return what is known of a member; nothing, when the member was erased."""
    return read_many([member_id]).get(member_id, Personal())


def read_many(member_ids: Collection[int]) -> dict[int, Personal]:
    """Return what is known of members; erased ones are absent."""
    keys = crypto.data_keys(member_ids)
    rows = MemberProfile.objects.filter(member_id__in=keys).values_list("member_id", "sealed")
    return {member_id: _opened(sealed, *keys[member_id]) for member_id, sealed in rows}


def read_identifiers(member_ids: Collection[int]) -> dict[int, list[ReadIdentifier]]:
    """Return the active identifiers of members, readable, oldest first."""
    keys = crypto.data_keys(member_ids)
    rows = (
        Identifier.objects.filter(member_id__in=keys, ended_at__isnull=True)
        .select_related("member")
        .order_by("member_id", "id")
    )
    found: dict[int, list[ReadIdentifier]] = {}
    for row in rows:
        value = crypto.value_of(row, *keys[row.member_id])
        mask = mask_value(row.kind, value)
        item = ReadIdentifier(row.kind, row.app, value, mask, row.from_at)
        found.setdefault(row.member_id, []).append(item)
    return found


@transaction.atomic
def update(
    *,
    member_id: int,
    at: datetime,
    actor: str,
    values: Mapping[str, Any] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> bool:
    """Change the given personal values and attributes; tell whether anything changed.

    `values` names fields of `Personal`; an attribute of None is removed.
    Raises: AttributeInvalidError.
    """
    if attributes:
        declarations.check(attributes, declarations.declared())

    def changed(known: Personal, kept: Mapping[str, Any]) -> tuple[Personal, Mapping[str, Any]]:
        merged = {**kept, **(attributes or {})}
        left = {name: value for name, value in merged.items() if value is not None}
        return replace(known, **(values or {})), left

    return bool(_change({member_id: changed}, at=at, actor=actor))


@transaction.atomic
def fill_gaps(
    offered: Mapping[int, tuple[Personal, Mapping[str, Any]]], *, at: datetime, actor: str
) -> list[int]:
    """Add what was not known yet; known values stay. Return the members whose profile changed."""
    changes = {member_id: _filling(*given) for member_id, given in offered.items()}
    return _change(changes, at=at, actor=actor)


def set_first_purchases(days: Mapping[int, date | None]) -> None:
    """Set the day of each member's first purchase; None where no purchase is left.

    One statement. Source: MEM-14.
    """
    if not days:
        return
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_PURCHASES, [list(days), list(days.values())])


def attribute_changes(
    member_id: int, before: Mapping[str, Any], after: Mapping[str, Any], at: datetime
) -> list[AttributeChange]:
    """Return the rows that say what became of the attributes at an instant, to be inserted."""
    return [
        AttributeChange(member_id=member_id, name=name, value=after.get(name), at=at)
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


_Change = Callable[[Personal, Mapping[str, Any]], tuple[Personal, Mapping[str, Any]]]


def _filling(personal: Personal, attributes: Mapping[str, Any]) -> _Change:
    return lambda known, kept: (known.filled_from(personal), {**attributes, **kept})


def _change(changes: Mapping[int, _Change], *, at: datetime, actor: str) -> list[int]:
    if not changes:
        return []
    rows = MemberProfile.objects.filter(member_id__in=changes).order_by("member_id")
    locked = list(rows.select_for_update(no_key=True, of=("self",)))
    # Keys are read only now: who was erased while this waited for the lock has none any more.
    keys = crypto.data_keys(changes)
    touched, history = [], list[AttributeChange]()
    for row in locked:
        if row.member_id not in keys:
            continue
        public_id, data_key = keys[row.member_id]
        before = _opened(row.sealed, public_id, data_key), dict(row.attributes)
        after, attributes = changes[row.member_id](*before)
        if (after, dict(attributes)) != before:
            history += attribute_changes(row.member_id, row.attributes, attributes, at)
            row.attributes = dict(attributes)
            touched.append(_fill(row, public_id, data_key, after))
    MemberProfile.objects.bulk_update(touched, _FIELDS)
    AttributeChange.objects.bulk_create(history)
    members = [row.member_id for row in touched]
    events.append([events.NewEvent(m, CHANGED, at, at, {"actor": actor}) for m in members])
    return members


def _opened(sealed: Any, public_id: UUID, data_key: bytes) -> Personal:
    if sealed is None:
        return Personal()
    return unpack(unseal(data_key, bytes(sealed), public_id, crypto.PROFILE))


def _fill(
    row: MemberProfile, public_id: UUID, data_key: bytes, personal: Personal
) -> MemberProfile:
    """Put the sealed values, and what may be searched without reading them, into the row."""
    packed = None if personal.is_empty else pack(personal)
    row.sealed = seal(data_key, packed, public_id, crypto.PROFILE) if packed else None
    row.name_hash = crypto.name_hashes(personal.name)[0] if name_key(personal.name) else None
    row.name_mask = personal.name_mask[:MAX_MASK_LENGTH]
    row.birth_month = personal.birthday.month if personal.birthday else None
    row.birth_day = personal.birthday.day if personal.birthday else None
    return row
