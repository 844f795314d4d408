"""What still fits into budgets, act by act. Pure.

Source: CMP-15.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from campaigns.domain.effects import Cost


@dataclass(slots=True)
class Purse:
    """What is left of one budget; None: without limit. Units: points; money; acts."""

    points: int | None
    money: Decimal | None
    acts: int | None

    def lacks(self, cost: Cost) -> str:
        """Return what an act does not fit into, empty if it does."""
        if self.acts is not None and self.acts < 1:
            return "acts"
        if self.points is not None and self.points < cost.points:
            return "points"
        if self.money is not None and self.money < cost.money:
            return "money"
        return ""

    def take(self, cost: Cost) -> None:
        """Take an act out of what is left."""
        if self.acts is not None:
            self.acts -= 1
        if self.points is not None:
            self.points -= cost.points
        if self.money is not None:
            self.money -= cost.money


def fit(purses: Sequence[Purse], cost: Cost, *, is_partial: bool) -> tuple[Cost | None, str]:
    """Take an act out of every budget; returns what it may cost, or which budget it misses.

    A partial act gets the points that are left, if there are any; the rest of it as it is.
    """
    if is_partial:
        left = [purse.points for purse in purses if purse.points is not None]
        points = min([cost.points, *left])
        if points > 0 or not cost.points:
            cost = Cost(points, cost.money)
    for purse in purses:
        if lacking := purse.lacks(cost):
            return None, lacking
    for purse in purses:
        purse.take(cost)
    return cost, ""
