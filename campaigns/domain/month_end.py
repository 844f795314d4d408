"""From opening to closing: which column of the month-end page a transfer stands in.

Outstanding are pending, available and reserved points. Every allowed transfer changes them by what
its columns say, so opening and columns add up to the closing exactly.

Source: KPI-11.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

OUTSTANDING: Final = frozenset({"pending", "available", "reserved"})


class Column(StrEnum):
    """A column of the page, with the sign that it has in the sum."""

    ISSUED = "issued"
    USED = "used"
    EXPIRED = "expired"
    REVERSED = "reversed"
    ADJUSTED = "adjusted"
    TRANSFERRED = "transferred"
    DEBT_INCURRED = "debt_incurred"
    DEBT_SETTLED = "debt_settled"


SIGNS: Final[Mapping[Column, int]] = {
    Column.ISSUED: 1,
    Column.USED: -1,
    Column.EXPIRED: -1,
    Column.REVERSED: -1,
    Column.ADJUSTED: 1,
    Column.TRANSFERRED: 1,
    Column.DEBT_INCURRED: 1,
    Column.DEBT_SETTLED: -1,
}

# Of a bucket outside: the column, and the sign of what goes out to it.
_OUTSIDE: Final[Mapping[str, tuple[Column, int]]] = {
    "issuance": (Column.ISSUED, -1),
    "redeemed": (Column.USED, 1),
    "expired": (Column.EXPIRED, 1),
    "reversed": (Column.REVERSED, 1),
    "adjustment": (Column.ADJUSTED, -1),
    "transfer": (Column.TRANSFERRED, -1),
}


@dataclass(frozen=True, slots=True)
class Flow:
    """The points that went from one bucket to another in one month."""

    month: date
    source: str
    target: str
    points: int
    late_points: int = 0


def columns_of(source: str, target: str) -> dict[Column, int]:
    """Return the columns that a transfer of one point changes, and by how much."""
    found: dict[Column, int] = {}
    for bucket, direction in ((source, -1), (target, 1)):
        if bucket in _OUTSIDE:
            column, sign = _OUTSIDE[bucket]
            found[column] = found.get(column, 0) + sign * direction
    if source == "debt":
        found[Column.DEBT_INCURRED] = 1
    if target == "debt":
        found[Column.DEBT_SETTLED] = 1
    return found


@dataclass(slots=True)
class Month:
    """One month of the ledger. `late` is what was recorded after the month was over."""

    month: date
    opening: int
    opening_debt: int
    columns: dict[Column, int] = field(default_factory=lambda: dict.fromkeys(Column, 0))
    reserved: int = 0
    late: int = 0

    @property
    def change(self) -> int:
        """Return the change of outstanding points that the columns make."""
        return sum(SIGNS[column] * points for column, points in self.columns.items())

    @property
    def closing(self) -> int:
        """Return the points outstanding when the month is over."""
        return self.opening + self.change

    @property
    def closing_debt(self) -> int:
        """Return what members owe when the month is over."""
        debt = self.columns[Column.DEBT_INCURRED] - self.columns[Column.DEBT_SETTLED]
        return self.opening_debt + debt

    def add(self, flow: Flow) -> None:
        """Count a flow of this month."""
        effects = columns_of(flow.source, flow.target)
        for column, sign in effects.items():
            self.columns[column] += sign * flow.points
        self.late += flow.late_points * sum(SIGNS[column] * n for column, n in effects.items())
        self.reserved += flow.points * ((flow.target == "reserved") - (flow.source == "reserved"))


def months(flows: Iterable[Flow], calendar: Iterable[date]) -> list[Month]:
    """Return the months of the calendar, in order; flows before its first month open it."""
    by_month: dict[date, list[Flow]] = {}
    for flow in flows:
        by_month.setdefault(flow.month, []).append(flow)
    shown = sorted(calendar)
    before = Month(shown[0], 0, 0)
    for month, earlier in by_month.items():
        if month < shown[0]:
            for flow in earlier:
                before.add(flow)
    found, last = [], before
    for day in shown:
        month_end = Month(day, last.closing, last.closing_debt, reserved=last.reserved)
        for flow in by_month.get(day, ()):
            month_end.add(flow)
        found.append(month_end)
        last = month_end
    return found
