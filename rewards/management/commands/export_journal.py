"""Export the journal as NDJSON, for whoever wants to check the ledger without trusting it."""

import os
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rewards.services import journal

OWNER_ONLY = 0o600


class Command(BaseCommand):
    """Write every line of the journal, members one after the other."""

    help = "Export the journal as NDJSON (docs/journal.md); verify_journal checks it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare from when, with what, and where to."""
        parser.add_argument("--since", help="only what was recorded from this instant on")
        parser.add_argument(
            "--with-identifiers", action="store_true", help="with readable phones, cards and so on"
        )
        parser.add_argument("-o", "--output", type=Path, help="file to write; default: stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the journal; a file appears under its name only when it is complete."""
        lines = journal.export(
            since=_instant(options["since"]), with_identifiers=options["with_identifiers"]
        )
        if options["output"] is None:
            _write(sys.stdout.buffer, lines)
            return
        path: Path = options["output"]
        draft = path.with_name(f"{path.name}.part")
        try:
            with os.fdopen(_create(draft), "wb") as file:
                count = _write(file, lines)
            draft.replace(path)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        self.stderr.write(f"{count} lines: {path}")


def _create(path: Path) -> int:
    # The journal may hold identifiers: nobody else's to read.
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)


def _write(file: BinaryIO, lines: Iterable[bytes]) -> int:
    count = 0
    for line in lines:
        file.write(line)
        count += 1
    file.flush()
    return count


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"not an instant: {text}") from error
    if at.tzinfo is None:
        raise CommandError(f"an instant needs its offset: {text}")
    return at
