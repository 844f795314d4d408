"""From identifiers to members: normal forms, look-up hashes, and the one query that resolves."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models.expressions import RawSQL

from members.domain.enrolment import Key
from members.domain.identifiers import IdentifierInvalid, normalise, tail_of
from members.domain.sealing import seal
from members.models import Identifier, IdentifierKind, Member
from members.services import crypto

HashKey = tuple[str, str, bytes]
"""An identifier as it is stored: kind, app, look-up hash."""

LOCK_SPACE = 0x1D
LOCK_BUCKETS = 1024

__all__ = [
    "HashKey",
    "IdentifierInvalid",
    "IdentifierRow",
    "awaited_hashes",
    "find",
    "hash_value",
    "is_same_person",
    "known_hashes",
    "lineage",
    "lineages",
    "lock_values",
    "normalise",
    "resolve",
    "resolve_public_ids",
]

# Merged members lead to their survivor, however often that one was merged again. UNION (not ALL)
# ends the walk even if rows were corrupted into a circle.
_RESOLVE = """
WITH RECURSIVE asked (kind, app, value_hash) AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[])
), found (kind, app, value_hash, member_id, merged_into_id) AS (
    SELECT a.kind, a.app, a.value_hash, m.id, m.merged_into_id
    FROM asked a
    JOIN members_identifier i
      ON i.value_hash = a.value_hash AND i.kind = a.kind AND i.app = a.app AND i.ended_at IS NULL
    JOIN members_member m ON m.id = i.member_id
    UNION
    SELECT f.kind, f.app, f.value_hash, m.id, m.merged_into_id
    FROM found f JOIN members_member m ON m.id = f.merged_into_id
)
SELECT kind, app, value_hash, member_id FROM found WHERE merged_into_id IS NULL
"""

_RESOLVE_PUBLIC = """
WITH RECURSIVE found (asked, member_id, merged_into_id) AS (
    SELECT m.public_id, m.id, m.merged_into_id FROM members_member m
    WHERE m.public_id = ANY(%s::uuid[]) AND m.status <> 'erased'
    UNION
    SELECT f.asked, m.id, m.merged_into_id
    FROM found f JOIN members_member m ON m.id = f.merged_into_id
)
SELECT asked, member_id FROM found WHERE merged_into_id IS NULL
"""

_LINEAGE = """
WITH RECURSIVE line (id) AS (
    SELECT %s::bigint
    UNION
    SELECT m.id FROM members_member m JOIN line ON m.merged_into_id = line.id
)
SELECT id FROM line ORDER BY id
"""


_LINEAGES = """
WITH RECURSIVE line (survivor, id) AS (
    SELECT asked, asked FROM unnest(%s::bigint[]) AS asked
    UNION
    SELECT line.survivor, m.id FROM members_member m JOIN line ON m.merged_into_id = line.id
)
SELECT survivor, id FROM line ORDER BY survivor, id
"""


def hash_value(kind: str, app: str, normalised: str) -> bytes:
    """Return the look-up hash of a normalised value under the current key."""
    return crypto.identifier_hash(kind, app, normalised)


def known_hashes(values: Iterable[Key]) -> dict[HashKey, Key]:
    """Return every hash under which the values may be stored, with the value it stands for."""
    return {
        (kind, app, value_hash): (kind, app, normal)
        for kind, app, normal in values
        for value_hash in crypto.identifier_hashes(kind, app, normal)
    }


def lineages(member_ids: Collection[int]) -> dict[int, list[int]]:
    """Return for each member itself and all members that were merged into it. One statement."""
    lines: dict[int, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LINEAGES, [sorted(set(member_ids))])
        for survivor, member_id in cursor.fetchall():
            lines.setdefault(survivor, []).append(member_id)
    return lines


def resolve(refs: Collection[HashKey]) -> dict[HashKey, int]:
    """Return the member that each look-up hash leads to; those that lead to nobody are absent.

    One statement. Values hashed here under the current key alone are not found while a rotation
    is under way: resolve values with `find`.
    """
    if not refs:
        return {}
    kinds, apps, hashes = zip(*sorted(set(refs)), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_RESOLVE, [list(kinds), list(apps), list(hashes)])
        rows = cursor.fetchall()
    return {(kind, app, bytes(value_hash)): member_id for kind, app, value_hash, member_id in rows}


def find(values: Collection[Key]) -> dict[Key, int]:
    """Return the member that each normalised value leads to, whichever key it was hashed under.

    One statement. Source: MEM-03.
    """
    names = known_hashes(values)
    return {names[ref]: member_id for ref, member_id in resolve(names).items()}


def resolve_public_ids(public_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the members of public ids, survivors for merged ones; erased ones are nobody."""
    if not public_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_RESOLVE_PUBLIC, [list(set(public_ids))])
        return dict(cursor.fetchall())


def lineage(member_id: int) -> list[int]:
    """Return the member and all members that were merged into it, by id."""
    with connection.cursor() as cursor:
        cursor.execute(_LINEAGE, [member_id])
        return [row[0] for row in cursor.fetchall()]


def is_same_person(one: int, other: int) -> bool:
    """Say whether one member is the other, or was merged into the other."""
    return one in lineage(other) or other in lineage(one)


def lineage_subquery(member_id: int) -> RawSQL:
    """Return the member and all that were merged into it, to be used within another query."""
    return RawSQL(_LINEAGE, [member_id])  # noqa: S611 - a constant with a parameter


def lock_values(values: Iterable[Key]) -> None:
    """Keep others from enrolling these values until the transaction ends, during a rotation.

    The unique constraint compares hashes of one key only. While two keys are configured, processes
    may write under either, so the values are locked by their hash under the oldest key, which all
    of them know. With one key this does nothing.
    """
    if len(crypto.keyring().keys) < 2:
        return
    oldest = [crypto.identifier_hashes(*value)[-1] for value in values]
    buckets = sorted({int.from_bytes(value[:4]) % LOCK_BUCKETS for value in oldest})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, bucket) FROM unnest(%s::int[]) AS bucket",
            [LOCK_SPACE, buckets],
        )


def awaited_hashes(member_ids: Collection[int]) -> dict[HashKey, int]:
    """Return every hash under which facts may have waited for these members, with the member."""
    rows = Identifier.objects.filter(member_id__in=member_ids, ended_at__isnull=True)
    if len(crypto.keyring().keys) < 2:
        stored = rows.values_list("kind", "app", "value_hash", "member_id")
        return {(kind, app, bytes(value)): member for kind, app, value, member in stored}
    keys = crypto.data_keys(member_ids)
    return {
        ref: row.member_id
        for row in rows.select_related("member")
        if row.member_id in keys
        for ref in known_hashes([(row.kind, row.app, crypto.value_of(row, *keys[row.member_id]))])
    }


@dataclass(frozen=True, slots=True)
class IdentifierRow:
    """What is needed to write one identifier of one member."""

    member: Member
    data_key: bytes
    key: Key
    is_own_card: bool = False

    def build(self, at: datetime) -> Identifier:
        """Return the row to insert; the member's own card number is not kept twice."""
        kind, app, normal = self.key
        name = crypto.field_of(kind, app)
        own = self.is_own_card and kind == IdentifierKind.CARD
        public_id = self.member.public_id
        return Identifier(
            member=self.member,
            kind=kind,
            app=app,
            sealed=None if own else seal(self.data_key, normal.encode(), public_id, name),
            value_hash=crypto.identifier_hash(kind, app, normal),
            hash_version=crypto.keyring().current.version,
            tail4=tail_of(kind, normal),
            from_at=at,
        )
