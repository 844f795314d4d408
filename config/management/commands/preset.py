"""Set the programme up from a preset, with the automations that come along."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from campaigns.domain.automations import AUTOMATIONS
from campaigns.services import automations
from config.base import clock
from config.base.errors import DomainError
from rewards.management.commands import preset

ACTOR = "system"


class Command(preset.Command):
    """Load a preset, and write its automations as drafts; a second time changes nothing."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be asked for."""
        super().add_arguments(parser)
        parser.add_argument(
            "--automations", action="store_true", help="also switch the automations on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the preset, then the automations."""
        super().handle(*args, **options)
        try:
            written = automations.install(actor=ACTOR, at=clock.now())
            for each in AUTOMATIONS if options["automations"] else ():
                automations.switch_on(code=each.code, actor=ACTOR, at=clock.now())
        except DomainError as error:
            raise CommandError(f"{error} {error.details}") from error
        if written:
            said = _("%(count)d automations written as drafts.") % {"count": len(written)}
            self.stdout.write(said)
        if options["automations"]:
            self.stdout.write(_("All automations are on."))
