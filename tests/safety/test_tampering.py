"""Whoever tampers with the record of staff acts, with all rights in the database, is found."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from pytest_django import DjangoDbBlocker

from config.base import acts, audit, pg
from config.base.acts import Acting, Subject
from config.models import StaffAct, StaffActAnchor
from config.wiring import audits
from members.models import Store
from tests import databases

pytestmark = pytest.mark.req("LEG-09", "MEM-10")

ACTS, ANCHORED = 9, 8
COLUMNS = {
    "actor": "'staff:somebody'",
    "roles": "'finance'",
    "source": "'api'",
    "address": "'10.9.9.9'",
    "act": "'nothing'",
    "operation": "'update'",
    '"table"': "'members_member'",
    "row_id": "'77'",
    "member_id": "77",
    "before": "'{\"points\": 1}'",
    "after": "'{\"points\": 2}'",
    "reason": "'none'",
    "approval_id": "77",
    "at": "at + interval '1 microsecond'",
    "prev_hash": "sha256('x')",
    "hash": "sha256('x')",
}
REHASH = """
DO $$
DECLARE
    a config_staffact;
    last bytea := (SELECT hash FROM config_staffact WHERE seq = {start} - 1);
BEGIN
    FOR a IN SELECT * FROM config_staffact WHERE seq >= {start} ORDER BY seq LOOP
        a.prev_hash := last;
        last := sha256(last || convert_to(loyalty_staff_act_text(a), 'UTF8'));
        UPDATE config_staffact SET prev_hash = a.prev_hash, hash = last WHERE seq = a.seq;
    END LOOP;
    UPDATE config_staffacthead SET hash = last,
        seq = (SELECT max(seq) FROM config_staffact) WHERE id = 1;
END $$
"""
FORGED = """
INSERT INTO config_staffact (seq, at, actor, roles, source, address, act, operation, "table",
                             row_id, reason, prev_hash, hash)
SELECT {seq}, at, actor, roles, source, address, act, operation, "table", row_id, reason, hash,
       sha256('forged')
FROM config_staffact WHERE seq = {after}
"""
CHANGE = "UPDATE config_staffact SET reason = 'other' WHERE seq = 4;"
DELETE = "DELETE FROM config_staffact WHERE seq {which};"

TAMPERINGS = {
    **{
        f"the {name} of one": (
            f"UPDATE config_staffact SET {name} = {value} WHERE seq = 4", "chain"
        )
        for name, value in COLUMNS.items()
    },
    "the first is deleted": (DELETE.format(which="= 1"), "seq"),
    "one in the middle is deleted": (DELETE.format(which="= 4"), "seq"),
    "the last is deleted": (DELETE.format(which=f"= {ACTS}"), "head"),
    "the last and the head": (
        DELETE.format(which=">= 8")
        + "UPDATE config_staffacthead SET (seq, hash) ="
        " (SELECT seq, hash FROM config_staffact WHERE seq = 7)",
        "anchor",
    ),
    "all are deleted": ("TRUNCATE config_staffact", "head"),
    "all are deleted, the head too": (
        ("TRUNCATE config_staffact; UPDATE config_staffacthead SET seq = 0,"
        " hash = decode(repeat('00', 32), 'hex')"),
        "anchor",
    ),
    "one is put at the end": (FORGED.format(seq=ACTS + 1, after=ACTS), "head"),
    "one is put before the first": (FORGED.format(seq=0, after=1), "seq"),
    "one is put in between": (
        "UPDATE config_staffact SET seq = seq + 100 WHERE seq > 4;"
        "UPDATE config_staffact SET seq = seq - 99 WHERE seq > 100;"
        + FORGED.format(seq=5, after=4),
        "chain",
    ),
    "two are swapped": (
        ("UPDATE config_staffact SET seq = 50 WHERE seq = 3;"
        "UPDATE config_staffact SET seq = 3 WHERE seq = 4;"
        "UPDATE config_staffact SET seq = 4 WHERE seq = 50"),
        "chain",
    ),
    "one is renumbered": ("UPDATE config_staffact SET seq = 50 WHERE seq = 9", "seq"),
    "the rest moves up": (
        DELETE.format(which="= 4") + "UPDATE config_staffact SET seq = seq + 100 WHERE seq > 4;"
        "UPDATE config_staffact SET seq = seq - 101 WHERE seq > 100",
        "chain",
    ),
    "one is changed and hashed anew": (
        CHANGE + "UPDATE config_staffact a SET hash = sha256(prev_hash ||"
        " convert_to(loyalty_staff_act_text(a), 'UTF8')) WHERE seq = 4",
        "chain",
    ),
    "one is changed and all after it hashed anew": (CHANGE + REHASH.format(start=4), "anchor"),
    "a note is changed": ("UPDATE config_staffactanchor SET hash = sha256('x')", "anchor"),
    "a note is moved": ("UPDATE config_staffactanchor SET seq = 99", "anchor"),
    "the head is lost": ("DELETE FROM config_staffacthead", "head"),
    "acts are no longer chained": ("DROP TRIGGER chain ON config_staffact", "watched"),
    "the head no longer moves": ("DROP TRIGGER head ON config_staffact", "watched"),
    "a table is no longer watched": ("DROP TRIGGER staff_act ON auth_user", "watched"),
    "a table is watched by halves": (
        ("DROP TRIGGER staff_act ON auth_group; CREATE CONSTRAINT TRIGGER staff_act AFTER INSERT"
        " ON auth_group DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " EXECUTE FUNCTION loyalty_record_change('id', '{}', '', '')"),
        "watched",
    ),
    "watching was switched off": ("ALTER TABLE auth_user DISABLE TRIGGER staff_act", "watched"),
    "the watching function does nothing": (
        ("CREATE OR REPLACE FUNCTION loyalty_record_change() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'"),
        "watched",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def recorded(
    database_template: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """Give the module a database with a record of its own; tamperings in it are rolled back."""
    with django_db_blocker.unblock():
        before = databases.current()
        name = databases.clone(database_template)
        databases.use(name)
        try:
            for number in range(ANCHORED - 1):
                acts.record(
                    Acting(
                        "staff:李娜",
                        "export",
                        roles="auditor",
                        address="10.0.0.1",
                        reason="年报 €\n",
                    ),
                    Subject(member_id=number),
                    after={"rows": number},
                )
            with acts.acting(Acting("staff:li.na", "store", reason="moved")):
                Store.objects.create(code="sh-09", name="上海")
            acts.anchor()
            acts.record(Acting("os:root", "preset", source="command"))
            yield name
        finally:
            connections.close_all()
            databases.use(before)
            databases.drop(name)


@contextlib.contextmanager
def tampered(statement: str) -> Iterator[None]:
    """Tamper as the owner, with the triggers of both tables off, and roll back."""
    with pg.as_owner(), transaction.atomic():
        with connection.cursor() as cursor:
            for table in ("config_staffact", "config_staffactanchor"):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(statement)
            for table in ("config_staffact", "config_staffactanchor"):
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        yield
        transaction.set_rollback(True)


def broken() -> set[str]:
    audits.install()
    checks = [check for check in audit.registered() if check.code.startswith("staff_act_")]
    return {result.check.code for check in checks if (result := audit.run_one(check)).count}


def test_the_record_holds_where_nobody_tampers(recorded: str) -> None:
    assert broken() == set()


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found(recorded: str, name: str) -> None:
    statement, check = TAMPERINGS[name]

    with tampered(statement):
        found = broken()

    assert f"staff_act_{check}" in found
    assert broken() == set()


def test_acts_after_lost_ones_do_not_hide_the_loss(own_database: str) -> None:
    for _act in range(3):
        acts.record(Acting("staff:li.na", "export"))
    with pg.as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE config_staffact DISABLE TRIGGER append_only")
        cursor.execute("DELETE FROM config_staffact WHERE seq = 3")
    acts.record(Acting("staff:li.na", "export"))

    assert {"staff_act_seq", "staff_act_chain"} <= broken()


def test_acts_at_the_same_time_stand_one_after_the_other(own_database: str) -> None:
    def act(number: int) -> None:
        for _act in range(10):
            with transaction.atomic():
                acts.record(Acting(f"staff:{number}", "export"))
                acts.record(Acting(f"staff:{number}", "export"))
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(4)))

    actors = list(StaffAct.objects.order_by("seq").values_list("actor", flat=True))
    assert len(actors) == 80
    assert actors[::2] == actors[1::2]
    assert broken() == set()


def test_the_chain_verifies_by_its_description_alone(recorded: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
            ' actor, roles, source, address, act, operation, "table", row_id, member_id,'
            " before::text, after::text, reason, approval_id, hash FROM config_staffact"
            " ORDER BY seq"
        )
        rows = cursor.fetchall()

    last = bytes(32)
    for *values, stored in rows:
        text = json.dumps(values, ensure_ascii=False)
        last = hashlib.sha256(last + text.encode()).digest()
        assert last == bytes(stored)
    assert len(rows) == ACTS


def test_a_note_of_the_chain_stands_in_the_log(
    own_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert acts.anchor() == 0
    acts.record(Acting("staff:li.na", "export"))

    with caplog.at_level("INFO"):
        assert (acts.anchor(), acts.anchor()) == (1, 0)

    noted = StaffActAnchor.objects.get()
    assert f"seq=1 hash={bytes(noted.hash).hex()}" in caplog.text
