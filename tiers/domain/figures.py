"""The numbers that an evaluation compares, and which checks they meet.

The same functions serve upgrades, reviews, withdrawals and advice, so that what a member is
told is what the engine decides.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tiers.domain.ladder import Check, Figure, Ladder, Metric
from tiers.domain.progress import INTERACTIONS, ORDERS, SPEND, DayBook
from tiers.domain.windows import Anchors, Window, WindowKind


@dataclass(slots=True)
class MemberProgress:
    """All that evaluations read of a member."""

    days: DayBook
    anchors: Anchors
    attributes: dict[str, str] = field(default_factory=dict)

    def sums(self, window: Window, day: int) -> list[int]:
        """Return the sums of the window that ends with ``day``, and its first day at the end."""
        return self.days.sums(window, self.anchors.first_day(window, day))


def read_figures(ladder: Ladder, progress: MemberProgress, day: int) -> list[int]:
    """Return every number that the ladder asks for, in the order of its plan."""
    plan = ladder.plan
    sums = [progress.sums(window, day) for window in plan.windows]
    return [
        sums[window][column]
        if column is not None
        else _READERS[figure.metric](ladder, figure, progress, (sums[window], day))
        for window, column, figure in plan.sources
    ]


# The sums of the figure's window, and the day that it ends with.
Windowed = tuple[list[int], int]


def _average_order(_: Ladder, __: Figure, ___: MemberProgress, of: Windowed) -> int:
    spend, orders = of[0][SPEND], of[0][ORDERS]
    return spend // orders if orders > 0 else 0


def _largest_order(_: Ladder, __: Figure, progress: MemberProgress, of: Windowed) -> int:
    return progress.days.largest_from(of[0][-1])[0]


def _growth(ladder: Ladder, _: Figure, __: MemberProgress, of: Windowed) -> int:
    return growth_value(ladder, of[0][SPEND], of[0][INTERACTIONS])


def _tenure(ladder: Ladder, figure: Figure, progress: MemberProgress, of: Windowed) -> int:
    counts = ladder.tenure_counts_suspension
    return progress.anchors.tenure(figure.unit, of[1], frozen_counts=counts)


def _attribute(_: Ladder, figure: Figure, progress: MemberProgress, __: Windowed) -> int:
    return int(progress.attributes.get(figure.attribute or "") == figure.value)


_READERS: dict[Metric, Callable[[Ladder, Figure, MemberProgress, Windowed], int]] = {
    Metric.AVERAGE_ORDER: _average_order,
    Metric.LARGEST_ORDER: _largest_order,
    Metric.GROWTH: _growth,
    Metric.TENURE: _tenure,
    Metric.ATTRIBUTE: _attribute,
}


def growth_value(ladder: Ladder, spend: int, interactions: int) -> int:
    """Return the growth value of sums, weighted exactly and floored once.

    Units: spend in minor units.
    """
    spend_num, spend_den = ladder.growth_spend_weight
    count_num, count_den = ladder.growth_interaction_weight
    weighted = spend * spend_num * count_den + interactions * count_num * spend_den
    return weighted // (spend_den * count_den)


def first_met(checks: Iterable[Check], values: Sequence[int]) -> Check | None:
    """Return the first check whose thresholds are all reached."""
    for check in checks:
        for index, threshold in check.terms:
            if values[index] < threshold:
                break
        else:
            return check
    return None


def earned_at_review(ladder: Ladder, rank: int, values: Sequence[int]) -> tuple[int, Check | None]:
    """Return the highest rank that the figures earn for a member at ``rank``, and by what.

    The member's own tier and those below are also earned by their retention rule: whoever held
    a higher tier must not be asked for more than who only held the lower one.
    """
    plan = ladder.plan
    check = first_met(plan.upgrades[rank], values)
    if check is not None:
        return check.rank, check
    for candidate in range(rank, 0, -1):
        check = first_met((*plan.retention[candidate], *plan.entry[candidate]), values)
        if check is not None:
            return candidate, check
    return 0, None


def earned_by_entry(
    ladder: Ladder, floor: int, rank: int, values: Sequence[int]
) -> tuple[int, Check | None]:
    """Return the highest rank up to ``rank`` that entry rules earn from ``floor``, and by what."""
    reached: dict[int, Check | None] = {floor: None}
    for candidate in range(floor + 1, rank + 1):
        possible = (
            check
            for check in ladder.plan.entry[candidate]
            if check.requirement.from_rank is None or check.requirement.from_rank in reached
        )
        check = first_met(possible, values)
        if check is not None:
            reached[candidate] = check
    best = max(reached)
    return best, reached[best]


def describe_check(
    ladder: Ladder, check: Check, values: Sequence[int], progress: MemberProgress, day: int
) -> dict[str, Any]:
    """Return a check with its criteria, figures and window bounds, fit for JSON."""
    last = date.fromordinal(day).isoformat()
    criteria = []
    # The wording of a criterion is prepared with the plan: this runs for most orders.
    for prepared, (index, threshold) in zip(check.described, check.terms, strict=True):
        value = values[index]
        described = {**prepared, "value": value, "met": value >= threshold, "to": last}
        window = ladder.plan.figures[index].window
        if window.kind is not WindowKind.LIFETIME:
            first = progress.anchors.first_day(window, day)
            described["from"] = date.fromordinal(max(1, first)).isoformat()
        criteria.append(described)
    return {
        "tier": ladder.tiers[check.rank].code,
        "purpose": check.purpose,
        "group": check.group,
        "criteria": criteria,
    }
