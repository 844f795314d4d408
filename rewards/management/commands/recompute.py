"""Fold from zero and report any difference from what is stored. Writes nothing."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import Progress

from config.base.errors import DomainError
from members.models import Member
from rewards.services import recompute

SHOWN = 200


class Command(BaseCommand):
    """Recompute one member, a sample, or everyone."""

    help = "Fold members from their first fact; exit non-zero where anything stored differs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare whom to recompute."""
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--member", help="a member id or card number")
        chosen.add_argument("--members", type=int, help="a sample of so many members")
        parser.add_argument("--limit", type=int, default=SHOWN, help="differences shown")

    def handle(self, *args: Any, **options: Any) -> None:
        """Recompute, and report.

        Raises: CommandError when anything differs.
        """
        members = self._members(options)
        shown = count = 0
        try:
            with Progress(console=Console(stderr=True)) as bars:
                bar = bars.add_task(_("Recomputing"), total=len(members))
                for done, differences in recompute.recompute(members=members):
                    bars.advance(bar, done)
                    count += len(differences)
                    for public_id, difference in differences[: options["limit"] - shown]:
                        shown += 1
                        self.stdout.write(self.style.ERROR(f"{public_id} {difference}"))
        except DomainError as error:
            raise CommandError(str(error)) from error
        if count:
            raise CommandError(f"{count} differences among {len(members)} members")
        self.stdout.write(self.style.SUCCESS(f"{len(members)} members: no difference"))

    def _members(self, options: dict[str, Any]) -> list[int]:
        named = options["member"]
        if named is None:
            sample = options["members"]
            if sample is not None and sample < 1:
                raise CommandError("a sample has at least one member")
            return recompute.member_ids(sample=sample)
        found = Member.objects.filter(card_number=named)
        if not found:
            try:
                found = Member.objects.filter(public_id=UUID(named))
            except ValueError:
                found = Member.objects.none()
        if not found:
            raise CommandError(f"no such member: {named}")
        return [member.pk for member in found]
