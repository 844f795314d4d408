"""The numbers that an evaluation compares, and which checks they meet.

The same functions serve upgrades, reviews, withdrawals and advice, so that what a member is
told is what the engine decides.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tiers.domain.ladder import Check, Figure, Ladder, Metric
from tiers.domain.progress import INTERACTIONS, ORDERS, POINTS, REFERRALS, SPEND, DayBook
from tiers.domain.windows import Anchors, WindowKind, tenure_length


@dataclass(slots=True)
class MemberProgress:
    """All that evaluations read of a member."""

    days: DayBook
    anchors: Anchors
    attributes: dict[str, str] = field(default_factory=dict)

    def sums(self, figure: Figure, day: int) -> list[int]:
        """Return the sums of the figure's window that ends with ``day``."""
        return self.days.sums(figure.window, self.anchors.first_day(figure.window, day))


Reader = Callable[[Ladder, Figure, MemberProgress, int], int]


def _column(number: int) -> Reader:
    def read(_: Ladder, figure: Figure, progress: MemberProgress, day: int) -> int:
        return progress.sums(figure, day)[number]

    return read


def _average_order(_: Ladder, figure: Figure, progress: MemberProgress, day: int) -> int:
    sums = progress.sums(figure, day)
    return sums[SPEND] // sums[ORDERS] if sums[ORDERS] > 0 else 0


def _largest_order(_: Ladder, figure: Figure, progress: MemberProgress, day: int) -> int:
    return progress.days.largest_from(progress.anchors.first_day(figure.window, day))[0]


def _growth(ladder: Ladder, figure: Figure, progress: MemberProgress, day: int) -> int:
    sums = progress.sums(figure, day)
    return growth_value(ladder, sums[SPEND], sums[INTERACTIONS])


def _tenure(_: Ladder, figure: Figure, progress: MemberProgress, day: int) -> int:
    return tenure_length(progress.anchors.joined, figure.unit, day)


def _attribute(_: Ladder, figure: Figure, progress: MemberProgress, __: int) -> int:
    return int(progress.attributes.get(figure.attribute or "") == figure.value)


_READERS: dict[Metric, Reader] = {
    Metric.SPEND: _column(SPEND),
    Metric.ORDERS: _column(ORDERS),
    Metric.INTERACTIONS: _column(INTERACTIONS),
    Metric.REFERRALS: _column(REFERRALS),
    Metric.POINTS_EARNED: _column(POINTS),
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


def read_figure(ladder: Ladder, figure: Figure, progress: MemberProgress, day: int) -> int:
    """Return one number of the window that ends with ``day``."""
    return _READERS[figure.metric](ladder, figure, progress, day)


def read_figures(ladder: Ladder, progress: MemberProgress, day: int) -> list[int]:
    """Return every number that the ladder asks for, in the order of its plan."""
    return [
        _READERS[figure.metric](ladder, figure, progress, day) for figure in ladder.plan.figures
    ]


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
