"""What a tier asks for: metrics, criteria and the requirements made of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tiers.domain.windows import LIFETIME, TenureUnit, Window


class Metric(StrEnum):
    """What progress is measured in."""

    SPEND = "spend"
    ORDERS = "orders"
    AVERAGE_ORDER = "average_order"
    LARGEST_ORDER = "largest_order"
    INTERACTIONS = "interactions"
    REFERRALS = "referrals"
    POINTS_EARNED = "points_earned"
    GROWTH = "growth"
    TENURE = "tenure"
    ATTRIBUTE = "attribute"


class Purpose(StrEnum):
    """Whether a requirement earns a tier or keeps it."""

    ENTRY = "entry"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One metric over one window against one threshold.

    Units: threshold in minor units for money, a count, points, growth value, or ``unit`` of
    tenure. For ``attribute`` the member's attribute has to equal ``value``; window and
    threshold mean nothing there.
    """

    metric: Metric
    window: Window = LIFETIME
    threshold: int = 1
    attribute: str | None = None
    value: str | None = None
    unit: TenureUnit = TenureUnit.MONTHS


Group = tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a rank asks for: any group suffices, all criteria of it are needed.

    ``from_rank`` limits an entry rule to members who are at that rank when it is looked at. A
    rank without a retention rule is kept by any of its entry rules, whoever they are for.
    """

    rank: int
    purpose: Purpose
    groups: tuple[Group, ...]
    from_rank: int | None = None


def describe_criterion(criterion: Criterion) -> dict[str, Any]:
    """Return what a criterion asks for, fit for JSON."""
    described: dict[str, Any] = {"metric": str(criterion.metric)}
    if criterion.metric is Metric.ATTRIBUTE:
        return described | {"attribute": criterion.attribute, "expected": criterion.value}
    described["threshold"] = criterion.threshold
    if criterion.metric is Metric.TENURE:
        return described | {"unit": str(criterion.unit)}
    return described | {"window": criterion.window.code}
