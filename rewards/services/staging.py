"""Staged orders: rows in the order of a file, read back as orders in business order.

The rows of one order need not stand together, and orders come in the order in which they act, so
the whole file goes through a temporary table: its size is the disk's business, not the memory's.
It is temporary because it holds identifiers as people wrote them; it is gone with the session,
however that ends.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import psycopg
from django.db import connection

from config.base.bulk import raw_cursor
from rewards.domain.cart import Line
from rewards.domain.import_rows import StagedLine
from rewards.domain.submission import MemberRef, OrderFact
from rewards.services.importing import Batch
from rewards.services.rejects import Reject

ORDERS_AT_ONCE: Final = 2_000
# A batch of orders with many lines is shorter: memory follows the lines.
LINES_AT_ONCE: Final = 20_000
ROWS_AT_ONCE: Final = 2_000
WORK_MEMORY: Final = "64MB"

_CREATE = """
CREATE TEMPORARY TABLE import_line (
    "row" bigint, source text COLLATE "C", order_no text COLLATE "C", version bigint,
    status text, placed_at timestamptz, changed_at timestamptz, acts_at timestamptz,
    currency text, store text, identifier_kind text, identifier_app text, identifier text,
    line_no integer, sku text, kind text, category text, brand text, quantity bigint,
    amount bigint, earns boolean, is_bad boolean
)
"""
_COPY: Final = b"COPY import_line FROM STDIN"

# An order is left out whole when one of its rows cannot be taken, or when its rows do not agree on
# when it acts, and so would not even come together.
_BAD_ORDERS = """
CREATE TEMPORARY TABLE import_bad_order AS
SELECT source, order_no, version,
       CASE WHEN bool_or(is_bad) THEN 'order_incomplete' ELSE 'order_rows_differ' END AS code
FROM import_line
GROUP BY source, order_no, version
HAVING bool_or(is_bad) OR min(acts_at) <> max(acts_at) OR min(placed_at) <> max(placed_at)
"""
_LEFT_OUT = """
SELECT l."row", b.code, l.order_no
FROM import_line l JOIN import_bad_order b USING (source, order_no, version)
WHERE NOT l.is_bad ORDER BY l."row"
"""
_GOOD = """
FROM import_line l
WHERE NOT EXISTS (
    SELECT FROM import_bad_order b
    WHERE b.source = l.source AND b.order_no = l.order_no AND b.version = l.version
)
"""
_IN_ORDER = f"SELECT l.* {_GOOD} ORDER BY acts_at, source, order_no, version, line_no, l.row"
_COUNT = f"""
SELECT count(*), coalesce(sum(lines), 0)::bigint FROM (
    SELECT count(*) AS lines {_GOOD} GROUP BY source, order_no, version
) orders
"""  # noqa: S608 - the statements are made of constants
_IDENTIFIERS = f"""
SELECT identifier_kind, identifier_app, identifier, min(placed_at),
       (array_agg(store ORDER BY placed_at, source, order_no))[1]
{_GOOD} AND identifier <> ''
GROUP BY 1, 2, 3 ORDER BY 4, 1, 2, 3
"""
_KNOWN = f"""
SELECT count(*) FROM (
    SELECT source, order_no, version {_GOOD} GROUP BY 1, 2, 3
) o
WHERE EXISTS (
    SELECT FROM members_receivedfact f
    WHERE f.ref = o.order_no AND f.source = o.source AND f.kind = 'order'
      AND f.version = o.version
)
"""  # noqa: S608

_HEADER: Final = slice(1, 13)
_OF_ORDER: Final = slice(1, 4)


@dataclass(frozen=True, slots=True)
class Staged:
    """What is staged: how many orders and lines can be taken."""

    orders: int
    lines: int


@contextmanager
def stage() -> Iterator["Stage"]:
    """Give an empty stage and take it away again."""
    statements = "DROP TABLE IF EXISTS import_line, import_bad_order"
    with connection.cursor() as cursor:
        cursor.execute(statements)
        cursor.execute(_CREATE)
        cursor.execute("SELECT set_config('work_mem', %s, false)", [WORK_MEMORY])
    try:
        yield Stage()
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute(statements)
                cursor.execute("RESET work_mem")


class Stage:
    """The rows of one file on their way to becoming orders."""

    def fill(self, lines: Iterable[StagedLine]) -> None:
        """Put the rows on the stage."""
        with raw_cursor() as cursor, cursor.copy(_COPY) as copy:
            for line in lines:
                copy.write_row(line)

    def check(self) -> Staged:
        """Set aside the orders that cannot be taken whole; return what is left."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE import_line")
            cursor.execute(_BAD_ORDERS)
            cursor.execute("ANALYZE import_bad_order")
            cursor.execute(_COUNT)
            return Staged(*cursor.fetchone())

    def left_out(self) -> Iterator[Reject]:
        """Yield the good rows of orders that are left out."""
        for row, code, order_no in _streamed("import_left_out", _LEFT_OUT):
            yield Reject(row, code, "order_no", order_no)

    def identifiers(self) -> Iterator[tuple[str, str, str, datetime, str]]:
        """Yield each identifier with its oldest order's instant and store."""
        return _streamed("import_identifiers", _IDENTIFIERS)

    def known_orders(self) -> int:
        """Return how many of the orders were received before."""
        with connection.cursor() as cursor:
            cursor.execute(_KNOWN)
            (count,) = cursor.fetchone()
        return int(count)

    def orders(self) -> Iterator["StagedOrder"]:
        """Yield the orders in business order."""
        rows = _streamed("import_orders", _IN_ORDER)
        for _key, group in groupby(rows, key=lambda row: row[_OF_ORDER]):
            yield StagedOrder(list(group))


class StagedOrder:
    """The rows of one order."""

    __slots__ = ("rows",)

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        """Hold the rows, in the order of their line numbers."""
        self.rows = rows

    def faults(self) -> list[Reject]:
        """Return why the rows are no order: they disagree, or number two lines alike."""
        first = self.rows[0][_HEADER]
        if any(row[_HEADER] != first for row in self.rows):
            return self.rejected("order_rows_differ")
        numbers = [row[13] for row in self.rows]
        return self.rejected("line_doubled") if len(set(numbers)) < len(numbers) else []

    def rejected(self, code: str) -> list[Reject]:
        """Return every row of the order as rejected."""
        return [Reject(row[0], code, "order_no", row[2]) for row in self.rows]

    def fact(self) -> OrderFact:
        """Return the order as the intake takes it."""
        (_row, source, order_no, version, status, placed_at, changed_at, _acts_at, currency,
         store, kind, app, value, *_line) = self.rows[0]  # fmt: skip
        return OrderFact(
            source=source,
            order_no=order_no,
            version=version,
            changed_at=changed_at,
            member=MemberRef(kind=kind, app=app, value=value) if kind else None,
            status=status,
            placed_at=placed_at,
            currency=currency,
            lines=tuple(
                Line(
                    row[13], row[14], row[15], row[16], row[17], row[18], row[19], row[20]
                )
                for row in self.rows
            ),
            store=store,
        )  # fmt: skip


def batches(orders: Iterable[StagedOrder], done: int) -> Iterator[Batch[StagedOrder]]:
    """Yield the orders after the first `done` in batches of bounded size."""
    items: list[StagedOrder] = []
    lines = position = 0
    for order in orders:
        position += 1
        if position <= done:
            continue
        items.append(order)
        lines += len(order.rows)
        if len(items) >= ORDERS_AT_ONCE or lines >= LINES_AT_ONCE:
            yield Batch(items, position)
            items, lines = [], 0
    if items:
        yield Batch(items, position)


def _streamed(name: str, statement: str) -> Iterator[Any]:
    """Yield rows through a cursor of the server that outlives the transactions of the batches."""
    connection.ensure_connection()
    with psycopg.ServerCursor(connection.connection, name, withhold=True) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(statement.encode(), binary=True)
        yield from cursor
