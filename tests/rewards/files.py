"""Files to import, written by tests."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection

from rewards.import_words import FIGURES

ORDER_COLUMNS = (
    "source", "order_no", "version", "status", "placed_at", "currency", "store",
    "identifier_kind", "identifier", "line_no", "sku", "category", "brand", "quantity", "amount",
)  # fmt: skip
DEFAULTS = {
    "source": "erp", "order_no": "A1", "version": "1", "status": "paid",
    "placed_at": "2026-03-01T10:00:00+08:00", "currency": "CNY", "store": "S1",
    "identifier_kind": "phone", "identifier": "13900000001", "line_no": "1", "sku": "K1",
    "category": "tea", "brand": "X", "quantity": "1", "amount": "100.00",
}  # fmt: skip


def line(**values: str) -> dict[str, str]:
    """Return a row of an orders file, a good one if nothing else is said."""
    return {**DEFAULTS, **values}


def text_of(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = ORDER_COLUMNS) -> str:
    """Return the rows as CSV."""
    out = StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def written(
    path: Path,
    rows: Sequence[Mapping[str, str]],
    columns: Sequence[str] = ORDER_COLUMNS,
    encoding: str = "utf-8",
) -> Path:
    """Write the rows as CSV and return where."""
    path.write_text(text_of(rows, columns), encoding=encoding)
    return path


def run(command: str, path: Path, *options: str) -> str:
    """Run an import and return what it printed."""
    out = StringIO()
    call_command(command, str(path), *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def figures(command: str, path: Path, *options: str) -> dict[str, int]:
    """Run an import and return the figures it printed, by their names."""
    labels = {str(label): name for name, label in FIGURES.items()}
    told = (line.strip().rpartition(": ") for line in run(command, path, *options).splitlines())
    return {labels[label]: int(n.replace(",", "")) for label, _, n in told if label in labels}


def rejects(path: Path) -> list[tuple[int, str, str, str]]:
    """Return what the rejects file says: line, code, field, value."""
    beside = path.with_name(path.name + ".rejects.csv")
    if not beside.exists():
        return []
    with beside.open(encoding="utf-8-sig", newline="") as file:
        return [
            (int(row["line"]), row["code"], row["field"], row["value"])
            for row in csv.DictReader(file)
        ]


def rows(statement: str) -> list[tuple[Any, ...]]:
    """Return what a statement finds."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def row_counts() -> dict[str, int]:
    """Return how many rows every table of the programme has."""
    tables = rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    return {name: rows(f'SELECT count(*) FROM "{name}"')[0][0] for (name,) in tables}
