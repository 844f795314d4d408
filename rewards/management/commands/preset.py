"""Set the programme up from a preset, or bring it up to date."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.base import clock
from config.base.errors import DomainError
from rewards.presets import PRESETS
from rewards.services import preset_catalogue, presets


class Command(BaseCommand):
    """Load a preset; a second time changes nothing."""

    help = "Load or update the programme from a preset."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which presets there are."""
        parser.add_argument("preset", choices=sorted(PRESETS))

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and say what changed."""
        try:
            loaded = presets.load(preset=PRESETS[options["preset"]], at=clock.now())
            loaded.changes += preset_catalogue.load(at=clock.now())
        except DomainError as error:
            raise CommandError(f"{error} {error.details}") from error
        for change in loaded.changes:
            self.stdout.write(f"  {change}", self.style.SUCCESS)
        message = _("Preset %(preset)s loaded.") if loaded.changes else _("Nothing to change.")
        self.stdout.write(message % {"preset": options["preset"]})
