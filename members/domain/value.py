"""How much a member is worth now and may be worth: visible sub-scores from 0 to 100, weighted.

A sub-score is linear up to a full mark that the policy names, so it rises with its input and says
the same whoever else there is. What is not known (no cost, nothing to compare with) is left out,
and the others weigh more; so scores rise with each input that is known.

Source: SEG-09, SEG-10, SEG-11, SEG-12.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

MODEL_VERSION: Final = 1
FULL: Final = 100

CURRENT: Final = ("frequency", "amount", "margin")
POTENTIAL: Final = ("growth", "recommendation", "new_products")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the model looks at, of the windows that the policy names.

    Units: minor units. None: not known.
    """

    orders: int = 0
    amount: int = 0
    margin: int | None = None
    amount_recent: int = 0
    amount_before: int = 0
    referrals: int = 0
    reviews: int = 0
    survey_score: int | None = None
    new_groups: int = 0


@dataclass(frozen=True, slots=True)
class Marks:
    """What gives a full sub-score, and how the sub-scores weigh.

    Units: minor units; a survey score counts `survey_points` a point of ten.
    """

    full_orders: int = 24
    full_amount: int = 600_000
    full_margin: int = 150_000
    full_growth_percent: int = 100
    referral_points: int = 30
    review_points: int = 10
    survey_points: int = 5
    full_new_groups: int = 5
    weights: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType(
            {
                "frequency": 40, "amount": 40, "margin": 20,
                "growth": 40, "recommendation": 30, "new_products": 30,
            }
        )
    )  # fmt: skip
    current_weight: int = 60


@dataclass(frozen=True, slots=True)
class Value:
    """The scores, from 0 to 100; `parts` holds the sub-scores, None for what is not known."""

    current: int
    potential: int
    total: int
    parts: Mapping[str, int | None]


def appraise(inputs: Inputs, marks: Marks) -> Value:
    """Return a member's scores.

    Source: SEG-10, SEG-11.
    """
    recommends = (
        inputs.referrals * marks.referral_points
        + inputs.reviews * marks.review_points
        + (inputs.survey_score or 0) * marks.survey_points
    )
    parts: dict[str, int | None] = {
        "frequency": _part(inputs.orders, marks.full_orders),
        "amount": _part(inputs.amount, marks.full_amount),
        "margin": None if inputs.margin is None else _part(inputs.margin, marks.full_margin),
        "growth": _growth(inputs, marks.full_growth_percent),
        "recommendation": _part(recommends, FULL),
        "new_products": _part(inputs.new_groups, marks.full_new_groups),
    }
    current, potential = (
        _weighted({name: parts[name] for name in names}, marks.weights)
        for names in (CURRENT, POTENTIAL)
    )
    share = marks.current_weight
    total = _rounded(current * share + potential * (FULL - share), FULL)
    return Value(current, potential, total, parts)


def _part(found: int, full: int) -> int:
    return max(0, min(found, full)) * FULL // full


def _growth(inputs: Inputs, full_percent: int) -> int | None:
    """Return 50 where nothing has changed, 100 where the spend has grown by the full mark."""
    if not inputs.amount_before:
        return None
    change = (inputs.amount_recent - inputs.amount_before) * 100 * 50
    return max(0, min(FULL, 50 + change // (inputs.amount_before * full_percent)))


def _weighted(parts: Mapping[str, int | None], weights: Mapping[str, int]) -> int:
    known = {name: score for name, score in parts.items() if score is not None}
    whole = sum(weights[name] for name in known)
    if not whole:
        return 0
    return _rounded(sum(score * weights[name] for name, score in known.items()), whole)


def _rounded(part: int, whole: int) -> int:
    """Return the quotient, halves up."""
    return (2 * part + whole) // (2 * whole)
