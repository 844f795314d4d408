"""Import members from a file, one row a person."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.base import clock
from rewards.management import imports
from rewards.services import row_import
from rewards.services.member_import import member_import


class Command(BaseCommand):
    """Load a file of members; the same file again changes nothing."""

    help = "Import members from CSV or Parquet, one row a person."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file and how to take it."""
        imports.add_file_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load or rehearse, and print what became of the rows."""
        with imports.refusals(), imports.progress() as progress:
            file = imports.opened(options)
            wanted = member_import(
                file=file, at=clock.now(), mapping=imports.mapping(options), progress=progress
            )
            run = row_import.rehearse if options["dry_run"] else row_import.load
            report = run(wanted)
        imports.print_report(self.stdout, file.path, report)
