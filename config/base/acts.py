"""Staff acts: who is acting in this session of the database, and writing down what they do.

While somebody acts, triggers on the tables that staff can change write down each changed row
(`config/sql/staff_acts.sql`). Nobody acts in the API, the worker and the importer: they pay one
comparison per row of those tables and no statement.

Source: MEM-10, LEG-09.
"""

import contextlib
import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import orjson
from django.db import connection, transaction

REASON_LENGTH: Final = 200
ACT_LENGTH: Final = 100
ROLES_LENGTH: Final = 200

ACT: Final = "SELECT set_config('loyalty.acting', %s, false)"

_RECORD: Final = """
INSERT INTO config_staffact (actor, roles, source, address, act, operation, "table", row_id,
                             member_id, before, after, reason, approval_id)
VALUES (%(actor)s, %(roles)s, %(source)s, %(address)s, %(act)s, 'act', %(table)s, %(row_id)s,
        %(member_id)s, NULL, %(after)s, %(reason)s, %(approval_id)s)
"""

_ANCHOR: Final = """
INSERT INTO config_staffactanchor (seq, at, hash)
SELECT seq, clock_timestamp(), hash FROM config_staffacthead WHERE seq > 0
ON CONFLICT (seq) DO NOTHING RETURNING seq, hash
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, from where, doing what, and why."""

    actor: str
    act: str
    source: str = "console"
    roles: str = ""
    address: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an act is about: a row, a member, an approval; all of it may be unknown."""

    table: str = ""
    row_id: str = ""
    member_id: int | None = None
    approval_id: int | None = None


NOTHING: Final = Subject()


def record(
    acting: Acting, subject: Subject = NOTHING, *, after: Mapping[str, Any] | None = None
) -> None:
    """Write one act down, with what came of it: codes and counts, nothing personal.

    Who writes waits for whoever wrote before and has not committed: do it last in a transaction.
    """
    values = asdict(_fitting(acting)) | asdict(subject)
    values["after"] = None if after is None else orjson.dumps(after).decode()
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)


@contextlib.contextmanager
def acting(who: Acting) -> Iterator[None]:
    """Let whatever the session of the database changes meanwhile be written down as theirs."""
    begin(who)
    try:
        yield
    finally:
        end()


def setting_of(who: Acting) -> str:
    """Return how the database is told who acts."""
    return orjson.dumps(asdict(_fitting(who))).decode()


def begin(who: Acting) -> None:
    """From here on, what this session changes is theirs."""
    with connection.cursor() as cursor:
        cursor.execute(ACT, [setting_of(who)])


def end() -> None:
    """From here on nobody acts. What waits for a surrounding transaction's end is written now."""
    if connection.connection is None or connection.needs_rollback:
        return
    with connection.cursor() as cursor:
        if connection.in_atomic_block:
            cursor.execute("SET CONSTRAINTS staff_act IMMEDIATE")
            cursor.execute("SET CONSTRAINTS staff_act DEFERRED")
        cursor.execute(ACT, [""])


@transaction.atomic
def anchor() -> int:
    """Note where the chain stands, in the database and in the log; return how many notes.

    The log is what somebody with all rights in the database does not reach: keep it elsewhere.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ANCHOR)
        row = cursor.fetchone()
    if row is None:
        return 0
    logger.info("staff acts stand at seq=%s hash=%s", row[0], bytes(row[1]).hex())
    return 1


def _fitting(who: Acting) -> Acting:
    return replace(
        who,
        act=who.act[:ACT_LENGTH],
        roles=who.roles[:ROLES_LENGTH],
        reason=who.reason.replace("\0", "")[:REASON_LENGTH],
    )


def nameless(name: str) -> str:
    """Return a stand-in for a name that nobody may have: what was typed may be a password."""
    return f"unknown:{hashlib.sha256(name.encode()).hexdigest()[:12]}"
