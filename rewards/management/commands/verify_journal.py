"""Verify an exported journal without a database: chain, sums, buckets, lots and lot uses."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rewards.domain.verification import Verifier

SHOWN = 200


class Command(BaseCommand):
    """Read the file once and name every line that cannot be true."""

    help = "Verify an exported journal; exits non-zero when a line cannot be true."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file."""
        parser.add_argument("file", help="the journal, or - for standard input")
        parser.add_argument("--limit", type=int, default=SHOWN, help="findings shown")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, and report.

        Raises: CommandError when something is wrong.
        """
        if options["file"] == "-":
            self._verify(sys.stdin.buffer, options["limit"])
            return
        try:
            with Path(options["file"]).open("rb") as file:
                self._verify(file, options["limit"])
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error

    def _verify(self, lines: Iterable[bytes], limit: int) -> None:
        verifier, count = Verifier(), 0
        for finding in verifier.read(lines):
            count += 1
            if count <= limit:
                self.stdout.write(self.style.ERROR(str(finding)))
        totals = verifier.totals
        summary = f"{totals.lines} lines, {totals.members} members, {totals.entries} entries"
        if count:
            raise CommandError(f"{count} findings in {summary}")
        self.stdout.write(self.style.SUCCESS(f"{summary}: everything adds up"))
