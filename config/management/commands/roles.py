"""Make the ready groups, or bring them back to what the table of roles says."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from config.wiring import roles


class Command(BaseCommand):
    """Write the groups of all roles; doing it again changes nothing."""

    help = "Make the ready groups of staff, with the permissions that docs/roles.md lists."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what to do."""
        parser.add_argument("--table", action="store_true", help="only print the table")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the groups and say which there are."""
        if options["table"]:
            self.stdout.write(roles.table())
            return
        roles.reset()
        for role in roles.ROLES:
            self.stdout.write(f"{role.code}: {role.name_zh} · {role.name_en}")
        self.stdout.write(_("Roles are as docs/roles.md lists them."))
