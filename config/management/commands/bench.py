"""Measure the product beside the same work in plain SQL, and say whether the floors hold."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from rich.console import Console
from rich.table import Table

from config.base import checks
from config.bench import (
    audience,
    console,
    databases,
    importing,
    nightly,
    orders,
    reaction,
    rules,
    storefront,
)
from config.bench.measure import Ratio
from config.bench.scale import SCALES, Scale

BENCHES: Final = {
    "rules": rules.run,
    "orders": orders.run,
    "storefront": storefront.run,
    "imports": importing.run,
    "nights": nightly.run,
    "console": console.run,
    "segments": audience.run,
    "event_to_message": reaction.run,
}


class Command(BaseCommand):
    """Run the benches in databases of their own; the programme's data is not touched."""

    help = "Measure the product beside the same work in plain SQL; fails where a floor is missed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare how much, and which."""
        parser.add_argument("--scale", choices=sorted(SCALES), default="s")
        parser.add_argument(
            "--only", help=f"comma-separated, of: {', '.join(BENCHES)} (bench.json stays)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, print, write down, judge."""
        checks.refuse_unsafe_database()
        wanted = options["only"].split(",") if options["only"] else list(BENCHES)
        unknown = set(wanted) - BENCHES.keys()
        if unknown:
            raise CommandError(_("There is no such bench: %s") % ", ".join(sorted(unknown)))
        ratios = []
        for ratio in self.measure(wanted, SCALES[options["scale"]]):
            self.stderr.write(f"{ratio.name}: {ratio.ratio:.3g}")
            ratios.append(ratio)
        Console().print(table(ratios))
        if not options["only"]:
            write(Path(settings.LOYALTY_DATA_DIR) / "bench.json", ratios)
        missed = [ratio.name for ratio in ratios if not ratio.holds]
        if missed:
            raise CommandError(_("Below the floor: %s") % ", ".join(missed))

    def measure(self, wanted: list[str], scale: Scale) -> Iterator[Ratio]:
        """Yield what the benches measure, one after the other."""
        with databases.workshop() as template:
            for name in wanted:
                yield from BENCHES[name](template, scale)


def table(ratios: list[Ratio]) -> Table:
    """Return the ratios as a table."""
    load = os.getloadavg()[0]
    shown = Table(title=_("Ours ÷ reference; load %(load).1f") % {"load": load})
    for heading in ("name", "ours", "reference", "unit", "ratio", "floor", "goal", "notes"):
        shown.add_column(heading, justify="right" if heading not in {"name", "notes"} else "left")
    for ratio in ratios:
        bound = "≤ {:g}" if ratio.is_time else "≥ {:g}"
        floor, goal = (
            bound.format(value) if value is not None else "–" for value in (ratio.floor, ratio.goal)
        )
        colour = "green" if ratio.holds else "red"
        shown.add_row(
            ratio.name, f"{ratio.ours:.4g}", f"{ratio.reference:.4g}", ratio.unit,
            f"[{colour}]{ratio.ratio:.3g}[/]", floor, goal, _short(ratio.notes),
        )  # fmt: skip
    return shown


def write(path: Path, ratios: list[Ratio]) -> None:
    """Write the ratios down, whole or not at all."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps([ratio.as_json() for ratio in ratios], indent=2) + "\n")
    draft.replace(path)


def _short(notes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in notes.items())
