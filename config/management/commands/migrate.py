"""Migrate as the owner, say what the application role may do, then the schedule and the roles."""

from typing import Any

from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connections

from config.base import pg, watching
from config.wiring import roles, schedule, watched


class Command(migrate.Command):
    """Django's `migrate`, run by the role that owns the tables."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, grant, watch; write who follows the event log, what is scheduled, new roles."""
        using = options["database"]
        role = connections[using].settings_dict["USER"]
        with pg.as_owner(using):
            super().handle(*args, **options)
            pg.grant_application_role(role, using)
            watched.install()
            watching.watch_tables(using)
        if using == DEFAULT_DB_ALIAS and not options["app_label"] and not options["plan"]:
            schedule.sync()
            roles.make_missing()
