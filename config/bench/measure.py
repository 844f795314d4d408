"""What a bench returns, and how two sides are timed fairly: in turns, by medians, CPU beside time."""

import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours and the reference in one run. Times are better low, rates and shares of them high."""

    name: str
    ours: float
    reference: float
    unit: str
    floor: float | None
    goal: float | None
    is_time: bool = False
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Return ours ÷ the reference."""
        return self.ours / self.reference if self.reference else float("inf")

    @property
    def holds(self) -> bool:
        """Tell whether the floor is kept: not below it for rates, not above it for times."""
        if self.floor is None:
            return True
        return self.ratio <= self.floor if self.is_time else self.ratio >= self.floor

    def as_json(self) -> dict[str, Any]:
        """Return what goes into `bench.json`."""
        return {
            "name": self.name, "ours": self.ours, "reference": self.reference, "unit": self.unit,
            "ratio": round(self.ratio, 4), "floor": self.floor, "goal": self.goal,
            "better": "low" if self.is_time else "high", "holds": self.holds, "notes": self.notes,
        }  # fmt: skip


Side = Callable[[], float]
"""Does the work once and returns how it went: seconds, or units per second."""


def alternate(ours: Side, reference: Side, rounds: int) -> tuple[float, float]:
    """Measure both sides in turns and return the median of each."""
    pairs = [(reference(), ours()) for _round in range(rounds)]
    return (
        statistics.median(mine for _theirs, mine in pairs),
        statistics.median(theirs for theirs, _mine in pairs),
    )


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds the work takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the CPU time of processes and all that descend from them; 0 where it is not told."""
    wanted, total = set(pids), 0
    for pid, parent, ticks in sorted(_processes()):
        if pid in wanted or parent in wanted:
            wanted.add(pid)
            total += ticks
    return total / TICKS_PER_SECOND


def _processes() -> list[tuple[int, int, int]]:
    """Return pid, parent and ticks, those of children that have ended included."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        found.append((int(path.parent.name), int(fields[1]), sum(map(int, fields[11:15]))))
    return found
