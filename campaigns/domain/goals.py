"""Where a goal stands: its figure against the straight line from baseline to target."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum


class Status(StrEnum):
    """How a goal stands on a day."""

    PLANNED = "planned"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Path:
    """The straight line of a goal; a target below the baseline is one to fall to.

    The term runs from the first day to the last one, both counted.
    """

    baseline: Decimal
    target: Decimal
    starts_on: date
    ends_on: date

    def elapsed(self, on: date) -> Decimal:
        """Return the share of the term that is over at the end of a day, between 0 and 1."""
        whole = (self.ends_on - self.starts_on).days + 1
        gone = (on - self.starts_on).days + 1
        return Decimal(max(0, min(whole, gone))) / whole

    def expected(self, on: date) -> Decimal:
        """Return what the figure should be at the end of a day."""
        return self.baseline + (self.target - self.baseline) * self.elapsed(on)

    def progress(self, value: Decimal) -> Decimal:
        """Return how much of the way is done: 0 at the baseline, 1 at the target."""
        return (value - self.baseline) / (self.target - self.baseline)

    def days(self, count: int) -> list[date]:
        """Return so many days spread evenly over the term, the first and the last among them."""
        whole = (self.ends_on - self.starts_on).days
        steps = min(count - 1, whole)
        return [self.starts_on + timedelta(days=whole * step // steps) for step in range(steps + 1)]


def status(path: Path, value: Decimal | None, *, on: date) -> Status:
    """Return how a goal stands on a day; a figure that says nothing yet reaches nothing.

    Source: KPI-12.
    """
    is_over = on > path.ends_on
    if on < path.starts_on:
        return Status.PLANNED
    if value is not None and path.progress(value) >= 1:
        return Status.MET
    if is_over:
        return Status.MISSED
    if value is not None and path.progress(value) >= path.elapsed(on):
        return Status.ON_TRACK
    return Status.AT_RISK
