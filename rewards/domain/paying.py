"""Points as a means of payment: what they are worth, and how many a cart takes.

Units: points are integers, money is minor units, shares are hundredths of a percent.
Source: PTS-02; design §5.5.
"""

from dataclasses import dataclass
from typing import Any

WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class PayTerms:
    """`points` are worth `amount`; so many at least, in steps, for a share of the goods at most."""

    points: int = 100
    amount: int = 100
    min_points: int = 100
    step_points: int = 100
    max_bp: int = 5_000

    def amount_of(self, points: int) -> int:
        """Return what points are worth, rounded down to the minor unit."""
        return points * self.amount // self.points

    def most_for(self, goods: int) -> int:
        """Return the most points that this much of goods takes, in whole steps."""
        payable = goods * self.max_bp // WHOLE_BP
        points = payable * self.points // self.amount
        return self._in_steps(points)

    def _in_steps(self, points: int) -> int:
        return points - points % self.step_points


@dataclass(frozen=True, slots=True)
class Payable:
    """How many points of a member a cart takes, and why not more.

    `points` are those asked for, as far as they can be used; 0 where they cannot.
    """

    most: int
    points: int
    amount: int
    why: tuple[dict[str, Any], ...]


def payable(
    terms: PayTerms, *, goods: int, available: int, debt: int, asked: int | None
) -> Payable:
    """Decide how many points a cart takes; `goods` is what its goods cost after discounts.

    Nothing asked for: nothing is used, and `most` says what could be. Asking for what cannot be
    used uses none: the till asks again with a number that can.
    """
    most = _most(terms, goods, available, debt)
    why = _why(terms, goods=goods, available=available, debt=debt, asked=asked)
    used = 0 if asked is None or why else asked
    return Payable(most, used, terms.amount_of(used), tuple(why))


def _most(terms: PayTerms, goods: int, available: int, debt: int) -> int:
    if debt:
        return 0
    most = min(terms.most_for(goods), available - available % terms.step_points)
    return most if most >= max(terms.min_points, 1) else 0


def _why(
    terms: PayTerms, *, goods: int, available: int, debt: int, asked: int | None
) -> list[dict[str, Any]]:
    """Return the reasons against what is asked for, or, unasked, against paying at all."""
    if debt:
        return [{"code": "points_debt", "debt": debt}]
    wanted = terms.min_points if asked is None else asked
    if not wanted:
        return []
    why: list[dict[str, Any]] = []
    if wanted < terms.min_points:
        why.append({"code": "points_below_minimum", "min": terms.min_points})
    if wanted % terms.step_points:
        why.append({"code": "points_not_in_steps", "step": terms.step_points})
    if wanted > available:
        why.append({"code": "insufficient_points", "needed": wanted, "available": available})
    if wanted > terms.most_for(goods):
        why.append({"code": "points_above_share", "most": terms.most_for(goods)})
    return why
