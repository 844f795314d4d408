"""What else the fold promises: tenure, order of facts, new ladders, snapshots."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.tiers.ladders import (
    JOINED_AT,
    TIERS,
    Player,
    classic_ladder,
    entry,
    interactions,
    spend,
)
from tiers.domain.ladder import (
    Criterion,
    Ladder,
    LadderBook,
    Metric,
    TierSpec,
)
from tiers.domain.progress import Contribution, StaleSnapshotError
from tiers.domain.qualification import TierFold
from tiers.domain.windows import CALENDAR_YEAR, LIFETIME, rolling


@pytest.mark.req("TIR-12")
def test_three_years_of_membership_are_reached_at_their_midnight() -> None:
    rule = entry(1, (Criterion(Metric.TENURE, threshold=36),))
    joined_at = datetime(2024, 2, 29, 3, 0, tzinfo=UTC)
    player = Player(Ladder(1, None, classic_ladder().tiers[:2], (rule,)), joined_at)
    assert player.fold.next_due_at(player.book) == datetime(2027, 2, 27, 16, 0, tzinfo=UTC)
    player.settle(2000)
    assert player.fold.changes[1].at == datetime(2027, 2, 27, 16, 0, tzinfo=UTC)
    assert player.fold.rank == 1


def test_a_rule_limited_to_a_rank_is_for_members_at_that_rank() -> None:
    rules = (
        entry(1, (spend(1000),)),
        entry(2, (spend(5000),)),
        entry(2, (spend(2000),), from_rank=1),
    )
    ladder = Ladder(1, None, classic_ladder().tiers[:3], rules)
    player = Player(ladder)
    player.order(0, 2000)
    assert player.fold.rank == 1
    player.order(1, 1, "B")
    assert player.fold.rank == 2
    player.order(2, 0, "B")
    assert player.fold.rank == 2
    player.order(3, 1999, "o0")
    assert player.fold.rank == 1


def test_progress_counts_on_its_own_day_however_late() -> None:
    player = Player(classic_ladder())
    player.order(400, 50_000)
    fold, at = player.fold, player.at(401)
    for placed in (36, 37):
        deltas = fold.order_changed(
            at=at,
            placed_on=player.day(placed),
            order=placed,
            before=None,
            after=Contribution(50_000, True),
            first_payment=True,
            book=player.book,
        )
        assert [(str(d.metric), d.amount, d.on) for d in deltas] == [
            ("spend", 50_000, player.day(placed)),
            ("orders", 1, player.day(placed)),
        ]
        assert fold.rank == (0 if placed == 36 else 1)


def test_facts_out_of_order_are_refused() -> None:
    player = Player(classic_ladder())
    player.order(5, 100)
    before = player.fold.to_json()
    with pytest.raises(ValueError, match="fact_out_of_order"):
        player.order(4, 100)
    with pytest.raises(ValueError, match="progress_in_future"):
        player.fold.interaction(at=player.at(5), on=player.day(6), kind="survey", book=player.book)
    assert player.fold.to_json() == before


def test_settling_with_nothing_due_changes_nothing() -> None:
    player = Player(classic_ladder())
    player.order(5, 100)
    before = player.fold.to_json()
    player.settle(3000)
    assert player.fold.to_json() == before


def test_a_first_standing_may_begin_before_enrolment() -> None:
    fold = TierFold.enrol(JOINED_AT, standing_from=JOINED_AT - timedelta(days=9))
    (change,) = fold.changes
    assert (change.at, change.rank, change.rank_before) == (JOINED_AT - timedelta(days=9), 0, None)


def versions(second: Ladder) -> LadderBook:
    return LadderBook([classic_ladder(), second])


@pytest.mark.req("TIR-01")
def test_a_new_ladder_moves_nobody_whose_tier_stays() -> None:
    start = JOINED_AT + timedelta(days=50)
    harder = Ladder(2, start, classic_ladder().tiers, (entry(1, (spend(900_000),)),))
    player = Player(versions(harder))
    player.order(0, 100_000)
    player.settle(60)
    assert (player.fold.rank, player.fold.version) == (1, 2)
    assert player.reasons == ["enrolled", "qualified"]
    player.settle(366)
    assert player.fold.rank == 0


def test_a_new_ladder_without_the_tier_moves_to_the_next_lower_one() -> None:
    start = JOINED_AT + timedelta(days=50)
    tiers = (TierSpec("basic", 0), TierSpec("bronze", 1), TierSpec("silver", 2))
    player = Player(versions(Ladder(2, start, tiers, (entry(2, (spend(100_000),)),))))
    player.order(0, 300_000)
    assert player.fold.next_due_at(player.book) == start
    player.settle(50)
    moved = player.fold.changes[-1]
    assert (moved.at, moved.rank, moved.reason) == (start, 2, "ladder_changed")
    assert moved.evidence == {
        "ladder": 2,
        "ladder_before": 1,
        "tier": "silver",
        "tier_before": "gold",
    }
    assert moved.kept_until_on == player.day(365)


def test_an_attribute_earns_and_loses() -> None:
    rule = entry(1, (Criterion(Metric.ATTRIBUTE, attribute="staff", value="yes"),))
    ladder = Ladder(1, None, classic_ladder().tiers[:2], (rule,))
    player = Player(ladder)
    for day, value, rank in ((1, "no", 0), (2, "yes", 1), (3, "yes", 1), (4, None, 0)):
        player.fold.attribute_changed(
            at=player.at(day), name="staff", value=value, book=player.book
        )
        assert player.fold.rank == rank
        player.fold = player.fold.copy()


def test_a_snapshot_too_narrow_for_a_new_ladder_is_refused() -> None:
    player = Player(classic_ladder())
    for day in range(0, 800, 20):
        player.order(day, 100)
    assert player.fold.progress.days.kept_from
    wider = classic_ladder(window=CALENDAR_YEAR)
    assert player.fold.copy().next_due_at(LadderBook([wider])) is None
    from_start = Ladder(
        1, None, classic_ladder().tiers, (entry(1, (Criterion(Metric.LARGEST_ORDER),)),)
    )
    with pytest.raises(StaleSnapshotError):
        player.fold.copy().next_due_at(LadderBook([from_start]))
    two_years = Ladder(1, None, classic_ladder().tiers, (entry(1, (interactions(3),)),))
    assert player.fold.copy().next_due_at(LadderBook([two_years])) is None


def test_days_that_were_summed_up_cannot_be_asked_for_again() -> None:
    player = Player(classic_ladder(window=rolling(30)))
    for day in range(0, 200, 10):
        player.order(day, 100)
    assert player.fold.progress.days.kept_from
    with pytest.raises(StaleSnapshotError):
        player.fold.copy().settle(player.at(200), LadderBook([classic_ladder()]))
    other = LadderBook([classic_ladder(), Ladder(7, player.at(1), TIERS)])
    fold = player.fold.copy()
    fold.version = 9
    with pytest.raises(StaleSnapshotError):
        fold.settle(player.at(200), other)


def test_corrections_of_days_summed_up_reach_the_lifetime() -> None:
    rules = (
        entry(1, (spend(2_000, LIFETIME),)),
        entry(2, (spend(9_000, rolling(30)),)),
    )
    player = Player(Ladder(1, None, TIERS[:3], rules))
    for day in range(0, 190, 10):
        player.order(day, 100, f"d{day}")
    assert player.fold.progress.days.kept_from > player.day(0).toordinal()
    player.order(190, 199, "d0")
    assert player.fold.rank == 0
    player.order(190, 200, "d0")
    assert player.fold.rank == 1
    player.order(191, 0, "d0")
    assert player.reasons[-1] == "qualification_withdrawn"


def test_progress_before_the_first_ladder_counts_once_it_is_in_force() -> None:
    first = replace(classic_ladder(), effective_from=JOINED_AT + timedelta(days=10))
    player = Player(LadderBook([first]))
    player.order(0, 150_000)
    player.interact(0, times=3)
    player.settle(10)
    assert (player.fold.rank, player.reasons) == (0, ["enrolled"])
    player.order(11, 1)
    assert player.fold.rank == 1
    assert player.fold.progress.days.totals[2] == 3


def test_a_review_that_a_new_ladder_makes_overdue_acts_at_the_change() -> None:
    generous = classic_ladder(grace_days=60)
    start = JOINED_AT + timedelta(days=400)
    strict = replace(generous, version=2, effective_from=start, grace_days=0)
    player = Player(LadderBook([generous, strict]))
    player.order(0, 100_000)
    player.order(380, 1)
    player.settle(500)
    lowered = player.fold.changes[-1]
    assert (lowered.at, lowered.reason, lowered.rank) == (start, "review_downgrade", 0)


def test_a_review_raises_whom_time_alone_has_qualified() -> None:
    average = Criterion(Metric.AVERAGE_ORDER, rolling(400), 100)
    rules = (entry(1, (Criterion(Metric.ORDERS, LIFETIME, 1),)), entry(2, (average,)))
    player = Player(Ladder(1, None, TIERS[:3], rules))
    player.order(0, 10)
    player.order(100, 150)
    assert (player.fold.rank, player.fold.kept_until_on) == (1, player.day(465))
    player.settle(465)
    assert player.fold.rank == 1
    player.settle(466)
    assert (player.fold.rank, player.reasons[-1]) == (2, "review_upgrade")


def test_only_attributes_that_a_ladder_asks_for_are_kept() -> None:
    player = Player(classic_ladder())
    player.fold.attribute_changed(at=player.at(1), name="city", value="x", book=player.book)
    assert "attributes" not in player.fold.to_json()


@pytest.mark.req("TIR-03")
def test_the_largest_order_follows_corrections() -> None:
    rule = entry(1, (Criterion(Metric.LARGEST_ORDER, rolling(30), 500),))
    player = Player(Ladder(1, None, TIERS[:2], (rule,)))
    player.order(0, 499, "A")
    player.order(0, 499, "B")
    assert player.fold.rank == 0
    player.order(1, 500, "B")
    assert player.fold.rank == 1
    player.fold = player.fold.copy()
    player.order(2, 0, "B")
    assert player.reasons[-1] == "qualification_withdrawn"


@pytest.mark.req("TIR-03")
def test_growth_is_weighted_exactly_and_floored_once() -> None:
    rule = entry(1, (Criterion(Metric.GROWTH, LIFETIME, 10),))
    ladder = Ladder(
        1,
        None,
        TIERS[:2],
        (rule,),
        growth_spend_weight=(1, 100),
        growth_interaction_weight=(5, 2),
    )
    player = Player(ladder)
    player.interact(0, times=3)
    player.order(0, 249)
    assert player.fold.rank == 0  # 7.5 + 2.49
    player.order(0, 1)
    assert player.fold.rank == 1
