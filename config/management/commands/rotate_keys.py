"""Bring everything under the current key of `LOYALTY_KEYS`, so that older ones can be taken out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from members.services import crypto, prospect_erasure, webhooks
from rewards.services import inbound, reward_codes


class Command(BaseCommand):
    """Rotate in small transactions; cut off, it goes on where it is told to, or begins again."""

    help = "Re-encrypt members' keys and re-hash identifiers under the current key."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare where to begin and how much to take at once."""
        parser.add_argument("--after", type=int, default=0, help="last member id that is done")
        parser.add_argument("--batch", type=int, default=crypto.ROTATION_BATCH)

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate batch after batch, naming the last member that is done."""
        last: int | None = options["after"]
        while last is not None:
            last = crypto.rotate(after_id=last, limit=options["batch"])
            if last is not None:
                self.stdout.write(f"done up to member {last}")
        last = 0
        while last is not None:
            last = prospect_erasure.rotate(after_id=last, limit=options["batch"])
        count = webhooks.reseal() + inbound.reseal()
        self.stdout.write(f"codes of rewards: {reward_codes.reseal()}")
        self.stdout.write(f"secrets of connected systems: {count}")
        self.stdout.write(f"all under key {crypto.keyring().current.version}")
