"""What import commands share: options, a progress bar, and the report at the end."""

import argparse
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext_lazy as _
from rich import progress as rich_progress
from rich.console import Console

from config.base.errors import DomainError
from rewards import import_words
from rewards.domain.mapping import ColumnMapping, mapping_of
from rewards.services import import_files
from rewards.services.import_files import ImportFile
from rewards.services.importing import Progress
from rewards.services.rejects import rejects_path

PHASES = {
    "read": _("Reading"),
    "check": _("Checking"),
    "enrol": _("Enrolling"),
    "load": _("Loading"),
}


class RateColumn(rich_progress.ProgressColumn):
    """How many a second."""

    def render(self, task: rich_progress.Task) -> Any:
        """Return the rate since the phase began."""
        speed = task.finished_speed or task.speed
        return f"{speed:,.0f}/s" if speed else ""


@contextmanager
def progress() -> Iterator[Progress]:
    """Show a bar per phase, with rate and time left, on the error stream."""
    bars = rich_progress.Progress(
        rich_progress.TextColumn("{task.description:<10}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        RateColumn(),
        rich_progress.TimeElapsedColumn(),
        rich_progress.TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tasks: dict[str, rich_progress.TaskID] = {}

    def tell(phase: str, done: int, total: int) -> None:
        if phase not in tasks:
            tasks[phase] = bars.add_task(str(PHASES[phase]), total=total or None, completed=done)
        bars.update(tasks[phase], completed=done, total=total or None)

    with bars:
        yield tell


@contextmanager
def refusals() -> Iterator[None]:
    """Turn refusals of the domain into errors of the command.

    Raises: CommandError.
    """
    try:
        yield
    except DomainError as error:
        details = f" {error.details}" if error.details else ""
        raise CommandError(f"{error}{details}") from error


def add_file_arguments(parser: CommandParser) -> None:
    """Declare a file, and how its columns are to be read."""
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV or Parquet")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would happen, and change nothing"
    )
    parser.add_argument(
        "--map", action="append", default=[], type=_pair, metavar="NAME=COLUMN",
        help="the file's name of a column",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], type=_pair, metavar="NAME=VALUE",
        help="the value of a column that the file does not have",
    )  # fmt: skip
    parser.add_argument(
        "--mapping", type=Path, metavar="FILE.toml",
        help="both in a file, with what values of the file mean",
    )  # fmt: skip
    parser.add_argument(
        "--encoding", default="", help="of a CSV file (found out if not said: UTF-8, GB 18030)"
    )


def opened(options: Mapping[str, Any]) -> ImportFile:
    """Return the file that was named.

    Raises: FileUnreadableError.
    """
    return import_files.opened(options["file"], options["encoding"])


def mapping(options: Mapping[str, Any]) -> ColumnMapping:
    """Return how the columns are to be read.

    Raises: MappingError, CommandError.
    """
    data: dict[str, Any] = {}
    path = options["mapping"]
    if path is not None:
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}") from error
    return mapping_of(data).with_columns(dict(options["map"]), dict(options["set"]))


def print_report(out: Any, path: Path, report: Mapping[str, int]) -> None:
    """Print what became of a file, one figure a line, and where the rejected rows are."""
    if "loaded_before" in report:
        out.write(str(_("This file has been loaded before; nothing to do.")))
        return
    print_figures(out, report)
    if report.get("rejected"):
        out.write(str(_("Rejected rows: %(path)s")) % {"path": rejects_path(path)})


def print_figures(out: Any, report: Mapping[str, int]) -> None:
    """Print figures by name, those that there are."""
    for label, figure in import_words.figures(report):
        out.write(f"  {label}: {figure:,}")


def positive(text: str) -> int:
    """Return a number of at least one.

    Raises: ArgumentTypeError.
    """
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(str(_("A number of at least 1 is needed.")))
    return number


def _pair(text: str) -> Sequence[str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError("NAME=…")
    return name.strip(), value.strip()
