"""What a bench returns, and how two sides are timed fairly: in turns, by medians, with CPU time."""

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


@dataclass(slots=True)
class Meter:
    """Time, our CPU time and the cores that strangers kept busy, over a `with` block.

    Ours are this process, the server's and all that descend from them. `server` is the pid of an
    embedded server; another's CPU time is not told.
    """

    server: int | None
    seconds: float = 0.0
    cpu: float = 0.0
    strangers: float = 0.0

    def __enter__(self) -> "Meter":
        """Start."""
        self.seconds, self.cpu, self.strangers = perf_counter(), self._ours(), busy_seconds()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop."""
        self.seconds = perf_counter() - self.seconds
        self.cpu = self._ours() - self.cpu
        busy = busy_seconds() - self.strangers
        self.strangers = max(0.0, busy - self.cpu) / self.seconds

    def _ours(self) -> float:
        return cpu_seconds([pid for pid in (os.getpid(), self.server) if pid is not None])


def busy_seconds() -> float:
    """Return the CPU time that the whole machine has spent, waiting and idling left out."""
    try:
        fields = Path("/proc/stat").read_text().split(maxsplit=9)
    except OSError:
        return 0.0
    user, nice, system, _idle, _waiting, interrupts, soft = map(int, fields[1:8])
    return (user + nice + system + interrupts + soft) / TICKS_PER_SECOND


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
