"""A ladder prepared for evaluation: every figure once, every check in the order it is tried."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tiers.domain.criteria import (
    Criterion,
    Group,
    Metric,
    Purpose,
    Requirement,
    describe_criterion,
)
from tiers.domain.progress import INTERACTIONS, ORDERS, POINTS, REFERRALS, SPEND
from tiers.domain.windows import LIFETIME, TenureUnit, Window

COLUMN_OF = {
    Metric.SPEND: SPEND,
    Metric.ORDERS: ORDERS,
    Metric.INTERACTIONS: INTERACTIONS,
    Metric.REFERRALS: REFERRALS,
    Metric.POINTS_EARNED: POINTS,
}


@dataclass(frozen=True, slots=True)
class Check:
    """A requirement group in the form that the fold evaluates: figure index and threshold."""

    rank: int
    group: int
    requirement: Requirement
    criteria: Group
    terms: tuple[tuple[int, int], ...]
    described: tuple[dict[str, Any], ...] = field(compare=False)

    @property
    def purpose(self) -> str:
        """Return what the check is for, as plain text."""
        return self.requirement.purpose.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One number to compute for an evaluation; criteria that share it compute it once."""

    metric: Metric
    window: Window
    attribute: str | None
    value: str | None
    unit: TenureUnit

    @classmethod
    def of(cls, criterion: Criterion) -> "Figure":
        """Return the number that the criterion compares."""
        windowless = criterion.metric in (Metric.TENURE, Metric.ATTRIBUTE)
        return cls(
            criterion.metric,
            LIFETIME if windowless else criterion.window,
            criterion.attribute,
            criterion.value,
            criterion.unit,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A ladder prepared for evaluation; each tuple of checks is indexed by current rank.

    ``sources`` say for each figure which window it is about, and which column of its sums it
    is, where it is simply one.
    """

    figures: tuple[Figure, ...]
    windows: tuple[Window, ...]
    sources: tuple[tuple[int, int | None, Figure], ...]
    upgrades: tuple[tuple[Check, ...], ...]
    retention: tuple[tuple[Check, ...], ...]
    entry: tuple[tuple[Check, ...], ...]
    tenures: tuple[tuple[TenureUnit, int], ...]


def plan_of(requirements: Sequence[Requirement], ranks: range) -> Plan:
    """Prepare the requirements of a ladder with these ranks."""
    criteria = [c for r in requirements for group in r.groups for c in group]
    figures = tuple(dict.fromkeys(Figure.of(criterion) for criterion in criteria))
    index = {figure: number for number, figure in enumerate(figures)}
    entry = tuple(_checks(requirements, rank, Purpose.ENTRY, index) for rank in ranks)
    kept = (_checks(requirements, rank, Purpose.RETENTION, index) for rank in ranks)
    windows = tuple(dict.fromkeys(figure.window for figure in figures))
    return Plan(
        figures=figures,
        windows=windows,
        sources=tuple((windows.index(f.window), COLUMN_OF.get(f.metric), f) for f in figures),
        upgrades=tuple(_upgrades(entry, rank) for rank in ranks),
        retention=tuple(own or entry[rank] for rank, own in enumerate(kept)),
        entry=entry,
        tenures=tuple(
            sorted({(c.unit, c.threshold) for c in criteria if c.metric is Metric.TENURE})
        ),
    )


def _checks(
    requirements: Sequence[Requirement], rank: int, purpose: Purpose, index: dict[Figure, int]
) -> tuple[Check, ...]:
    found = [r for r in requirements if (r.rank, r.purpose) == (rank, purpose)]
    groups = [(requirement, group) for requirement in found for group in requirement.groups]
    return tuple(
        Check(
            rank=rank,
            group=number,
            requirement=requirement,
            criteria=group,
            terms=tuple((index[Figure.of(c)], c.threshold) for c in group),
            described=tuple(describe_criterion(c) for c in group),
        )
        for number, (requirement, group) in enumerate(groups)
    )


def _upgrades(entry: Sequence[tuple[Check, ...]], rank: int) -> tuple[Check, ...]:
    """Order the entry checks above a rank from the highest tier down: the first that holds wins."""
    return tuple(
        check
        for target in range(len(entry) - 1, rank, -1)
        for check in entry[target]
        if check.requirement.from_rank in (None, rank)
    )
