"""Import orders from a file, one row a line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.base import clock
from rewards.management import imports
from rewards.services import order_import
from rewards.services.order_import import OrderImport


class Command(BaseCommand):
    """Load a file of orders; the same file again changes nothing."""

    help = "Import orders from CSV or Parquet, one row a line of an order."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file and how to take it."""
        imports.add_file_arguments(parser)
        parser.add_argument(
            "--enrol", action="store_true", help="enrol unknown identifiers at their oldest order"
        )
        parser.add_argument(
            "--history", action="store_true", help="past orders: no limit to how late they come"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load or rehearse, and print what became of the rows."""
        with imports.refusals(), imports.progress() as progress:
            wanted = OrderImport(
                imports.opened(options),
                at=clock.now(),
                mapping=imports.mapping(options),
                enrols=options["enrol"],
                is_history=options["history"],
                progress=progress,
            )
            run = order_import.rehearse if options["dry_run"] else order_import.load
            report = run(wanted)
        imports.print_report(self.stdout, wanted.file.path, report)
