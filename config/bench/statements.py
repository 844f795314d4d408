"""How many statements the server runs for a request, counted by the server itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.conf import settings

from config.base.embedded import postgres, roles

# Control of transactions, and what the server itself asks at commit for each deferred foreign key.
LEFT_OUT: Final = (
    "BEGIN%", "COMMIT%", "ROLLBACK%", "SAVEPOINT%", "RELEASE%", "START TRANSACTION%",
    "SELECT % FROM ONLY % x WHERE % FOR KEY SHARE OF x",
)  # fmt: skip
_CALLS = """
SELECT coalesce(sum(s.calls), 0)::bigint
FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = %s AND s.toplevel AND NOT s.query ILIKE ANY(%s)
"""
_RESET = """
SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = %s
"""


def counted(database: str, work: Callable[[], object]) -> int:
    """Return how many statements the work runs in a database, transaction control left out.

    Only on the embedded server, which has the statistics and lets its superuser read them.
    """
    options = tuple(settings.LOYALTY_POSTGRES_OPTIONS.items())
    server = postgres.server(Path(settings.LOYALTY_DATA_DIR), options)
    with server.connect(roles.SUPERUSER) as connection:
        connection.execute(_RESET, [database])
        work()
        found = connection.execute(_CALLS, [database, list(LEFT_OUT)]).fetchone()
    assert found is not None
    return int(found[0])
