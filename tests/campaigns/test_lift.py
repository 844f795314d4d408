"""What a campaign has changed: the estimates hold what they promise, over many campaigns."""

import random
from collections.abc import Iterator

import pytest

from campaigns.domain import lift
from campaigns.domain.lift import Estimate, Moments, Share


def binomial(source: random.Random, members: int, chance: float) -> int:
    """Return how many of so many members did it."""
    return sum(source.random() < chance for _ in range(members))


def campaigns(count: int, *, added: float, seed: int) -> Iterator[Estimate]:
    """Yield the lift of campaigns whose members buy more by a known chance."""
    source = random.Random(seed)
    for _ in range(count):
        base = source.uniform(0.08, 0.3)
        treated = Share(900, binomial(source, 900, base + added))
        holdout = Share(300, binomial(source, 300, base))
        estimate = lift.difference_of_shares(treated, holdout)
        assert estimate is not None
        yield estimate


@pytest.mark.req("KPI-15")
def test_interval_holds_the_truth_in_95_of_100_campaigns() -> None:
    added = 0.05
    found = list(campaigns(1_000, added=added, seed=20_261_124))
    covered = sum(each.low <= added <= each.high for each in found) / len(found)
    bias = sum(each.value for each in found) / len(found) - added
    assert 0.93 <= covered <= 0.97
    assert abs(bias) < 0.003


@pytest.mark.req("KPI-15")
def test_ten_thousand_campaigns_that_change_nothing() -> None:
    found = [each.is_certain for each in campaigns(10_000, added=0.0, seed=11)]
    assert abs(sum(found) / len(found) - 0.05) <= 0.007


def test_interval_of_means_holds_the_truth_for_skewed_amounts() -> None:
    """Most members spend nothing, few spend much: amounts are never normal."""
    source, covered, rounds = random.Random(3), 0, 400
    for _ in range(rounds):
        treated = spending(source, 600, 0.25, 120.0)
        holdout = spending(source, 300, 0.20, 120.0)
        estimate = lift.difference_of_means(treated, holdout)
        assert estimate is not None
        covered += estimate.low <= 0.05 * 120.0 <= estimate.high
    assert 0.92 <= covered / rounds <= 0.975


def spending(source: random.Random, members: int, chance: float, mean: float) -> Moments:
    amounts = [
        source.expovariate(1 / mean) if source.random() < chance else 0.0 for _ in range(members)
    ]
    return Moments(members, sum(amounts), sum(amount * amount for amount in amounts))


def test_mean_of_a_small_arm_says_nothing() -> None:
    assert lift.difference_of_means(Moments(1_000, 10, 10), Moments(29, 1, 1)) is None


def test_share_of_an_empty_arm_says_nothing() -> None:
    assert lift.difference_of_shares(Share(10, 1), Share(0, 0)) is None


def test_division_of_one_hundred_thousand_in_506_to_494_raises_the_alarm() -> None:
    assert lift.is_ratio_wrong(50_600, 49_400, holdout_share=0.5)
    assert not lift.is_ratio_wrong(50_300, 49_700, holdout_share=0.5)


def test_alarm_of_the_ratio_is_false_in_at_most_three_of_a_thousand() -> None:
    source, alarms = random.Random(5), 0
    for _ in range(3_000):
        holdout = binomial(source, 2_000, 0.1)
        alarms += lift.is_ratio_wrong(2_000 - holdout, holdout, holdout_share=0.1)
    assert alarms / 3_000 <= 0.003


def test_division_without_a_holdout_raises_no_alarm() -> None:
    assert not lift.is_ratio_wrong(100, 0, holdout_share=0.0)


def test_known_interval_of_two_shares() -> None:
    """The worked example of Newcombe's paper: 56 of 70 against 48 of 80."""
    estimate = lift.difference_of_shares(Share(70, 56), Share(80, 48))
    assert estimate is not None
    assert (round(estimate.value, 4), round(estimate.low, 4), round(estimate.high, 4)) == (
        0.2000,
        0.0524,
        0.3339,
    )


@pytest.mark.req("KPI-10")
def test_return_counts_what_the_campaign_added_and_what_it_cost() -> None:
    per_member = Estimate(3.0, 1.0, 5.0)
    earned = lift.return_on(per_member, members=100, cost=200.0)
    assert earned == Estimate(0.5, -0.5, 1.5)
    assert lift.return_on(per_member, members=100, cost=0.0) is None


def test_pooled_strata_are_compared_like_with_like() -> None:
    """Mixed shares of hold-out over unlike strata mislead when they are thrown together."""
    rich = lift.difference_of_shares(Share(500, 250), Share(500, 250))
    poor = lift.difference_of_shares(Share(900, 90), Share(100, 10))
    assert rich is not None
    assert poor is not None
    thrown_together = lift.difference_of_shares(Share(1_400, 340), Share(600, 260))
    together = lift.pooled([(rich, 500), (poor, 900)])
    assert together is not None
    assert thrown_together is not None
    assert together.value == 0.0
    assert not together.is_certain
    assert thrown_together.is_certain, "which is why they are not"


def test_no_strata_say_nothing() -> None:
    assert lift.pooled([]) is None


def test_pooled_strata_weigh_what_they_addressed() -> None:
    little, much = Estimate(0.1, 0.0, 0.2), Estimate(0.2, 0.1, 0.3)
    together = lift.pooled([(little, 100), (much, 300)])
    assert together is not None
    assert round(together.value, 9) == 0.175
    assert round(together.value - together.low, 4) == 0.0791
    assert round(together.high - together.value, 4) == 0.0791
