"""Do everything that time alone triggers, up to an instant."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.progress import TimeRemainingColumn as Remaining
from rich.table import Table

from config.base import clock
from config.base.job_runs import Ending, Report, Watch
from config.wiring import due

PRINTED_WIDTH: Final = 100
FUTURE_TOLERANCE: Final = timedelta(minutes=5)

# What time did is written by `system`; facts that arrive meanwhile are others'.
_ENTRIES = """
SELECT reason, count(*), sum(points) FROM rewards_entry
WHERE id > %s AND actor = 'system' GROUP BY reason ORDER BY reason
"""
_TIERS = """
SELECT count(*) FROM members_memberevent WHERE id > %s AND kind = 'tier.changed'
"""


class Command(BaseCommand):
    """Run every job up to an instant; a second time finds nothing to do."""

    help = "Do everything that time alone triggers up to an instant, in order."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare up to when."""
        parser.add_argument(
            "--at", metavar="ISO", help="an instant with its offset (RFC 3339); default: now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and say what was done.

        Raises: CommandError for an instant that is none, and when a job failed.
        """
        at = clock.now() if options["at"] is None else instant(options["at"])
        refuse_future(at)
        entries, events = _last_ids()
        with progress() as watch:
            reports = due.run_up_to(at, watch=watch)
        self._print(at, reports, entries, events)
        failed = [f"{each.job}: {each.error_code}" for each in reports if each.error_code]
        if failed:
            raise CommandError(_("Not everything could be done: %s") % ", ".join(failed))

    def _print(self, at: datetime, reports: list[Report], entries: int, events: int) -> None:
        table = Table(title=_("Due up to %s") % clock.rfc3339(at), title_justify="left")
        table.add_column(_("job"))
        table.add_column(_("done"), justify="right")
        table.add_column(_("points"), justify="right")
        table.add_column(_("seconds"), justify="right")
        for report in reports:
            mark = "" if report.ending is Ending.FINISHED else f" ({report.error_code})"
            table.add_row(f"{report.job}{mark}", f"{report.done:,}", "", f"{report.seconds:.1f}")
        table.add_section()
        for reason, count, points in _rows(_ENTRIES, entries):
            table.add_row(_("entries: %s") % reason, f"{count:,}", f"{points:,}", "")
        ((changes,),) = _rows(_TIERS, events)
        table.add_row(_("tier changes"), f"{changes:,}", "", "")
        console = Console(width=None if sys.stdout.isatty() else PRINTED_WIDTH)
        with console.capture() as captured:
            console.print(table)
        self.stdout.write(captured.get())


def instant(text: str) -> datetime:
    """Return the instant that a person wrote.

    Raises: CommandError when it is none, or has no offset.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        message = _("%s is no instant; write it as 2026-01-02T00:00:00+08:00.")
        raise CommandError(message % text) from error
    if at.tzinfo is None:
        message = _("%s has no offset; write it as 2026-01-02T00:00:00+08:00.")
        raise CommandError(message % text)
    return at


def refuse_future(at: datetime) -> None:
    """Keep a slip of the pen in production from expiring points that are still good.

    Raises: CommandError.
    """
    if settings.LOYALTY_IS_PRODUCTION and at > clock.now() + FUTURE_TOLERANCE:
        raise CommandError(_("In production time runs by itself: --at lies in the future."))


@contextmanager
def progress() -> Iterator[Watch]:
    """Show a bar for each job that has much to do, on the error stream."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bars = Progress(*columns, Elapsed(), Remaining(), console=Console(stderr=True))
    tasks: dict[str, TaskID] = {}

    def tell(job: str, done: int, total: int) -> None:
        if job not in tasks:
            tasks[job] = bars.add_task(job, total=total)
        bars.update(tasks[job], completed=done, total=total)

    with bars:
        yield tell


def _last_ids() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT max(id) FROM rewards_entry), 0),"
            " coalesce((SELECT max(id) FROM members_memberevent), 0)"
        )
        entry, event = cursor.fetchone()
    return entry, event


def _rows(statement: str, after: int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [after])
        found: list[Any] = cursor.fetchall()
    return found
