"""The roles and the database of the embedded server.

Two roles use it: the owner migrates, the application runs the site and may change only what
`config.base.pg` grants. The superuser does nothing but set these up.
"""

from typing import LiteralString

import psycopg
from psycopg import sql

SUPERUSER = "postgres"
OWNER = "loyalty_owner"
APPLICATION = "loyalty_app"
ALL = (SUPERUSER, OWNER, APPLICATION)
DATABASE = "loyalty"

_ATTRIBUTES: dict[str, LiteralString] = {
    OWNER: "LOGIN CREATEDB NOSUPERUSER NOCREATEROLE",
    APPLICATION: "LOGIN NOCREATEDB NOSUPERUSER NOCREATEROLE",
}


def create(connection: psycopg.Connection, passwords: dict[str, str]) -> None:
    """Create the roles and the database where they are missing."""
    known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    for role, attributes in _ATTRIBUTES.items():
        if role not in known:
            connection.execute(
                sql.SQL("CREATE ROLE {} {} PASSWORD {}").format(
                    sql.Identifier(role), sql.SQL(attributes), sql.Literal(passwords[role])
                )
            )
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
    if found.fetchone() is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(DATABASE), sql.Identifier(OWNER)
            )
        )
    # The application's role too, so that the owner may end its sessions before it drops a database.
    for role in ("pg_read_all_stats", APPLICATION):
        connection.execute(
            sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(OWNER))
        )


def add_statistics(connection: psycopg.Connection) -> None:
    """Add statement statistics to the maintenance database, where the server has them.

    Not to the site's own: the owner of its tables could not grant what the superuser made.
    """
    loaded = connection.execute("SHOW shared_preload_libraries").fetchone()
    if loaded and "pg_stat_statements" in str(loaded[0]):
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
