"""What a member is told about the next tier, against what the engine then does."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.tiers.ladders import TIERS, YEAR, Player, classic_ladder, entry, interactions, spend
from tiers.domain import advice
from tiers.domain.ladder import Criterion, Ladder, Metric
from tiers.domain.windows import (
    CALENDAR_YEAR,
    CURRENT_STANDING,
    LIFETIME,
    MEMBERSHIP_YEAR,
    TenureUnit,
    rolling,
)

pytestmark = pytest.mark.req("TIR-07")

WINDOWS = st.sampled_from(
    [rolling(40), YEAR, CALENDAR_YEAR, MEMBERSHIP_YEAR, LIFETIME, CURRENT_STANDING]
)
ADDABLE = st.sampled_from(
    [
        Metric.SPEND,
        Metric.ORDERS,
        Metric.AVERAGE_ORDER,
        Metric.LARGEST_ORDER,
        Metric.INTERACTIONS,
        Metric.REFERRALS,
        Metric.GROWTH,
        Metric.POINTS_EARNED,
    ]
)
HISTORY = st.lists(st.tuples(st.floats(0, 30), st.integers(1, 900), st.booleans()), max_size=12)


def add(player: Player, metric: Metric, amount: int, day: float) -> None:
    """Do what the advice asks for, as a member would: one order, or so many deeds."""
    if metric in (Metric.SPEND, Metric.AVERAGE_ORDER, Metric.LARGEST_ORDER):
        if amount:
            player.order(day, amount)
    elif metric is Metric.POINTS_EARNED:
        player.fold.points_earned(on=player.day(day), points=amount)
        player.order(day, 1)
    elif metric is Metric.ORDERS:
        for _ in range(amount):
            player.order(day, 1)
    else:
        kind = "referral" if metric is Metric.REFERRALS else "survey"
        player.interact(day, kind, amount)


@given(metric=ADDABLE, window=WINDOWS, threshold=st.integers(1, 1500), history=HISTORY)
@pytest.mark.parametrize("short_by", [0, 1])
def test_exactly_what_is_needed_upgrades_and_one_less_does_not(
    metric: Metric,
    window: object,
    threshold: int,
    history: list[tuple[float, int, bool]],
    short_by: int,
) -> None:
    if metric in (Metric.ORDERS, Metric.INTERACTIONS, Metric.REFERRALS, Metric.GROWTH):
        threshold = threshold % 20 + 1
    rule = entry(1, (Criterion(metric, window, threshold),))  # type: ignore[arg-type]
    # Growth counts interactions alone here, so that one deed is one unit.
    ladder = Ladder(
        1, None, TIERS[:2], (rule,),
        growth_spend_weight=(0, 1), growth_interaction_weight=(1, 1),
    )  # fmt: skip
    player = Player(ladder)
    day = 0.0
    for gap, amount, is_order in history:
        day += gap
        if is_order:
            player.order(day, amount)
        else:
            player.interact(day, "referral" if amount % 2 else "survey")
    assume(player.fold.rank == 0)
    (gap_now,) = advice.progress_report(player.fold, player.book, player.at(day))
    assert gap_now["next_tier"] == "silver"
    assert gap_now["needed"] > 0
    add(player, metric, gap_now["needed"] - short_by, day)
    assert player.fold.rank == (0 if short_by else 1)


@given(orders=st.lists(st.integers(1, 150_000), max_size=6), deeds=st.integers(0, 40))
def test_classic_gaps_are_those_of_the_next_tier(orders: list[int], deeds: int) -> None:
    player = Player(classic_ladder())
    for number, amount in enumerate(orders):
        player.order(number, amount)
    player.interact(10, times=deeds)
    gaps = advice.progress_report(player.fold, player.book, player.at(10))
    if player.fold.rank == 3:
        assert gaps == []
        return
    by_metric = {gap["metric"]: gap for gap in gaps}
    target = TIERS[player.fold.rank + 1].code
    assert {gap["next_tier"] for gap in gaps} == {target}
    assert by_metric["spend"]["value"] == sum(orders)
    assert by_metric["interactions"]["value"] == deeds
    rank = player.fold.rank
    if by_metric["spend"]["needed"] > 1:
        player.order(10, by_metric["spend"]["needed"] - 1)
    assert player.fold.rank == rank
    player.order(10, 1)
    assert player.fold.rank == rank + 1


def test_a_report_changes_nothing_and_sees_what_is_due() -> None:
    player = Player(classic_ladder())
    player.order(0, 300_000)
    before = player.fold.to_json()
    report = advice.progress_report(player.fold, player.book, player.at(400))
    assert player.fold.to_json() == before
    assert [gap["next_tier"] for gap in report] == ["gold", "gold"]
    assert report[0]["needed"] == 300_000


def test_progress_says_when_it_starts_to_fall_out() -> None:
    player = Player(classic_ladder())
    player.order(0, 100)
    player.order(5, 100)
    first, second = advice.progress_report(player.fold, player.book, player.at(5))
    assert first["expires_on"] == player.day(364).isoformat()
    assert second["expires_on"] is None
    late = advice.progress_report(player.fold, player.book, player.at(364))[0]
    assert late["value"] == 200
    gone = advice.progress_report(player.fold, player.book, player.at(365))[0]
    assert gone["value"] == 100
    assert gone["expires_on"] == player.day(369).isoformat()


def test_cheapest_path_is_the_group_reached_most() -> None:
    player = Player(classic_ladder())
    player.order(0, 40_000)
    player.interact(0, times=9)
    (path,) = advice.cheapest_path(player.fold, player.book, player.at(0))
    assert (path["metric"], path["needed"]) == ("interactions", 3)
    player.order(1, 50_000)
    (path,) = advice.cheapest_path(player.fold, player.book, player.at(1))
    assert (path["metric"], path["needed"]) == ("spend", 10_000)


def test_cheapest_path_counts_all_criteria_of_a_group() -> None:
    rule = entry(1, (spend(1000), interactions(10)), (Criterion(Metric.ORDERS, YEAR, 4),))
    player = Player(Ladder(1, None, TIERS[:2], (rule,)))
    player.order(0, 600)
    player.interact(0, times=5)
    # Missing 0.4 + 0.5 of the first group against 0.75 of the second.
    assert [g["metric"] for g in advice.cheapest_path(player.fold, player.book, player.at(0))] == [
        "orders"
    ]
    player.order(0, 300)
    player.interact(0, times=4)
    # Missing 0.1 + 0.1 against 0.5.
    paths = advice.cheapest_path(player.fold, player.book, player.at(0))
    assert [(gap["metric"], gap["needed"]) for gap in paths] == [
        ("spend", 100),
        ("interactions", 1),
    ]


def test_tenure_and_attribute_gaps() -> None:
    rule = entry(
        1,
        (
            Criterion(Metric.TENURE, threshold=30, unit=TenureUnit.DAYS),
            Criterion(Metric.ATTRIBUTE, attribute="staff", value="yes"),
        ),
    )
    player = Player(Ladder(1, None, TIERS[:2], (rule,)))
    tenure, attribute = advice.progress_report(player.fold, player.book, player.at(10))
    assert tenure["needed"] == 20
    assert (attribute["needed"], attribute["attribute"]) == (1, "staff")
    player.fold.attribute_changed(at=player.at(11), name="staff", value="yes", book=player.book)
    assert player.fold.rank == 0
    player.settle(30)
    assert player.fold.rank == 1


def test_retention_report_shows_the_way_to_a_renewal() -> None:
    player = Player(classic_ladder())
    assert advice.retention_report(player.fold, player.book, player.at(0)) == []
    player.order(0, 100_000)
    player.order(100, 30_000)
    report = advice.retention_report(player.fold, player.book, player.at(365))
    assert [(gap["metric"], gap["needed"]) for gap in report] == [
        ("spend", 70_000),
        ("interactions", 12),
    ]
