"""Touchpoints, the sources they own, and the stores they name."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Channel, OnUnknown, SpendNeeds, Touchpoint

_Read = Callable[[list[str]], dict[str, int]]

MAX_REMEMBERED: Final = 100_000

TILL_FREE_POINTS: Final = 2_000
"""What a till spends without a member code, unless it is told otherwise."""

# What became known in committed transactions. Neither owners of sources nor ids of stores ever
# change, so what is remembered stays true; several databases may be used by one process.
_owners: dict[tuple[str, str], int] = {}
_stores: dict[tuple[str, str], int] = {}

_OWN = """
WITH known AS (
    SELECT code, touchpoint_id FROM members_source WHERE code = ANY(%(codes)s::text[])
), taken AS (
    INSERT INTO members_source (code, touchpoint_id)
    SELECT code, %(touchpoint)s FROM unnest(%(codes)s::text[]) AS code
    WHERE code NOT IN (SELECT code FROM known)
    ORDER BY code
    ON CONFLICT (code) DO NOTHING
    RETURNING code, touchpoint_id
)
SELECT code, touchpoint_id FROM known UNION ALL SELECT code, touchpoint_id FROM taken
"""

_KEEP_STORES = """
WITH known AS (
    SELECT code, id FROM members_store WHERE code = ANY(%(codes)s::text[])
), added AS (
    INSERT INTO members_store (code, name)
    SELECT code, '' FROM unnest(%(codes)s::text[]) AS code
    WHERE code NOT IN (SELECT code FROM known)
    ORDER BY code
    ON CONFLICT (code) DO NOTHING
    RETURNING code, id
)
SELECT code, id FROM known UNION ALL SELECT code, id FROM added
"""


class TouchpointDiffersError(DomainError):
    """A touchpoint of this code exists with another channel."""

    def __init__(self, code: str, channel: str) -> None:
        super().__init__(
            "touchpoint_differs",
            _("A touchpoint of this name exists with another channel."),
            409,
            touchpoint=code,
            channel=channel,
        )


def create_or_reuse(
    *,
    code: str,
    channel: Channel,
    at: datetime,
    store: str = "",
    on_unknown: OnUnknown | None = None,
) -> Touchpoint:
    """Return the touchpoint of this code, made if missing; what is given of its policies is set.

    A new till asks for a member code when more than 2,000 points are spent at once.
    Raises: TouchpointDiffersError.
    """
    with transaction.atomic():
        presence = {}
        if channel == Channel.POS:
            presence = {
                "spend_needs": SpendNeeds.MEMBER_CODE,
                "spend_free_points": TILL_FREE_POINTS,
            }
        touchpoint, created = Touchpoint.objects.get_or_create(
            code=code, defaults={"name": code, "channel": channel, "created_at": at, **presence}
        )
        if not created and touchpoint.channel != channel:
            raise TouchpointDiffersError(code, touchpoint.channel)
        if store:
            touchpoint.store_id = store_ids([store])[store]
        if on_unknown is not None:
            touchpoint.on_unknown = on_unknown
        touchpoint.save(update_fields=["store", "on_unknown"])
    return touchpoint


def own_sources(touchpoint_id: int, codes: Collection[str]) -> set[str]:
    """Take the sources that nobody owns yet; return those that belong to other touchpoints.

    No statement when all are remembered, one when all are known, two after a lost race.
    Source: design §5.1(4).
    """
    owners = _known_or_kept(
        _owners, codes, lambda missing: _query(_OWN, codes=missing, touchpoint=touchpoint_id)
    )
    return {code for code, owner in owners.items() if owner != touchpoint_id}


def store_ids(codes: Iterable[str]) -> dict[str, int]:
    """Return the stores of these codes, made where tills name them for the first time."""
    wanted = {code for code in codes if code}
    return _known_or_kept(_stores, wanted, lambda missing: _query(_KEEP_STORES, codes=missing))


def _known_or_kept(
    memory: dict[tuple[str, str], int], codes: Collection[str], read: _Read
) -> dict[str, int]:
    """Return the ids of codes from memory, else from the database; remember them on commit.

    Only committed rows are remembered: a rolled back transaction must not leave behind owners
    or stores that do not exist. A code that is missing after the first read was inserted by another
    transaction meanwhile and is visible to the second.
    """
    database = str(connection.settings_dict["NAME"])
    found = {c: memory[database, c] for c in codes if (database, c) in memory}
    missing = sorted(set(codes) - found.keys())
    if not missing:
        return found
    learned = read(missing)
    if lost := sorted(set(missing) - learned.keys()):
        learned |= read(lost)
    transaction.on_commit(lambda: _remember(memory, database, learned))
    return found | learned


def _remember(memory: dict[tuple[str, str], int], database: str, learned: dict[str, int]) -> None:
    if len(memory) + len(learned) <= MAX_REMEMBERED:
        memory.update({(database, code): value for code, value in learned.items()})


def _query(statement: str, **parameters: Any) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return dict(cursor.fetchall())
