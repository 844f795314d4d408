"""Load codes of gift cards or partners, one a line."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.base.api.reading import parse_time
from rewards.models import Reward
from rewards.services import reward_codes
from rewards.services.catalogue import WITH_CODES


class Command(BaseCommand):
    """Codes that were loaded before, in this file or another, are folded into one."""

    help = "Load codes of a gift card or a partner from a file, one code a line."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the reward, the file, and when the codes expire."""
        parser.add_argument("reward", help="the reward's code")
        parser.add_argument("file", type=Path)
        parser.add_argument("--batch", default="", help="what the batch is called (the file)")
        parser.add_argument("--expires-at", default="", help="RFC 3339; without it, never")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Load the file; the same file again changes nothing."""
        reward = Reward.objects.filter(code=options["reward"]).first()
        if reward is None or reward.kind not in WITH_CODES:
            raise CommandError(_("There is no gift card or partner code of this name."))
        try:
            lines = options["file"].read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        loading = reward_codes.load(
            reward=reward,
            codes=lines,
            batch=(options["batch"] or options["file"].name)[:64],
            expires_at=self._instant(options["expires_at"]),
        )
        told = _("%(added)d codes added, %(known)d known before.")
        self.stdout.write(told % {"added": loading.added, "known": loading.known})

    @staticmethod
    def _instant(text: str) -> datetime | None:
        if not text:
            return None
        at = parse_time(text)
        if at is None:
            raise CommandError(_("Not a time with an offset."))
        return at
