"""Connect a system: make or reuse a touchpoint and print a key for it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from config.base import clock
from config.base.errors import DomainError
from members.domain.scopes import SCOPES, checked
from members.models import Channel, OnUnknown
from members.services import api_keys, touchpoints

MAX_NAME_LENGTH = 64


class Command(BaseCommand):
    """Print a key once; it is kept only as a hash."""

    help = "Create or reuse a touchpoint and print an API key for it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what names the touchpoint and what the key may do."""
        parser.add_argument("name")
        parser.add_argument("--channel", required=True, choices=Channel.values)
        parser.add_argument(
            "--scopes", required=True, help=f"comma-separated, of: {', '.join(sorted(SCOPES))}"
        )
        parser.add_argument("--store", default="", help="code of the store where it stands")
        parser.add_argument(
            "--on-unknown",
            choices=OnUnknown.values,
            help="what to do with facts of unknown identifiers (default: await)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the touchpoint and its key, or neither."""
        try:
            secret = self.connect(options)
        except DomainError as error:
            raise CommandError(f"{error} {error.details}") from error
        self.stdout.write(f"touchpoint: {options['name']}")
        self.stdout.write(f"key: {secret}")

    @transaction.atomic
    def connect(self, options: dict[str, Any]) -> str:
        """Return the secret of a new key.

        Raises: CommandError, ScopeUnknownError, TouchpointDiffersError.
        """
        name = options["name"].strip()
        if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
            raise CommandError("the name has 1 to 64 printable characters")
        wanted = [part.strip() for part in options["scopes"].split(",") if part.strip()]
        if not wanted:
            raise CommandError("a key needs at least one scope")
        scopes, at = checked(wanted), clock.now()
        on_unknown = options["on_unknown"]
        touchpoint = touchpoints.create_or_reuse(
            code=name,
            channel=Channel(options["channel"]),
            at=at,
            store=options["store"],
            on_unknown=OnUnknown(on_unknown) if on_unknown else None,
        )
        return api_keys.issue(touchpoint, scopes, at=at)
