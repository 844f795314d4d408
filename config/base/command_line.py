"""Commands and shells as staff acts: by whom on this machine, one act per run.

What a command changes in watched tables is written down row by row, except for those that load in
bulk: their act is the one row. Commands that only read, or run the site, are nobody's act.

Source: MEM-10, LEG-09.
"""

import contextlib
import getpass
import os
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.apps import apps
from django.db import DatabaseError, connection
from django.db.backends.signals import connection_created

from config.base import acts
from config.base.acts import Acting

# Reading, checking, building, and what runs the site or makes a database.
NOBODYS: Final = frozenset(
    (
        "", "backtest", "bench", "check", "collectstatic", "compilemessages", "demo",
        "diffsettings", "dumpdata", "export_journal", "findstatic", "help", "inspectdb",
        "loyalty_audit", "makemessages", "makemigrations", "migrate", "optimizemigration",
        "recompute", "run_due", "runserver", "screenshots", "sendtestemail", "serve",
        "showmigrations", "spectacular", "sqlflush", "sqlmigrate", "sqlsequencereset",
        "squashmigrations", "test", "testserver", "version", "verify_journal", "--help",
        "--version", "-h",
    )
)  # fmt: skip

# One act per run; a trigger per row would make them slow.
BULK: Final = frozenset(
    (
        "import_balances", "import_complete_journey", "import_coupons", "import_members",
        "import_journey_campaigns", "import_orders", "import_reward_codes", "loaddata",
        "rotate_keys",
    )
)  # fmt: skip
SHELLS: Final = frozenset(("dbshell", "shell"))


@contextlib.contextmanager
def acting(arguments: Sequence[str]) -> Iterator[None]:
    """Let the command be an act of the user of this machine."""
    name = next((argument for argument in arguments[1:2]), "")
    if name in NOBODYS or "--help" in arguments or "-h" in arguments:
        yield
        return
    who = Acting(
        actor=f"os:{_user()}"[:64],
        act=name,
        source="shell" if name in SHELLS else "command",
        address=os.environ.get("SSH_CONNECTION", "").partition(" ")[0],
    )
    outcome = "failed"
    try:
        with _changes_written_down(who) if name not in BULK else contextlib.nullcontext():
            yield
        outcome = "finished"
    except SystemExit as stop:
        outcome = "failed" if stop.code else "finished"
        raise
    finally:
        _record(who, outcome)


def _user() -> str:
    """Return who runs the command; the number of a user without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"#{os.getuid()}"


@contextlib.contextmanager
def _changes_written_down(who: Acting) -> Iterator[None]:
    """Let every connection that the command opens know who acts, psql's of `dbshell` too."""
    setting = acts.setting_of(who)

    def tell(connection: Any, **_others: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(acts.ACT, [setting])

    if who.act == "dbshell":
        # psql takes it from its environment; poolers in front of a site need not.
        escaped = setting.replace("\\", "\\\\").replace(" ", "\\ ")
        os.environ["PGOPTIONS"] = f"-c loyalty.acting={escaped}"
    # Whatever happens in between, a connection is made anew with nobody acting.
    connection_created.connect(tell, weak=False)
    try:
        yield
    finally:
        connection_created.disconnect(tell)


def _record(who: Acting, outcome: str) -> None:
    """Write the act down where there is a database to write it in."""
    if not apps.ready:
        return
    with contextlib.suppress(DatabaseError):
        if connection.connection is not None and connection.needs_rollback:
            connection.close()
        acts.record(who, after={"outcome": outcome})
