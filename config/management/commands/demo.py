"""Load a whole programme to look at, then start the site."""

import os
import sys
import time
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from rich.console import Console
from rich.table import Table

from campaigns.services import journey_campaigns
from config.base import clock, side_by_side
from config.management.commands import run_due, serve
from config.management.demo import at_work, campaign, people, staff, synthetic
from config.management.demo.categories import CATEGORIES
from config.management.demo.staff import LogIn
from config.management.demo.synthetic import SyntheticYear
from config.management.demo.totals import totals
from config.wiring import due
from members.domain.scopes import SCOPES
from members.models import ApiKey, Channel, Order, Store
from members.services import api_keys, insight_due, touchpoints
from rewards.management import imports
from rewards.models import ImportJob
from rewards.presets import PRESETS
from rewards.services import complete_journey, journey_import, preset_catalogue, presets
from rewards.services.complete_journey import Journey

TOUCHPOINT: Final = "demo-till"
PAST_MONTHS: Final = 11
SOURCES: Final = (complete_journey.SOURCE, synthetic.SOURCE)


class Command(BaseCommand):
    """Migrate, load the preset and a year of purchases, settle it, prove it, serve it."""

    help = "Load a retailer's year with invented people, and start the site."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what to load and whether to serve it."""
        parser.add_argument("--no-serve", action="store_true", help="stop after loading")
        parser.add_argument("--no-shift", action="store_true", help="leave the year where it was")
        parser.add_argument("--no-input", action="store_true", help="never ask")
        parser.add_argument(
            "--households", type=imports.positive, metavar="N", help="only the N smallest ids"
        )
        parser.add_argument(
            "--members", type=imports.positive, metavar="N",
            help="a synthetic programme of so many members instead",
        )  # fmt: skip
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, print, serve.

        Raises: CommandError in production, and when the port is taken.
        """
        if settings.LOYALTY_IS_PRODUCTION:
            raise CommandError(_("The demo makes invented members: never in production."))
        if not options["no_serve"]:
            serve.refuse_taken(options["host"], options["port"])
        started = time.monotonic()
        self._prepare(ask=not options["no_input"])
        log_ins, key = staff.appoint(), connect_till(clock.now())
        self._load(options)
        self._settle(options)
        at_work.put_on_desks(at=clock.now())
        campaign.start(at=clock.now())
        call_command("loyalty_audit", stdout=self.stdout, stderr=self.stderr)
        self._print_totals(time.monotonic() - started)
        self._print_access(options, log_ins, key)
        if not options["no_serve"]:
            call_command(
                "serve", host=options["host"], port=options["port"], no_migrate=True,
                stdout=self.stdout, stderr=self.stderr,
            )  # fmt: skip

    def _prepare(self, *, ask: bool) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        strangers = Order.objects.exclude(source__in=SOURCES).exists()
        if strangers and ask and sys.stdin.isatty():
            answer = input(_("There are orders here already. Add the demo to them? [y/N] "))
            if answer.strip().lower() not in {"y", "yes", "是"}:
                raise CommandError(_("Nothing was changed."))
        with imports.refusals():
            presets.load(preset=PRESETS["classic"], at=clock.now())
            preset_catalogue.load(at=clock.now())

    def _load(self, options: dict[str, Any]) -> None:
        with imports.refusals(), imports.progress() as progress:
            if options["members"]:
                last_day = loaded_until(synthetic.KIND) or yesterday()
                year = SyntheticYear(options["members"], last_day)
                synthetic.load(year=year, at=clock.now(), progress=progress)
            else:
                journey = self._journey(options)
                journey_import.load(
                    journey=journey,
                    at=clock.now(),
                    describe=people.household,
                    progress=progress,
                    processes=side_by_side.cores(),
                )
                journey_campaigns.load(journey=journey, at=clock.now())
        for store in Store.objects.filter(name=""):
            store.name = f"{_('Store')} {store.code}（{people.MARK}）"
            store.save(update_fields=["name"])
        staff.open_district()

    @staticmethod
    def _journey(options: dict[str, Any]) -> Journey:
        """Return the year to load; one that is here already stays on its days."""
        shift_to = loaded_until(complete_journey.KIND)
        if shift_to is None and not options["no_shift"]:
            shift_to = yesterday()
        return Journey(shift_to, options["households"], dict(CATEGORIES))

    def _settle(self, options: dict[str, Any]) -> None:
        """Bring time up to now; a year left where it was ends with its own last day."""
        at = clock.now()
        if options["no_shift"] and not options["members"]:
            at = clock.day_start(self._journey(options).last_day + timedelta(days=1))
        with run_due.progress() as watch:
            reports = due.run_up_to(at, watch=watch)
        failed = [f"{each.job}: {each.error_code}" for each in reports if each.error_code]
        if failed:
            raise CommandError(", ".join(failed))
        today = clock.local_day(at)
        months = [
            clock.month_end(clock.add_months(today, -back)) for back in range(PAST_MONTHS, 0, -1)
        ]
        insight_due.refresh_past(days=months, progress=lambda _done, _total: None)

    def _print_totals(self, seconds: float) -> None:
        table = Table(title=_("Totals"), title_justify="left", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for name, value in totals():
            table.add_row(name, value)
        table.add_section()
        table.add_row(_("seconds in all"), f"{seconds:.0f}")
        self._print(table)

    def _print_access(self, options: dict[str, Any], log_ins: list[LogIn], key: str) -> None:
        table = Table(title=_("Log-ins"), title_justify="left")
        for heading in (_("role"), _("user"), _("password")):
            table.add_column(heading)
        for log_in in log_ins:
            table.add_row(str(log_in.role.title), log_in.role.username, log_in.password)
        self._print(table)
        address = f"http://{options['host']}:{options['port']}/"
        self.stdout.write(_("Console: %(address)sadmin/") % {"address": address})
        self.stdout.write(_("API: %(address)sapi/docs") % {"address": address})
        self.stdout.write(
            _("Key of the touchpoint %(name)s: %(key)s") % {"name": TOUCHPOINT, "key": key}
        )

    def _print(self, table: Table) -> None:
        console = Console()
        with console.capture() as captured:
            console.print(table)
        self.stdout.write(captured.get())


def loaded_until(kind: str) -> date | None:
    """Return the last day of the year that was loaded here before, None where none was."""
    job = ImportJob.objects.filter(kind=kind).order_by("-id").first()
    return date.fromisoformat(job.options["last_day"]) if job is not None else None


def yesterday() -> date:
    """Return the programme day before today."""
    return clock.local_day(clock.now()) - timedelta(days=1)


def connect_till(at: datetime) -> str:
    """Return a fresh key of the demo's till; earlier ones end."""
    till = touchpoints.create_or_reuse(code=TOUCHPOINT, channel=Channel.POS, at=at)
    for old in ApiKey.objects.filter(touchpoint=till, revoked_at=None):
        api_keys.revoke(key_id=old.pk, at=at)
    return api_keys.issue(till, sorted(SCOPES), at=at)
