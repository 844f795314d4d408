"""Advice: how far the next tier is, what keeps the present one, and until when it counts.

Every number comes from the figures and checks that the fold itself decides with, so what a
member is told is exactly what then happens (TIR-07).
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from config.base import clock
from tiers.domain.figures import MemberProgress, read_figures
from tiers.domain.ladder import Check, Criterion, Figure, Ladder, LadderBook, Metric
from tiers.domain.plan import COLUMN_OF
from tiers.domain.progress import INTERACTIONS, ORDERS, SPEND
from tiers.domain.qualification import TierFold
from tiers.domain.windows import tenure_day

_COLUMNS = {metric: (column,) for metric, column in COLUMN_OF.items()} | {
    Metric.AVERAGE_ORDER: (ORDERS,),
    Metric.GROWTH: (SPEND, INTERACTIONS),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """One criterion as it stands for a member.

    ``needed`` is what has to be added now: more of the metric; for ``average_order`` and
    ``largest_order`` the spend of one next order; for ``tenure`` the days to wait; for
    ``attribute`` 1 where it does not match. ``expires_on`` is the last day on which the oldest
    progress in the window still counts, None where it never falls out.
    Units: minor units for money, else a count, points, growth value or days.
    """

    metric: str
    window: str
    value: int
    threshold: int
    next_tier: str
    needed: int
    group: int
    expires_on: date | None
    attribute: str | None = None

    @property
    def missing_share(self) -> Fraction:
        """Return how much of the threshold is missing, from 0 to 1."""
        return Fraction(min(max(0, self.threshold - self.value), self.threshold), self.threshold)

    def as_dict(self) -> dict[str, Any]:
        """Return the gap with its date as text, fit for JSON."""
        return {**asdict(self), "expires_on": self.expires_on and self.expires_on.isoformat()}


def progress_report(fold: TierFold, book: LadderBook, at: datetime) -> list[dict[str, Any]]:
    """Return the gap of every criterion that leads to the next tier up, empty at the top.

    Groups are alternatives; within one all gaps have to be closed. The next tier is the lowest
    above the member's that has an entry rule open to them.

    Source: TIR-07, design §6.
    """
    return [gap.as_dict() for gap in entry_gaps(fold, book, at)]


def cheapest_path(fold: TierFold, book: LadderBook, at: datetime) -> list[dict[str, Any]]:
    """Return the open gaps of the group that is reached most, by shares of its thresholds."""
    return [gap.as_dict() for gap in cheapest(entry_gaps(fold, book, at)) if gap.needed]


def retention_report(fold: TierFold, book: LadderBook, at: datetime) -> list[dict[str, Any]]:
    """Return the gap of every criterion that would renew the present tier, empty at rank 0."""
    return [gap.as_dict() for gap in retention_gaps(fold, book, at)]


def entry_gaps(fold: TierFold, book: LadderBook, at: datetime) -> list[Gap]:
    """Return the gaps to the next tier as they stand at an instant; the fold stays as it is."""
    fold, ladder, day = _standing_at(fold, book, at)
    checks = ladder.plan.upgrades[fold.rank]
    next_rank = min((check.rank for check in checks), default=None)
    return _gaps(ladder, fold.progress, day, [c for c in checks if c.rank == next_rank])


def retention_gaps(fold: TierFold, book: LadderBook, at: datetime) -> list[Gap]:
    """Return the gaps to a renewal as they stand at an instant; the fold stays as it is."""
    fold, ladder, day = _standing_at(fold, book, at)
    return _gaps(ladder, fold.progress, day, ladder.plan.retention[fold.rank])


def cheapest(gaps: Iterable[Gap]) -> list[Gap]:
    """Return the gaps of the group with the smallest share missing, then the fewest open gaps."""
    groups: dict[int, list[Gap]] = {}
    for gap in gaps:
        groups.setdefault(gap.group, []).append(gap)
    return min(groups.values(), key=_cost, default=[])


def _cost(group: Sequence[Gap]) -> tuple[Fraction, int, int]:
    shares = [gap.missing_share for gap in group]
    return sum(shares, Fraction(0)), sum(share > 0 for share in shares), group[0].group


def _standing_at(fold: TierFold, book: LadderBook, at: datetime) -> tuple[TierFold, Ladder, int]:
    settled = fold.copy()
    settled.settle(at, book)
    # A fact that has been acted on already may lie after the instant asked for.
    instant = max(at, settled.acted_at)
    return settled, settled.ladder(book), clock.local_day(instant).toordinal()


def _gaps(ladder: Ladder, progress: MemberProgress, day: int, checks: Iterable[Check]) -> list[Gap]:
    values = read_figures(ladder, progress, day)
    figures = ladder.plan.figures
    return [
        Gap(
            metric=criterion.metric.value,
            window=criterion.window.code,
            value=values[index],
            threshold=threshold,
            next_tier=ladder.tiers[check.rank].code,
            needed=_needed(ladder, criterion, figures[index], (values[index], day), progress),
            group=check.group,
            expires_on=_expires_on(figures[index], progress, day),
            attribute=criterion.attribute,
        )
        for check in checks
        for criterion, (index, threshold) in zip(check.criteria, check.terms, strict=True)
    ]


def _needed(
    ladder: Ladder,
    criterion: Criterion,
    figure: Figure,
    now: tuple[int, int],
    progress: MemberProgress,
) -> int:
    value, day = now
    if value >= criterion.threshold:
        return 0
    if criterion.metric is Metric.LARGEST_ORDER:
        return criterion.threshold
    if criterion.metric is Metric.AVERAGE_ORDER:
        sums = progress.sums(figure.window, day)
        return criterion.threshold * (sums[ORDERS] + 1) - sums[SPEND]
    if criterion.metric is Metric.TENURE:
        return _days_to_wait(ladder, criterion, progress, day)
    return criterion.threshold - value


def _days_to_wait(ladder: Ladder, criterion: Criterion, progress: MemberProgress, day: int) -> int:
    """Return the days until a tenure is reached, counted from now where the member is frozen."""
    anchors = progress.anchors
    reached = anchors.tenure_reached(
        criterion.unit, criterion.threshold, frozen_counts=ladder.tenure_counts_suspension
    )
    if reached is None:
        nominal = tenure_day(anchors.joined, criterion.unit, criterion.threshold)
        reached = nominal + anchors.suspended_days(day)
    return reached - day


def _expires_on(figure: Figure, progress: MemberProgress, day: int) -> date | None:
    first = progress.anchors.first_day(figure.window, day)
    if figure.metric is Metric.LARGEST_ORDER:
        oldest = progress.days.largest_from(first)[1]
    elif figure.metric in _COLUMNS:
        oldest = progress.days.first_day_with(_COLUMNS[figure.metric], first)
    else:
        return None
    if oldest is None:
        return None
    last = progress.anchors.last_counted_day(figure.window, oldest, day)
    return None if last is None else date.fromordinal(last)
