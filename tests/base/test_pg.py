"""What the application role may do, proved with the application role."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, ProgrammingError, connection, transaction
from psycopg import sql

from config.base import pg

ROOT = Path(__file__).resolve().parents[2]

REFUSED = {
    "UPDATE": "UPDATE {table} SET {key} = {key}",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table} CASCADE",
}


def run(statement: str, table: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        key = "seq" if table.startswith("config_staffact") else "id"
        names = {"table": sql.Identifier(table), "key": sql.Identifier(key)}
        cursor.execute(sql.SQL(statement).format(**names))


def test_there_are_append_only_tables() -> None:
    assert {"rewards_entry", "rewards_lotuse", "tiers_progressentry", "members_memberevent"} <= set(
        pg.append_only_tables()
    )


@pytest.mark.django_db
@pytest.mark.parametrize("verb", REFUSED)
def test_application_may_not_change_append_only_rows(verb: str) -> None:
    for table in pg.append_only_tables():
        with pytest.raises(ProgrammingError) as refused:
            run(REFUSED[verb], table)
        assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege), table


def test_owner_is_stopped_from_emptying_by_a_trigger(own_database: str) -> None:
    with pg.as_owner():
        for table in pg.append_only_tables():
            with pytest.raises(DatabaseError, match="Refused: TRUNCATE of append-only table"):
                run(REFUSED["TRUNCATE"], table)


@pytest.mark.django_db
def test_application_may_read_and_add_to_every_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace"
            " AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT'))"
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db
def test_application_owns_nothing_and_makes_no_tables() -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        run("CREATE TABLE {table} (id int)", "refused")


def test_granting_again_changes_nothing(own_database: str) -> None:
    role = connection.settings_dict["USER"]
    with pg.as_owner():
        pg.grant_application_role(role)
    with pytest.raises(ProgrammingError, match="permission denied"):
        run(REFUSED["DELETE"], "rewards_entry")


def test_acting_as_owner_ends_with_the_block(own_database: str) -> None:
    with pg.as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() != owner


KILL_AND_ASK_AGAIN = """
import os, signal
import django
django.setup()
from django.conf import settings
from django.db import connection
from config.base.embedded import postgres
with connection.cursor() as cursor:
    cursor.execute("SELECT 1")
os.kill(postgres.server(settings.LOYALTY_DATA_DIR, ()).postmaster_pid(), signal.SIGKILL)
connection.close()
with connection.cursor() as cursor:
    cursor.execute("SELECT 'back'")
    print(cursor.fetchone()[0])
"""


def test_next_connection_finds_a_killed_server_up_again(tmp_path: Path) -> None:
    kept = ("PATH", "HOME", "LOYALTY_POSTGRES_BIN")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {
        "LOYALTY_DATA_DIR": str(tmp_path),
        "LOYALTY_POSTGRES_OPTIONS": "",
        "DJANGO_SETTINGS_MODULE": "config.base.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", KILL_AND_ASK_AGAIN],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "back", done.stderr
