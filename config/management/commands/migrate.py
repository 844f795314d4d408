"""Migrate as the owner, then say what the application role may do."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from config.base import pg


class Command(migrate.Command):
    """Django's `migrate`, run by the role that owns the tables."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, then grant."""
        using = options["database"]
        role = connections[using].settings_dict["USER"]
        with pg.as_owner(using):
            super().handle(*args, **options)
            pg.grant_application_role(role, using)
