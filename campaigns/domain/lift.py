"""What a campaign has changed: those addressed against the hold-out, with how sure that is.

Shares and means here are estimates, so they are floats; the points and the money that a campaign
has cost are exact and come from the ledger.

Source: KPI-10, KPI-15.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
# Under the normal approximation fewer members say nothing about a mean.
FEWEST_FOR_MEAN: Final = 30
# So rare by chance that whoever sees it looks for a fault in how members were divided.
ALARM_BELOW: Final = 0.001

_Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the members of an arm did it."""

    members: int
    successes: int

    @property
    def value(self) -> float:
        """Return the share, 0 for an arm without members."""
        return self.successes / self.members if self.members else 0.0


@dataclass(frozen=True, slots=True)
class Moments:
    """An amount over the members of an arm: its sum and the sum of its squares."""

    members: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """Return the amount per member, 0 for an arm without members."""
        return self.total / self.members if self.members else 0.0

    @property
    def error_squared(self) -> float:
        """Return the variance of the mean."""
        spread = self.squares - self.total * self.total / self.members
        return max(0.0, spread) / (self.members - 1) / self.members


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and between which bounds the truth lies in 95 of 100 campaigns."""

    value: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        """Tell whether chance alone would rarely show as much: zero lies outside."""
        return self.low > 0 or self.high < 0

    def times(self, factor: float) -> "Estimate":
        """Return the estimate of so many times as much; `factor` is not negative."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)

    def plus(self, amount: float) -> "Estimate":
        """Return the estimate moved by what is known exactly."""
        return Estimate(self.value + amount, self.low + amount, self.high + amount)


def difference_of_shares(treated: Share, holdout: Share) -> Estimate | None:
    """Return by how much the share of those addressed lies above the hold-out's.

    None where an arm has no members. Units: 0.01 is one percentage point.
    Source: Newcombe (1998), method 10: the score intervals of both shares, squared and added.
    """
    if not treated.members or not holdout.members:
        return None
    value = treated.value - holdout.value
    low, high = _score_interval(treated)
    low_holdout, high_holdout = _score_interval(holdout)
    return Estimate(
        value,
        value - sqrt((treated.value - low) ** 2 + (high_holdout - holdout.value) ** 2),
        value + sqrt((high - treated.value) ** 2 + (holdout.value - low_holdout) ** 2),
    )


def difference_of_means(treated: Moments, holdout: Moments) -> Estimate | None:
    """Return by how much the mean of those addressed lies above the hold-out's.

    None where an arm is too small for it to be said.
    Source: Welch (1947); the arms are large enough for the normal distribution.
    """
    if min(treated.members, holdout.members) < FEWEST_FOR_MEAN:
        return None
    value = treated.mean - holdout.mean
    reach = _Z * sqrt(treated.error_squared + holdout.error_squared)
    return Estimate(value, value - reach, value + reach)


def chance_of_ratio(treated: int, holdout: int, *, holdout_share: float) -> float:
    """Return how likely a division at least as uneven is, were members divided as planned.

    Source: the chi-squared test with one degree of freedom.
    """
    members = treated + holdout
    spread = members * holdout_share * (1 - holdout_share)
    if not spread:
        return 1.0
    distance = abs(holdout - members * holdout_share) / sqrt(spread)
    return 2 * NormalDist().cdf(-distance)


def is_ratio_wrong(treated: int, holdout: int, *, holdout_share: float) -> bool:
    """Tell whether members were surely not divided as planned: the result says nothing then."""
    return chance_of_ratio(treated, holdout, holdout_share=holdout_share) < ALARM_BELOW


def pooled(differences: Sequence[tuple[Estimate, int]]) -> Estimate | None:
    """Return the difference over strata, each weighing as many members as it addressed.

    A campaign that was widened has held back other shares of each intake; only like is compared
    with like. None without strata.
    """
    members = sum(weight for _, weight in differences)
    if not members:
        return None
    value = sum(each.value * weight for each, weight in differences) / members
    below = sqrt(sum(((e.value - e.low) * weight / members) ** 2 for e, weight in differences))
    above = sqrt(sum(((e.high - e.value) * weight / members) ** 2 for e, weight in differences))
    return Estimate(value, value - below, value + above)


def return_on(margin_per_member: Estimate, *, members: int, cost: float) -> Estimate | None:
    """Return (added margin − cost) ÷ cost; None for a campaign that has cost nothing.

    Source: KPI-10.
    """
    if cost <= 0:
        return None
    return margin_per_member.times(members / cost).plus(-1)


def _score_interval(share: Share) -> tuple[float, float]:
    """Return Wilson's score interval of a share."""
    n, squared = share.members, _Z * _Z
    middle = (share.value + squared / (2 * n)) / (1 + squared / n)
    odds = share.value * (1 - share.value) / n + squared / (4 * n * n)
    reach = _Z * sqrt(odds) / (1 + squared / n)
    return middle - reach, middle + reach
