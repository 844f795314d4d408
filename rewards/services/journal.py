"""Export the journal: all lines of a member together, members by id, in flat memory.

One cursor per type of line on the server, all in the same snapshot and in the order of members,
merged while they are read.

Source: design §7.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from config.base import money
from members.models import Identifier
from members.services import crypto
from rewards.domain import journal_format
from rewards.domain.chain import rfc3339
from rewards.services.journal_statements import CHANGED, STATEMENTS

CHUNK_ROWS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of line that an app above adds: its keys, and its statement like those of ours."""

    code: str
    keys: tuple[str, ...]
    statement: str


_added: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a type of line; its members' lines come after all of ours. Again changes nothing."""
    _added[kind.code] = kind


@dataclass(frozen=True, slots=True)
class _Stream:
    """The rows of one type of line, in the order of members, and what makes lines of them."""

    build: Callable[[tuple[Any, ...]], dict[str, Any]]
    place: int
    rows: Iterable[tuple[Any, ...]]


def export(*, since: datetime | None = None, with_identifiers: bool = False) -> Iterator[bytes]:
    """Return the lines of the journal, encoded; members go on shopping meanwhile.

    With `since`: what was recorded from then on, and how each member stands whom that is about.
    """
    with transaction.atomic(), ExitStack() as stack:
        _begin()
        parameters = {"since": since, "members": _changed(since)}
        if since is not None:
            yield journal_format.encode(journal_format.header(rfc3339(since)))
        streams = []
        wanted = STATEMENTS | {code: kind.statement for code, kind in _added.items()}
        for place, (kind, statement) in enumerate(wanted.items()):
            cursor = stack.enter_context(connection.chunked_cursor())
            cursor.execute(statement.replace("{places}", str(money.exponent())), parameters)
            rows: Iterable[tuple[Any, ...]] = _rows(cursor)
            if kind == "member":
                rows = _named(rows) if with_identifiers else ((*row, None) for row in rows)
            streams.append(_Stream(_builder(kind), place, rows))
        yield from _merge(streams)


def _builder(kind: str) -> Callable[[tuple[Any, ...]], dict[str, Any]]:
    if kind in _added:
        keys = _added[kind].keys
        return lambda row: {"type": kind, **dict(zip(keys, row, strict=True))}
    return journal_format.BUILDERS[kind]


def _begin() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SET LOCAL jit = off")
        # Every cursor is read to its end: plan for that, not for the first row.
        cursor.execute("SET LOCAL cursor_tuple_fraction = 1.0")


def _changed(since: datetime | None) -> list[int] | None:
    if since is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, {"since": since})
        members: list[int] = cursor.fetchone()[0]
    return members


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(CHUNK_ROWS):
        yield from rows


def _keyed(stream: _Stream) -> Iterator[tuple[int, int, bytes]]:
    build, encode, place = stream.build, journal_format.encode, stream.place
    for row in stream.rows:
        yield row[0], place, encode(build(row[1:]))


def _merge(streams: Iterable[_Stream]) -> Iterator[bytes]:
    merged = heapq.merge(*map(_keyed, streams), key=lambda keyed: keyed[:2])
    return (line for _member, _place, line in merged)


def _named(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Add each member's identifiers in force, readable; erased members have none that can be."""
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == CHUNK_ROWS:
            yield from _with_identifiers(batch)
            batch.clear()
    yield from _with_identifiers(batch)


def _with_identifiers(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    ids = [row[0] for row in rows]
    keys = crypto.data_keys(ids)
    readable: dict[int, list[dict[str, str]]] = {}
    stored = Identifier.objects.filter(member_id__in=ids, ended_at__isnull=True)
    for identifier in stored.select_related("member").order_by("kind", "app", "id"):
        if identifier.member_id in keys:
            value = crypto.value_of(identifier, *keys[identifier.member_id])
            readable.setdefault(identifier.member_id, []).append(
                {"kind": identifier.kind, "app": identifier.app, "value": value}
            )
    for row in rows:
        yield (*row, readable.get(row[0], []))
