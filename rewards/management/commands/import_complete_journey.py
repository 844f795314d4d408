"""Import a grocer's year of baskets as facts of the programme."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from config.base import clock, side_by_side
from rewards.management import imports
from rewards.services import journey_import
from rewards.services.complete_journey import Journey


class Command(BaseCommand):
    """Load the year; a second time changes nothing."""

    help = "Import the Complete Journey: a year of a grocer's baskets (demo data)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which part of the year to load, and where to move it."""
        parser.add_argument(
            "--shift-to", type=date.fromisoformat, metavar="DATE",
            help="move the year by whole days, so that its last day becomes this one",
        )  # fmt: skip
        parser.add_argument(
            "--households", type=imports.positive, metavar="N", help="only the N smallest ids"
        )

        parser.add_argument(
            "--processes", type=imports.positive, metavar="N", default=side_by_side.cores(),
            help="how many processes share the work (default: one a core)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and print the totals."""
        journey = Journey(shift_to=options["shift_to"], households=options["households"])
        with imports.refusals(), imports.progress() as progress:
            report = journey_import.load(
                journey=journey,
                at=clock.now(),
                progress=progress,
                processes=options["processes"],
            )
        if "loaded_before" in report:
            self.stdout.write(_("This year has been loaded before; nothing to do."))
        else:
            imports.print_figures(self.stdout, report)
