"""Write the rows of a batch, however many, in one statement or by COPY; run prepared statements.

A till's single order and an import of a million rows collect the same rows here. Few rows go in one
statement (a data-modifying CTE per table, each reading one JSON document, so one round trip); those
of a batch go likewise, in an array per column; many go by COPY. No CTE is joined with another one:
that is quadratic.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
import psycopg
from django.db import connection

# Above this many rows COPY beats JSON; below, the round trips of COPY cost more. Far above what a
# touchpoint's batch of 200 has, so that it takes the statements that one order takes.
COPY_FROM_ROWS: Final = 2_500
# Arrays are written and read in half the time of JSON, but each costs the server a set-up.
ARRAYS_FROM_ROWS: Final = 50


Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of a table with their PostgreSQL types; jsonb values are given as text."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[str, ...] = ("id",)

    def _source(self, in_arrays: bool) -> str:
        kinds = ["text" if kind == "jsonb" else kind for kind in self.types]
        if in_arrays:
            arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
            return f"unnest({arrays}) AS t({self._names()})"
        fields = ", ".join(
            f'"{column}" {kind}' for column, kind in zip(self.columns, kinds, strict=True)
        )
        return f"json_to_recordset(%s::json) AS t({fields})"

    def _names(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)

    def _typed(self) -> dict[str, str]:
        return {
            column: f't."{column}"' + ("::jsonb" if kind == "jsonb" else "")
            for column, kind in zip(self.columns, self.types, strict=True)
        }

    def _same_key(self) -> str:
        return " AND ".join(f'x."{column}" = t."{column}"' for column in self.key)

    def document(self, rows: Sequence[Row]) -> str:
        """Return rows as the one parameter of a statement."""
        columns = self.columns
        content = [dict(zip(columns, row, strict=True)) for row in rows]
        return orjson.dumps(content, default=_plain).decode()

    def arrays(self, rows: Sequence[Row]) -> list[str]:
        """Return rows as the parameters of a statement `in_arrays`, one per column."""
        columns = zip(*rows, strict=True)
        return [_array(values, kind) for values, kind in zip(columns, self.types, strict=True)]

    def insert(self, in_arrays: bool = False) -> str:
        """Return INSERT … SELECT from the rows of the document, or the arrays."""
        values, source = ", ".join(self._typed().values()), self._source(in_arrays)
        return f'INSERT INTO "{self.name}" ({self._names()}) SELECT {values} FROM {source}'  # noqa: S608

    def upsert(self, in_arrays: bool = False) -> str:
        """Return the insert that overwrites rows with the same key."""
        changed = ", ".join(
            f'"{column}" = EXCLUDED."{column}"' for column in self.columns if column not in self.key
        )
        key = ", ".join(f'"{column}"' for column in self.key)
        return f"{self.insert(in_arrays)} ON CONFLICT ({key}) DO UPDATE SET {changed}"

    def update(self, in_arrays: bool = False) -> str:
        """Return UPDATE … FROM the rows given, row by row of the key."""
        changed = ", ".join(
            f'"{column}" = {value}'
            for column, value in self._typed().items()
            if column not in self.key
        )
        source, same = self._source(in_arrays), self._same_key()
        return f'UPDATE "{self.name}" AS x SET {changed} FROM {source} WHERE {same}'  # noqa: S608

    def delete(self, in_arrays: bool = False) -> str:
        """Return DELETE … USING the keys given."""
        source, same = self._source(in_arrays), self._same_key()
        return f'DELETE FROM "{self.name}" AS x USING {source} WHERE {same}'  # noqa: S608

    def copy(self) -> str:
        """Return COPY … FROM STDIN."""
        return f'COPY "{self.name}" ({self._names()}) FROM STDIN'


class Writes:
    """Rows collected for one transaction, written together by `flush`."""

    def __init__(self) -> None:
        """Start with nothing to write."""
        self._inserts: dict[Table, list[Row]] = {}
        self._others: dict[tuple[str, Table], list[Row]] = {}
        self._last: tuple[str, str] | None = None

    def insert(self, table: Table, row: Row) -> None:
        """Add a row to insert; tables are written in the order of their first row."""
        self._inserts.setdefault(table, []).append(row)

    def update(self, table: Table, row: Row) -> None:
        """Add a row to update by the table's key."""
        self._others.setdefault(("update", table), []).append(row)

    def upsert(self, table: Table, row: Row) -> None:
        """Add a row to insert, or to overwrite where its key exists."""
        self._others.setdefault(("upsert", table), []).append(row)

    def delete(self, table: Table, row: Row) -> None:
        """Add the key of a row to delete."""
        self._others.setdefault(("delete", table), []).append(row)

    def end_with(self, parts: str, document: str) -> None:
        """Add named parts (`a AS (…), b AS (…)`) that read one JSON document, written last."""
        self._last = (parts, document)

    def flush(self, order: Iterable[Table] = ()) -> None:
        """Write everything inside the caller's transaction.

        `order` names the tables whose rows others point at first; COPY needs it.
        """
        ranks = {table: rank for rank, table in enumerate(order)}
        tables = sorted(self._inserts, key=lambda table: ranks.get(table, len(ranks)))
        small: list[tuple[str, Table]] = []
        rows: list[list[Row]] = []
        for table in tables:
            inserts = self._inserts[table]
            if len(inserts) < COPY_FROM_ROWS:
                small.append(("insert", table))
                rows.append(inserts)
            else:
                _run(small, rows)
                small, rows = [], []
                _copy(table, inserts)
        parts = [*small, *self._others]
        _run(parts, [*rows, *self._others.values()], self._last)
        self._inserts.clear()
        self._others.clear()
        self._last = None


def raw_cursor() -> psycopg.Cursor[Any]:
    """Return a cursor of the driver itself: it prepares statements, Django's does not."""
    return psycopg.Cursor(_raw_connection())


def fetch(statement: str, parameters: Sequence[Any]) -> list[Any]:
    """Return the rows of a prepared statement, read in binary."""
    with connection.wrap_database_errors, _numbered_cursor() as cursor:
        numbered = _numbered(statement)
        return cursor.execute(numbered, parameters, prepare=True, binary=True).fetchall()


def execute(statement: str, parameters: Sequence[Any]) -> int:
    """Run a prepared statement that returns nothing; returns how many rows it changed."""
    with connection.wrap_database_errors, _numbered_cursor() as cursor:
        return cursor.execute(_numbered(statement), parameters, prepare=True).rowcount


def _numbered_cursor() -> psycopg.RawCursor[Any]:
    """Return a cursor that sends statements as they are: looking through ours takes longer."""
    return psycopg.RawCursor(_raw_connection())


def _raw_connection() -> psycopg.Connection[Any]:
    """Return the driver's connection, looked at once a request like Django's cursors do."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw


@lru_cache(maxsize=512)
def _numbered(statement: str) -> bytes:
    """Return a statement with its places numbered, as the server wants them."""
    first, *rest = statement.split("%s")
    return "".join([first, *(f"${n}{text}" for n, text in enumerate(rest, start=1))]).encode()


@lru_cache(maxsize=512)
def _statement(parts: tuple[tuple[str, Table], ...], last: str, in_arrays: bool) -> str:
    ctes = [
        f"w{number} AS ({getattr(table, verb)(in_arrays)})"
        for number, (verb, table) in enumerate(parts)
    ]
    return f"WITH {', '.join([*ctes, last] if last else ctes)} SELECT 1"


def _run(
    parts: Sequence[tuple[str, Table]],
    rows: Sequence[list[Row]],
    last: tuple[str, str] | None = None,
) -> None:
    if not parts and last is None:
        return
    in_arrays = any(len(part) >= ARRAYS_FROM_ROWS for part in rows)
    parameters: list[str] = []
    for (_verb, table), part in zip(parts, rows, strict=True):
        parameters += table.arrays(part) if in_arrays else [table.document(part)]
    ending = ""
    if last is not None:
        ending, document = last
        parameters.append(document)
    execute(_statement(tuple(parts), ending, in_arrays), parameters)


# What JSON escapes in a text, other than the quote and the backslash, which arrays escape alike.
_ESCAPE: Final = re.compile(rb"\\(?:u00([0-9a-f]{2})|([^u]))")
_LETTERS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _array(values: Sequence[Any], kind: str) -> str:
    """Return values as PostgreSQL reads an array of them.

    It and JSON write lists alike, brackets aside, until a text holds a control character; that of
    a jsonb holds none.
    """
    written = orjson.dumps(values, default=_plain)[1:-1]
    if kind == "text" and b"\\" in written:
        written = _ESCAPE.sub(_unescaped, written)
    return "{" + written.decode() + "}"


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1] is not None:
        return bytes.fromhex(found[1].decode())
    return _LETTERS.get(found[2], found[0])


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    raise TypeError(type(value))


def _copy(table: Table, rows: Iterable[Row]) -> None:
    with (
        connection.wrap_database_errors,
        raw_cursor() as cursor,
        cursor.copy(table.copy().encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)
