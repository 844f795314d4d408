"""Loading many rows: what is kept up row by row is taken off the tables, and put back at once."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final

from config.base import pg
from config.bench import databases

# What is checked or kept up for each row. Primary keys stay: ids come in their order.
_CONSTRAINTS: Final = """
SELECT c.conrelid::regclass::text, quote_ident(c.conname), pg_get_constraintdef(c.oid), c.contype
FROM pg_constraint c
WHERE c.conrelid = ANY(%s::text[]::regclass[]) AND c.contype IN ('f', 'u', 'x')
  AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conindid = c.conindid AND f.contype = 'f'
                  AND f.conrelid <> ALL(%s::text[]::regclass[]) AND c.contype = 'u')
ORDER BY c.contype = 'f', c.oid
"""
_INDEXES: Final = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index i
WHERE i.indrelid = ANY(%s::text[]::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
ORDER BY i.indexrelid
"""
_MEMORY: Final = "SET maintenance_work_mem = '512MB'"


@contextlib.contextmanager
def bare(tables: Sequence[str]) -> Iterator[None]:
    """Use the connection as the owner of tables that have primary keys and checks alone.

    Foreign keys come back unproved: what is loaded are copies of rows that were.
    """
    names = list(tables)
    with pg.as_owner():
        constraints = databases.execute(_CONSTRAINTS, [names, names])
        for table, name, _definition, _kind in reversed(constraints):
            databases.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        indexes = databases.execute(_INDEXES, [names])
        for name, _definition in indexes:
            databases.execute(f"DROP INDEX {name}")
        yield
        databases.execute(_MEMORY)
        for _name, definition in indexes:
            databases.execute(definition)
        for table, name, definition, kind in constraints:
            unproved = " NOT VALID" if kind == "f" else ""
            databases.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}{unproved}")
