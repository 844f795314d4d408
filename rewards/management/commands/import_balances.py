"""Import opening balances and tiers from a file, and reconcile it with the ledger."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.base import clock
from rewards.management import imports
from rewards.services import opening, reconciliation, row_import
from rewards.services.opening import OpeningTaker
from rewards.services.reconciliation import Reconciliation

SHOWN = 50


class Command(BaseCommand):
    """Load a file of balances; the same file again changes nothing."""

    help = "Import opening balances and tiers from CSV or Parquet, one row a lot or a tier."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file and how to take it."""
        imports.add_file_arguments(parser)
        parser.add_argument("--enrol", action="store_true", help="enrol unknown identifiers")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load or rehearse, print what became of the rows, and reconcile.

        Raises: CommandError when file and ledger differ.
        """
        with imports.refusals(), imports.progress() as progress:
            file = imports.opened(options)
            taker = OpeningTaker(at=clock.now(), enrols=options["enrol"])
            wanted = opening.opening_import(
                file=file, taker=taker, mapping=imports.mapping(options), progress=progress
            )
            run = row_import.rehearse if options["dry_run"] else row_import.load
            report = run(wanted)
        imports.print_report(self.stdout, file.path, report)
        if not options["dry_run"]:
            self._reconcile(reconciliation.reconcile(wanted))

    def _reconcile(self, result: Reconciliation) -> None:
        totals = {"file": f"{result.file_points:,}", "ledger": f"{result.ledger_points:,}"}
        self.stdout.write(_("Points in the file: %(file)s, in the ledger: %(ledger)s") % totals)
        for each in result.differences[:SHOWN]:
            self.stdout.write(
                self.style.WARNING(
                    f"  {each.source_ref}: {each.file_points:,} ≠ {each.ledger_points:,}"
                )
            )
        if result.differences:
            count = len(result.differences)
            raise CommandError(_("%(count)s rows differ from the ledger.") % {"count": count})
