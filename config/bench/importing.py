"""Imports of order files: their speed beside bare COPY of the same rows, and their memory.

The other side COPYs exactly the rows that the import wrote, into the same tables with their indexes
and constraints, in the same order and one transaction.
"""

import csv
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Model

from config.base import clock
from config.base.settings.environment import BASE_DIR
from config.bench import databases, population
from config.bench.measure import Ratio, timed
from config.bench.scale import Scale

LINES: Final = 5
ORDERS_PER_MEMBER: Final = 10
TIMES_LARGER: Final = 10
DAYS: Final = 290
HEADER: Final = (
    "source", "order_no", "version", "status", "placed_at", "currency", "store",
    "identifier_kind", "identifier", "line_no", "sku", "category", "brand", "quantity", "amount",
)  # fmt: skip
_WRITTEN: Final = (
    "members.Order", "members.ReceivedFact", "members.OrderLine", "rewards.Evaluation",
    "rewards.Entry", "rewards.Lot", "rewards.LotUse", "tiers.ProgressEntry", "tiers.Standing",
    "members.MemberEvent",
)  # fmt: skip
"""In the order in which the product writes them."""
# The high-water mark of the program itself: what `getrusage` tells starts with its parent's.
MEMORY_PROGRAM: Final = (
    sys.executable,
    "-c",
    (
        "import re, sys; from django.core.management import execute_from_command_line as run; "
        "run(['manage.py', 'import_orders', sys.argv[1], '--history']); "
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    ),
)


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure speed and memory."""
    yield speed(template, scale)
    yield memory(template, scale)


def speed(template: str, scale: Scale) -> Ratio:
    """Measure both sides on copies of one database with members and no orders."""
    with databases.clone(template) as empty, tempfile.TemporaryDirectory() as folder:
        file = write_file(Path(folder), scale.orders)
        pairs = [_round(empty, file, scale.orders) for _number in range(scale.rounds)]
    ours = statistics.median(mine for mine, _theirs in pairs)
    reference = statistics.median(theirs for _mine, theirs in pairs)
    notes = {"orders": scale.orders, "lines": scale.orders * LINES}
    return Ratio("import", ours, reference, "orders/s", 0.15, 0.8, notes=notes)


def memory(template: str, scale: Scale) -> Ratio:
    """Measure the highest resident memory of importing few lines and ten times as many.

    Of the same members, so that a full batch of either has as many in hand.
    """
    small = scale.lines // LINES
    peaks = {}
    with databases.clone(template) as empty, tempfile.TemporaryDirectory() as folder:
        for count in (small, small * TIMES_LARGER):
            file = write_file(Path(folder), count, small)
            with databases.clone(empty):
                peaks[count] = _peak_megabytes(file)
    notes = {"lines": [scale.lines, scale.lines * TIMES_LARGER]}
    ours, reference = peaks[small * TIMES_LARGER], peaks[small]
    return Ratio("import_memory", ours, reference, "MB", 1.1, 1.0, True, notes)


def write_file(folder: Path, orders: int, members: int | None = None) -> Path:
    """Enrol members and write a file of their orders, as `import_orders` reads it."""
    now = clock.now()
    started_at = now - timedelta(days=DAYS + 10)
    names = [f"bench-{number}" for number in range(members or orders // ORDERS_PER_MEMBER)]
    for start in range(0, len(names), 1_000):
        population.enrol(names[start : start + 1_000], started_at)
    path = folder / f"orders-{orders}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(orders):
            writer.writerows(_lines(number, names[number * 7919 % len(names)], started_at, orders))
    return path


def _lines(
    number: int, name: str, started_at: datetime, count: int
) -> Iterator[tuple[object, ...]]:
    placed_at = started_at + number * (timedelta(days=DAYS) / count)
    for line in range(1, LINES + 1):
        yield (
            population.SOURCE, f"I{number:09}", 1, "paid", placed_at.isoformat(), "CNY", "",
            "external", name, line, f"SKU-{line:05}", "dairy", "house", 1,
            f"{(990 + number % 1000 + line) / 100:.2f}",
        )  # fmt: skip


def _round(empty: str, file: Path, orders: int) -> tuple[float, float]:
    """Import, take the rows out, and COPY them into another copy; return both rates."""
    models = [apps.get_model(label) for label in _WRITTEN]
    with databases.clone(empty):
        before = {model: _last_id(model) for model in models}
        ours = timed(lambda: _import(file))
        rows = {model: _taken_out(model, last) for model, last in before.items()}
    assert rows[models[0]].count(b"\n") == orders, "the import left orders out"
    with databases.clone(empty):
        theirs = timed(lambda: _copy(rows))
    return orders / ours, orders / theirs


def _import(file: Path) -> None:
    with (file.parent / "said.txt").open("w") as said:
        call_command("import_orders", str(file), "--history", stdout=said, stderr=said)


def _peak_megabytes(file: Path) -> float:
    environment = databases.environment() | {"DJANGO_SETTINGS_MODULE": "config.base.settings"}
    done = subprocess.run(
        [*MEMORY_PROGRAM, str(file)],
        env=environment, cwd=BASE_DIR, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout.split()[-1]) / 1024


def _last_id(model: type[Model]) -> int:
    ((last,),) = databases.execute(f"SELECT coalesce(max(id), 0) FROM {model._meta.db_table}")  # noqa: S608
    return int(last)


def _taken_out(model: type[Model], last: int) -> bytes:
    """Return the rows that were added, as COPY wants them, in the order of their ids."""
    table = model._meta.db_table
    rows = f"(SELECT * FROM {table} WHERE id > {last} ORDER BY id)"  # noqa: S608
    with connection.cursor() as cursor, cursor.copy(f"COPY {rows} TO STDOUT") as copy:
        return b"".join(copy)


def _copy(rows: dict[type[Model], bytes]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for model, content in rows.items():
            with cursor.copy(f"COPY {model._meta.db_table} FROM STDIN") as copy:
                copy.write(content)
