"""Compare a file of opening balances with the ledger, to the point.

Source: MEM-16.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from django.db.models import Sum

from rewards.domain.import_rows import BALANCE_COLUMNS, BalanceRow
from rewards.models import Entry
from rewards.services import opening
from rewards.services.row_import import ROWS_AT_ONCE, RowImport


@dataclass(frozen=True, slots=True)
class Difference:
    """A row whose points in the file and in the ledger are not the same."""

    source_ref: str
    file_points: int
    ledger_points: int


@dataclass(slots=True)
class Reconciliation:
    """The file against the ledger."""

    file_points: int = 0
    ledger_points: int = 0
    differences: list[Difference] = field(default_factory=list)


def reconcile(row_import: RowImport[BalanceRow]) -> Reconciliation:
    """Compare what the file says with what the ledger holds for the same references.

    Where a reference stands twice, only its first row can have been posted. A row that was
    rejected counts with the points that can be read of it.
    """
    result, seen = Reconciliation(), set[str]()
    for part in _parts(row_import):
        posted = _posted([ref for ref, _points in part])
        for ref, points in part:
            held = 0 if ref in seen else posted.get(ref, 0)
            seen.add(ref)
            result.file_points += points
            result.ledger_points += held
            if held != points:
                result.differences.append(Difference(ref, points, held))
    return result


def _parts(row_import: RowImport[BalanceRow]) -> Iterator[list[tuple[str, int]]]:
    """Yield reference and points of the file's rows, many at a time."""
    part: list[tuple[str, int]] = []
    for line, cells in row_import.cells():
        read = dict(zip(BALANCE_COLUMNS.names, cells, strict=True))
        points = read["points"].strip()
        part.append(
            (
                read["source_ref"].strip() or f"line {line}",
                int(points) if points.isascii() and points.isdecimal() else 0,
            )
        )
        if len(part) >= ROWS_AT_ONCE:
            yield part
            part = []
    yield part


def _posted(refs: Collection[str]) -> dict[str, int]:
    sums = (
        Entry.objects.filter(
            fact__in=opening.facts_of(refs), reason=opening.REASON, target="available"
        )
        .values("fact__ref")
        .annotate(sum=Sum("points"))
    )
    return {each["fact__ref"]: int(each["sum"]) for each in sums}
