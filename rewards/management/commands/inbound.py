"""Let a shop send its orders by webhook: print the address, and the secret where we make it."""

import os
import secrets
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.base import clock
from config.base.errors import DomainError
from members.domain import webhooks as standard
from members.models import Channel
from members.services import touchpoints
from rewards.models import InboundScheme
from rewards.presets import inbound as shipped
from rewards.services import inbound

SECRET_VARIABLE = "LOYALTY_INBOUND_SECRET"  # noqa: S105 (the name of a variable)


class Command(BaseCommand):
    """Connect a shop; running it again for the same code replaces secret and mapping."""

    help = "Receive the webhooks of a shop (Shopify, Youzan, Standard Webhooks)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what names the connection."""
        parser.add_argument("code")
        parser.add_argument("--touchpoint", required=True, help="made if it does not exist")
        parser.add_argument("--scheme", required=True, choices=InboundScheme.values)
        parser.add_argument("--channel", default=Channel.WEB.value, choices=Channel.values)
        parser.add_argument(
            "--secret-from",
            default="",
            metavar="-|env",
            help="the provider's secret: '-' reads standard input,"
            f" 'env' the variable {SECRET_VARIABLE}; for Youzan client_id:client_secret",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the connection and print what the shop has to be told."""
        given = self.given(options["secret_from"])
        secret = given or self.made(options["scheme"])
        at = clock.now()
        try:
            touchpoint = touchpoints.create_or_reuse(
                code=options["touchpoint"], channel=Channel(options["channel"]), at=at
            )
            hook = inbound.connect(
                code=options["code"],
                touchpoint=touchpoint,
                scheme=InboundScheme(options["scheme"]),
                secret=secret,
                mapping=shipped.mapping(options["scheme"]),
                at=at,
            )
        except DomainError as error:
            raise CommandError(f"{error} {error.details}") from error
        self.stdout.write(f"path: /api/v1/inbound/{hook.code}")
        self.stdout.write("secret: as given" if given else f"secret: {secret}")

    def given(self, where: str) -> str:
        """Return the provider's secret, never taken from the command line, where others read it."""
        if where == "-":
            return sys.stdin.readline().strip()
        return os.environ.get(SECRET_VARIABLE, "") if where == "env" else ""

    def made(self, scheme: str) -> str:
        """Return a secret of our own.

        Raises: CommandError where only the provider's will do.
        """
        if scheme == InboundScheme.YOUZAN:
            raise CommandError("Youzan signs with its client id and secret: --secret-from")
        if scheme == InboundScheme.STANDARD:
            return standard.new_secret()
        return secrets.token_hex(32)
