"""PostgreSQL beyond the ORM: acting as the owner, and what the application role may do."""

import contextlib
from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.models import Model
from psycopg import sql

SCHEMA = "public"
GRANT_LOCK = 0x4C_4F_59_41


@contextlib.contextmanager
def as_owner(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Use the connection as the role that owns the tables, then as the application again."""
    connection = connections[using]
    before = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    disconnect(using)
    connection.settings_dict.update(settings.LOYALTY_DATABASE_OWNER)
    try:
        yield
    finally:
        disconnect(using)
        connection.settings_dict.update(before)


def disconnect(using: str = DEFAULT_DB_ALIAS) -> None:
    """Close the connection and its pool, so that the next one logs in anew."""
    connection = connections[using]
    connection.close()
    if isinstance(connection, DatabaseWrapper):
        connection.close_pool()


def append_only_tables() -> list[str]:
    """Return the tables whose models say `append_only = True`."""
    models: list[type[Model]] = list(apps.get_models())
    return sorted(model._meta.db_table for model in models if getattr(model, "append_only", False))


def grant_application_role(role: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """Let the role work on every table, and only read and add to append-only ones.

    Call it as the owner. Running it again changes nothing.
    """
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [GRANT_LOCK])
        cursor.execute("SELECT current_user")
        if cursor.fetchone() == (role,):
            # One role for everything: the triggers alone guard append-only tables.
            return
        names = {"schema": sql.Identifier(SCHEMA), "role": sql.Identifier(role)}
        for statement in (
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        ):
            cursor.execute(sql.SQL(statement).format(**names))
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [SCHEMA])
        # Migrated back, a model has no table.
        existing = {name for (name,) in cursor.fetchall()}
        for table in filter(existing.__contains__, append_only_tables()):
            cursor.execute(
                sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}").format(
                    table=sql.Identifier(table), **names
                )
            )
