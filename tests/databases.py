"""Databases for tests: one migrated template per state of the code, cloned in a moment.

Append-only tables cannot be emptied, so a test that commits gets a clone of its own and drops
it. The owner clones and drops; tests run as the application role, with its rights.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import ProgrammingError, connection
from psycopg import sql

from config.base import pg, watching
from config.wiring import watched

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE_PREFIX = "loyalty_template_"
TEST_PREFIX = "loyalty_test_"
TEMPLATE_LOCK = 0x54_45_4D_50
KEPT_TEMPLATES = 4
DROP_TRIES = 240
APPLICATION_ROLE = str(connection.settings_dict["USER"])
SOURCES = (
    "*/migrations/*.py", "*/sql/*.sql", "config/base/pg.py", "config/base/append_only.py",
    "config/base/watching.py",
)  # fmt: skip


def fingerprint() -> str:
    """Return a name for what the migrations of this checkout make."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    for package in (
        "django",
        "django-celery-beat",
        "django-axes",
        "django-otp",
        "django-otp-webauthn",
    ):
        digest.update(importlib.metadata.version(package).encode())
    digest.update(" ".join(pg.append_only_tables()).encode())
    watched.install()
    digest.update(repr(watching.watches()).encode())
    return digest.hexdigest()[:16]


def current() -> str:
    """Return the name of the database in use."""
    return str(connection.settings_dict["NAME"])


def use(name: str) -> None:
    """Send the default connection, in every thread, to another database."""
    pg.disconnect()
    connection.settings_dict["NAME"] = name


def environment(name: str) -> dict[str, str]:
    """Return the environment in which another process uses the database."""
    if url := os.environ.get("DATABASE_URL"):
        return os.environ | {"DATABASE_URL": f"{url.rpartition('/')[0]}/{name}"}
    return os.environ | {"LOYALTY_DATABASE_NAME": name}


@contextlib.contextmanager
def maintenance() -> Iterator[Any]:
    """Open a cursor outside every database of ours, as the owner."""
    with pg.as_owner(), connection._nodb_cursor() as cursor:
        yield cursor


def template() -> str:
    """Return a database as the migrations leave it, migrating only when they have changed."""
    name = TEMPLATE_PREFIX + fingerprint()
    with maintenance() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            draft = f"{name}_draft"
            cursor.execute(_statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", draft))
            cursor.execute(_statement("CREATE DATABASE {}", draft))
            _migrate(draft)
            cursor.execute(_statement("ALTER DATABASE {} RENAME TO {}", draft, name))
            _drop_old(cursor)
    return name


def clone(source: str) -> str:
    """Copy the database and return the name of the copy."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"{TEST_PREFIX}{os.getpid()}_{worker}_{secrets.token_hex(3)}"
    with maintenance() as cursor:
        cursor.execute(_statement("CREATE DATABASE {} TEMPLATE {}", name, source))
    return name


def drop(name: str) -> None:
    """Drop the database, whoever is still connected."""
    for tries_left in reversed(range(DROP_TRIES)):
        try:
            with maintenance() as cursor:
                cursor.execute(_statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))
        except ProgrammingError:
            # The server's own vacuum is in it, which nobody but the superuser may end.
            if not tries_left:
                raise
            time.sleep(0.5)
        else:
            return


def _migrate(name: str) -> None:
    """Migrate the database as `manage.py migrate` does, from within an owner's session."""
    before = {key: connection.settings_dict[key] for key in ("NAME", "USER", "PASSWORD")}
    use(name)
    connection.settings_dict["USER"] = APPLICATION_ROLE
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        pg.disconnect()
        connection.settings_dict.update(before)


def _drop_old(cursor: Any) -> None:
    """Drop templates of earlier code and what killed test runs have left."""
    cursor.execute(
        "SELECT d.datname FROM pg_database d WHERE d.datname LIKE %s ORDER BY d.oid DESC OFFSET %s",
        [f"{TEMPLATE_PREFIX}%", KEPT_TEMPLATES],
    )
    stale = [name for (name,) in cursor.fetchall()]
    cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{TEST_PREFIX}%"])
    for (name,) in cursor.fetchall():
        pid = name.removeprefix(TEST_PREFIX).split("_")[0]
        if not Path(f"/proc/{pid}").exists():
            stale.append(name)
    for name in stale:
        cursor.execute(_statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))


def _statement(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))
