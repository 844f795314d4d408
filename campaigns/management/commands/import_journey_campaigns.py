"""Write down the campaigns of the Complete Journey, once its year has been loaded."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from campaigns.services import journey_campaigns
from config.base import clock
from config.base.errors import DomainError
from rewards.services.complete_journey import Journey


class Command(BaseCommand):
    """Load the campaigns; a second time changes nothing."""

    help = "Import the Complete Journey's own campaigns, recipients and coupon redemptions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare where the year has been moved to."""
        parser.add_argument(
            "--shift-to", type=date.fromisoformat, metavar="DATE",
            help="the day that became the year's last when its baskets were loaded",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and print how many there were."""
        try:
            counts = journey_campaigns.load(journey=Journey(options["shift_to"]), at=clock.now())
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(
            _("%(campaigns)s campaigns, %(recipients)s recipients, %(redemptions)s redemptions.")
            % counts
        )
