"""Say what the automations are, and switch them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from campaigns import automation_table
from campaigns.services import automations
from config.base import clock
from config.base.errors import DomainError

ACTOR = "system"


class Command(BaseCommand):
    """List the automations, print their table, or switch some on or off."""

    help = "List the automations, or switch them on and off."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what to do."""
        parser.add_argument("--table", action="store_true", help="print docs/automations.md")
        parser.add_argument("--on", nargs="+", default=[], metavar="CODE", help="switch on")
        parser.add_argument("--off", nargs="+", default=[], metavar="CODE", help="switch off")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say how they stand."""
        if options["table"]:
            self.stdout.write(automation_table.table(), ending="")
            return
        at = clock.now()
        try:
            automations.install(actor=ACTOR, at=at)
            for code in options["on"]:
                automations.switch_on(code=code, actor=ACTOR, at=at)
            for code in options["off"]:
                automations.switch_off(code=code, actor=ACTOR, at=at)
        except DomainError as error:
            raise CommandError(f"{error} {error.details}") from error
        for line in automations.lines():
            state = _("on") if line.is_on else _("off")
            self.stdout.write(f"{line.automation.code}: {state}, {line.acts}")
