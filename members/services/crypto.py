"""The installation's keys at work: members' data keys, look-up hashes, and their rotation.

Rotation: configure the new key in front of the current one everywhere (both read), then move it to
the end (it becomes current), run `rotate_keys`, and take the old one out when no fact waits any
more for an identifier that was hashed under it (the days within which purchases may be claimed).
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from members.domain import personal, sealing
from members.models import Identifier, IdentifierKind, Member, MemberKey, MemberProfile

PROFILE = "profile"
ROTATION_BATCH = 500


@lru_cache(maxsize=4)
def _parsed(text: str) -> sealing.Keyring:
    return sealing.parse_keyring(text)


def keyring() -> sealing.Keyring:
    """Return the configured keys."""
    return _parsed(settings.LOYALTY_KEYS)


def new_key(member: UUID) -> tuple[bytes, MemberKey]:
    """Make a data key; return it, and its row without the member's database id."""
    data_key = sealing.new_data_key()
    current = keyring().current
    wrapped = sealing.wrap(current, data_key, member)
    return data_key, MemberKey(wrapped=wrapped, master_version=current.version)


def data_keys(member_ids: Collection[int]) -> dict[int, tuple[UUID, bytes]]:
    """Return the public id and the data key of each member that still has one.

    Raises: SealBrokenError, KeyringInvalidError.
    """
    rows = MemberKey.objects.filter(member_id__in=member_ids).values_list(
        "member_id", "member__public_id", "wrapped", "master_version"
    )
    ring = keyring()
    return {
        member_id: (public_id, sealing.unwrap(ring.of(version), bytes(wrapped), public_id))
        for member_id, public_id, wrapped, version in rows
    }


def open_key(member: UUID, wrapped: bytes, version: int) -> bytes:
    """Return a member's data key from its row, where that was read with something else.

    Raises: SealBrokenError, KeyringInvalidError.
    """
    return sealing.unwrap(keyring().of(version), wrapped, member)


def field_of(kind: str, app: str) -> str:
    """Return the name of the sealed field that holds an identifier."""
    return f"identifier\0{kind}\0{app}"


def identifier_hashes(kind: str, app: str, normal: str) -> list[bytes]:
    """Return the look-up hashes of an identifier under every configured key, current first."""
    return [
        sealing.keyed_hash(key, "identifier", kind, app, normal) for key in keyring().newest_first
    ]


def identifier_hash(kind: str, app: str, normal: str) -> bytes:
    """Return the look-up hash of an identifier under the current key."""
    return sealing.keyed_hash(keyring().current, "identifier", kind, app, normal)


def name_hashes(name: str) -> list[bytes]:
    """Return the look-up hashes of a name under every configured key, current first."""
    folded = personal.name_key(name)
    return [sealing.keyed_hash(key, "name", folded) for key in keyring().newest_first]


def rotate(*, after_id: int = 0, limit: int = ROTATION_BATCH) -> int | None:
    """Bring the next members by id under the current key; return the last id, None at the end.

    Running it again changes nothing. Erased members have no key and nothing left to rotate.
    """
    with transaction.atomic():
        ids = list(
            Member.objects.filter(id__gt=after_id, key__isnull=False)
            .order_by("id")
            .values_list("id", flat=True)[:limit]
        )
        keys = MemberKey.objects.filter(member_id__in=ids).order_by("member_id")
        held = {key.member_id: key for key in keys.select_for_update(no_key=True, of=("self",))}
        opened = data_keys(held)
        _rewrap(held, opened)
        _rehash_identifiers(opened)
        _rehash_names(opened)
    return ids[-1] if ids else None


def value_of(identifier: Identifier, public_id: UUID, data_key: bytes) -> str:
    """Return the readable value; a member's own card number stands on the member.

    Raises: SealBrokenError.
    """
    if identifier.sealed is None:
        return identifier.member.card_number if identifier.kind == IdentifierKind.CARD else ""
    name = field_of(identifier.kind, identifier.app)
    return sealing.unseal(data_key, bytes(identifier.sealed), public_id, name).decode()


def _rewrap(held: Mapping[int, MemberKey], opened: Mapping[int, tuple[UUID, bytes]]) -> None:
    current = keyring().current
    stale = [key for key in held.values() if key.master_version != current.version]
    for key in stale:
        public_id, data_key = opened[key.member_id]
        key.wrapped = sealing.wrap(current, data_key, public_id)
        key.master_version = current.version
    MemberKey.objects.bulk_update(stale, ["wrapped", "master_version"])


def _rehash_identifiers(opened: Mapping[int, tuple[UUID, bytes]]) -> None:
    current = keyring().current
    stale = list(
        Identifier.objects.filter(~Q(hash_version=current.version), member_id__in=opened)
        .filter(ended_at__isnull=True)
        .select_related("member")
        .select_for_update(no_key=True, of=("self",))
        .order_by("id")
    )
    for identifier in stale:
        normal = value_of(identifier, *opened[identifier.member_id])
        identifier.value_hash = identifier_hash(identifier.kind, identifier.app, normal)
        identifier.hash_version = current.version
    Identifier.objects.bulk_update(stale, ["value_hash", "hash_version"])


def _rehash_names(opened: Mapping[int, tuple[UUID, bytes]]) -> None:
    profiles = MemberProfile.objects.filter(member_id__in=opened, name_hash__isnull=False)
    changed = []
    for profile in profiles.select_for_update(no_key=True).order_by("member_id"):
        public_id, data_key = opened[profile.member_id]
        sealed = bytes(profile.sealed or b"")
        name = personal.unpack(sealing.unseal(data_key, sealed, public_id, PROFILE)).name
        current = name_hashes(name)[0]
        if bytes(profile.name_hash or b"") != current:
            profile.name_hash = current
            changed.append(profile)
    MemberProfile.objects.bulk_update(changed, ["name_hash"])
