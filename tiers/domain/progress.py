"""Progress of one member by local day, with running sums per window.

Columns instead of one object per day: a snapshot of a year of orders is copied and read back
in a few microseconds, and a step of the fold touches only the day it is about.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any

from tiers.domain.windows import Window

SPEND, ORDERS, INTERACTIONS, REFERRALS, POINTS = range(5)
COLUMN_NAMES = ("spend", "orders", "interactions", "referrals", "points_earned")
COLUMN_KEYS = ("s", "o", "i", "r", "p")

# Days outside every window are summed up in one go, not one by one as they fall out.
SLACK_DAYS = 31


class ProgressMetric(StrEnum):
    """What a progress entry is counted in."""

    SPEND = "spend"
    ORDERS = "orders"
    INTERACTIONS = "interactions"
    REFERRALS = "referrals"
    POINTS_EARNED = "points_earned"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one order counts for. Units: spend in minor units; 0 where it does not count."""

    spend: int
    counts: bool


NOTHING = Contribution(0, False)


@dataclass(frozen=True, slots=True)
class ProgressDelta:
    """A signed change of one metric, dated at the local day that it counts on."""

    metric: ProgressMetric
    amount: int
    on: date


class StaleSnapshotError(LookupError):
    """A snapshot that has summed up days, or left out orders, that the ladder now asks for.

    Fold the member's facts from zero instead.
    """


class DayBook:
    """Sums by local day, for ever and per window; days are ordinals.

    ``kept_from`` is the first day whose own sums are still known; what came before is part of
    ``totals`` only. ``largest`` lists the spend of each counting order by day, or is None
    where no ladder asks for it.
    """

    __slots__ = ("columns", "days", "kept_from", "largest", "running", "totals")

    def __init__(self) -> None:
        """Start with no progress."""
        self.days: list[int] = []
        self.columns: tuple[list[int], ...] = ([], [], [], [], [])
        self.totals = [0, 0, 0, 0, 0]
        self.kept_from = 0
        self.largest: dict[int, list[int]] | None = None
        self.running: dict[Window, list[int]] = {}

    def add(self, day: int, column: int, amount: int) -> None:
        """Count a signed amount on a day, in the totals and in every window that holds it."""
        self.totals[column] += amount
        for sums in self.running.values():
            if day >= sums[-1]:
                sums[column] += amount
        if day < self.kept_from:
            return
        days = self.days
        if days and days[-1] == day:
            self.columns[column][-1] += amount
        else:
            self.columns[column][self._row(day)] += amount

    def _row(self, day: int) -> int:
        days = self.days
        row = bisect_left(days, day)
        if row == len(days) or days[row] != day:
            days.insert(row, day)
            for column in self.columns:
                column.insert(row, 0)
        return row

    def replace_order(self, day: int, before: Contribution, after: Contribution) -> None:
        """Keep the list of single orders of a day in step, where it is kept at all."""
        if self.largest is None or day < self.kept_from:
            return
        orders = self.largest.setdefault(day, [])
        if before.counts:
            orders.remove(before.spend)
        if after.counts:
            orders.append(after.spend)
        if not orders:
            del self.largest[day]

    def sums_from(self, first: int) -> list[int]:
        """Return the sums of all columns from a day on, computed afresh.

        Raises: StaleSnapshotError when the days asked for have been summed up.
        """
        if first <= 0:
            return list(self.totals)
        if first < self.kept_from:
            raise StaleSnapshotError("days_summed_up", first, self.kept_from)
        row = bisect_left(self.days, first)
        return [sum(column[row:]) for column in self.columns]

    def sums(self, window: Window, first: int) -> list[int]:
        """Return the sums of a window that starts on ``first``, kept running between calls.

        The last item is the first day itself.
        """
        sums = self.running.get(window)
        if sums is None or first < sums[-1]:
            sums = self.running[window] = [*self.sums_from(first), first]
        elif first > sums[-1]:
            low = bisect_left(self.days, sums[-1])
            high = bisect_left(self.days, first, low)
            if low < high:
                for number, column in enumerate(self.columns):
                    sums[number] -= sum(column[low:high])
            sums[-1] = first
        return sums

    def first_day_with(self, columns: tuple[int, ...], first: int) -> int | None:
        """Return the earliest day from ``first`` on that any of the columns has something on."""
        for row in range(bisect_left(self.days, first), len(self.days)):
            if any(self.columns[column][row] for column in columns):
                return self.days[row]
        return None

    def largest_from(self, first: int) -> tuple[int, int | None]:
        """Return the spend of the largest order from a day on, and the last day it was on.

        Raises: StaleSnapshotError when single orders have not been listed.
        """
        if self.largest is None:
            raise StaleSnapshotError("orders_not_listed")
        found = [(max(orders), day) for day, orders in self.largest.items() if day >= first]
        return max(found) if found else (0, None)

    def forget_before(self, first: int) -> None:
        """Sum up the days before ``first``: they stay in the totals only."""
        if first <= self.kept_from:
            return
        row = bisect_left(self.days, first)
        if self.largest:
            for day in [day for day in self.largest if day < first]:
                del self.largest[day]
        del self.days[:row]
        for column in self.columns:
            del column[:row]
        self.kept_from = first
        for window in [w for w, sums in self.running.items() if 0 < sums[-1] < first]:
            del self.running[window]

    def to_json(self) -> dict[str, Any]:
        """Return the compact form: gaps between days, and only columns that hold something."""
        days = self.days
        data: dict[str, Any] = {"t": self.totals.copy()}
        if days:
            data["d"] = [days[0], *[b - a for a, b in pairwise(days)]]
        for key, column in zip(COLUMN_KEYS, self.columns, strict=True):
            if any(column):
                data[key] = column.copy()
        if self.kept_from:
            data["k"] = self.kept_from
        if self.largest is not None:
            data["l"] = {str(day): orders.copy() for day, orders in self.largest.items()}
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "DayBook":
        """Read the compact form back."""
        book = cls()
        day = 0
        for gap in data.get("d", ()):
            day += gap
            book.days.append(day)
        count = len(book.days)
        book.columns = tuple(
            data[key].copy() if key in data else [0] * count for key in COLUMN_KEYS
        )
        book.totals = data["t"].copy()
        book.kept_from = data.get("k", 0)
        if "l" in data:
            book.largest = {int(key): orders.copy() for key, orders in data["l"].items()}
        return book
