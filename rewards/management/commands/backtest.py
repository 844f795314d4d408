"""Tell what past orders would have earned under draft rules. Writes nothing."""

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from config.base import money
from config.base.errors import DomainError
from rewards.domain.rules import RuleSpec
from rewards.services import backtest, recompute
from rewards.services.backtest import Backtest, Period

SHOWN = 5


class Command(BaseCommand):
    """Fold a period under drafts, or hold the rules in force against the ledger."""

    help = (
        "Decide past orders under draft rules, or without any under those in force: then exit"
        " non-zero where the ledger says otherwise."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the rules and the days."""
        parser.add_argument(
            "--rules", metavar="FILE", help="a JSON list of rules, or the code of a rule's draft"
        )
        parser.add_argument(
            "--from", dest="first_on", type=date.fromisoformat, required=True, metavar="DAY"
        )
        parser.add_argument(
            "--to", dest="last_on", type=date.fromisoformat, required=True, metavar="DAY"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Fold, and print.

        Raises: CommandError for rules that cannot be read, and where the ledger differs.
        """
        period = Period(options["first_on"], options["last_on"])
        try:
            drafts = self._rules(options["rules"])
            found = self._folded(drafts, period)
        except DomainError as error:
            raise CommandError(f"{error} {error.details or ''}".strip()) from error
        self._print(_of_rules(found, with_drafts=bool(drafts)))
        if drafts:
            self._print(_of_effects(found))
            self._print(_of_tiers(found))
        elif not found.reproduces:
            differing = ", ".join(found.differing[:SHOWN])
            raise CommandError(_("The ledger says otherwise. %s") % differing)
        else:
            self.stdout.write(
                self.style.SUCCESS(_("The rules in force reproduce the ledger to the point."))
            )

    def _rules(self, named: str | None) -> list[RuleSpec]:
        if named is None:
            return []
        path = Path(named)
        return (
            backtest.read_rules(path.read_bytes()) if path.is_file() else backtest.draft_of(named)
        )

    def _folded(self, drafts: list[RuleSpec], period: Period) -> Backtest:
        found = Backtest(period)
        with Progress(console=Console(stderr=True)) as bars:
            bar = bars.add_task(_("Back-testing"), total=len(recompute.member_ids()))
            for done, so_far in backtest.run(drafts=drafts, period=period):
                bars.advance(bar, done)
                found = so_far
        return found

    def _print(self, table: Table) -> None:
        console = Console()
        with console.capture() as captured:
            console.print(table)
        self.stdout.write(captured.get())


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    return table


def _of_rules(found: Backtest, *, with_drafts: bool) -> Table:
    """Return points by rule: in the ledger, under the rules in force, under the drafts."""
    period = f"{found.period.first_on} – {found.period.last_on}"
    headings = [_("ledger"), _("rules in force"), *([_("drafts")] if with_drafts else [])]
    table = _table(period, _("rule"), *headings)
    sides = [found.ledger, found.live.points, *([found.draft.points] if with_drafts else [])]
    for code in sorted(set().union(*sides)):
        table.add_row(code, *(f"{side[code]:,}" for side in sides))
    table.add_section()
    table.add_row(_("in all"), *(f"{sum(side.values()):,}" for side in sides))
    return table


def _of_effects(found: Backtest) -> Table:
    """Return what the drafts cost, and who wins and loses."""
    table = _table(_("Effect of the drafts"), "", "")
    points = found.draft.total - found.live.total
    rows = [
        (_("members"), f"{found.members:,}"),
        (_("orders and interactions"), f"{found.subjects:,}"),
        (_("points more"), f"{points:+,}"),
        (_("cost when they are spent"), f"{found.cost / 10 ** money.exponent():+,.2f}"),
        (_("members who gain"), f"{len(found.winners):,}"),
        (_("members who lose"), f"{len(found.losers):,}"),
        (_("limits per member met, now"), f"{found.live.capped:,}"),
        (_("limits per member met, with the drafts"), f"{found.draft.capped:,}"),
    ]
    for row in rows:
        table.add_row(*row)
    table.add_section()
    for who, gained in (*found.winners[:SHOWN], *found.losers[:SHOWN]):
        table.add_row(who, f"{gained:+,}")
    return table


def _of_tiers(found: Backtest) -> Table:
    """Return how many members have earned each tier at the end of the period."""
    table = _table(_("Tiers at the end"), _("tier"), _("now"), _("with the drafts"), "")
    for code in sorted(found.live.tiers | found.draft.tiers):
        now, then = found.live.tiers[code], found.draft.tiers[code]
        table.add_row(code, f"{now:,}", f"{then:,}", f"{then - now:+,}")
    return table
