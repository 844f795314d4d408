"""Databases of the benches' own: made next to the site's on its server, dropped afterwards."""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from psycopg import sql

from config.base import clock, pg
from config.base.embedded import postgres
from rewards.presets import PRESETS
from rewards.services import presets

PREFIX = "loyalty_bench_"
LEAVE_SECONDS = 30.0


@contextlib.contextmanager
def workshop() -> Iterator[str]:
    """Give a migrated database with the preset `classic` to clone; drop all clones at the end.

    The connection is back where it was afterwards, whatever happened.
    """
    before = current()
    prefix = f"{PREFIX}{os.getpid()}_"
    try:
        with _maintenance() as cursor:
            cursor.execute(_named("CREATE DATABASE {}", f"{prefix}template"))
        _migrate(f"{prefix}template")
        use(f"{prefix}template")
        presets.load(preset=PRESETS["classic"], at=clock.now())
        yield f"{prefix}template"
    finally:
        use(before)
        _drop_all(prefix)


@contextlib.contextmanager
def clone(source: str) -> Iterator[str]:
    """Give a copy of a database and send the connection there."""
    before = current()
    name = f"{source.rpartition('_')[0]}_{secrets.token_hex(4)}"
    pg.disconnect()
    with _maintenance() as cursor:
        cursor.execute(_named("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, source))
    use(name)
    try:
        yield name
    finally:
        use(before)
        with _maintenance() as cursor:
            _drop(cursor, name)


def use(name: str) -> None:
    """Send the connection to another database."""
    pg.disconnect()
    connection.settings_dict["NAME"] = name


def environment() -> dict[str, str]:
    """Return the environment in which another process uses the database in use."""
    if url := os.environ.get("DATABASE_URL"):
        base, _slash, rest = url.rpartition("/")
        _name, mark, query = rest.partition("?")
        return os.environ | {"DATABASE_URL": f"{base}/{current()}{mark}{query}"}
    return os.environ | {"LOYALTY_DATABASE_NAME": current()}


def execute(statement: str, parameters: Any = None) -> list[Any]:
    """Run a statement of a bench as the application role; return its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def server_pid() -> int | None:
    """Return the pid of the embedded server; None where another is used."""
    if os.environ.get("DATABASE_URL"):
        return None
    options = tuple(settings.LOYALTY_POSTGRES_OPTIONS.items())
    return postgres.server(Path(settings.LOYALTY_DATA_DIR), options).postmaster_pid()


def settle() -> None:
    """Vacuum, analyse and checkpoint, so that no side pays for what another has left behind."""
    with pg.as_owner(), connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def current() -> str:
    """Return the name of the database in use."""
    return str(connection.settings_dict["NAME"])


@contextlib.contextmanager
def _maintenance() -> Iterator[Any]:
    with pg.as_owner(), connection._nodb_cursor() as cursor:
        yield cursor


def _migrate(name: str) -> None:
    before = current()
    use(name)
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        use(before)


def _drop_all(prefix: str) -> None:
    with _maintenance() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        for (name,) in cursor.fetchall():
            if name.startswith(prefix) or not _is_running(name):
                _drop(cursor, name)


def _is_running(name: str) -> bool:
    """Tell whether the run that made a database still goes on; a killed one leaves its own."""
    pid = int(name.removeprefix(PREFIX).partition("_")[0])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _drop(cursor: Any, name: str) -> None:
    """Drop a database once whoever used it has left.

    Without FORCE: that is refused while a vacuum of the server's own is at work.
    """
    deadline = time.monotonic() + LEAVE_SECONDS
    while True:
        try:
            cursor.execute(_named("DROP DATABASE {}", name))
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _named(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))
