"""Upgrades, renewals, reviews and withdrawals, each on an example to check by hand."""

import json
from datetime import timedelta

import pytest

from config.base import clock
from tests.tiers.ladders import (
    JOINED_AT,
    Player,
    classic_ladder,
    entry,
    retention,
    spend,
)
from tiers.domain.ladder import (
    Ladder,
    RefundPolicy,
    ReviewPolicy,
)


@pytest.mark.parametrize(
    ("amount", "deeds", "rank"),
    [
        (99_999, 11, 0),
        (100_000, 0, 1),
        (0, 12, 1),
        (299_999, 35, 1),
        (300_000, 0, 2),
        (0, 36, 2),
        (599_999, 71, 2),
        (600_000, 0, 3),
        (0, 72, 3),
        (600_000, 72, 3),
    ],
)
@pytest.mark.req("TIR-01")
@pytest.mark.req("TIR-02")
def test_classic_thresholds(amount: int, deeds: int, rank: int) -> None:
    player = Player(classic_ladder())
    player.order(0, amount)
    player.interact(0, times=deeds)
    assert player.fold.rank == rank


@pytest.mark.req("TIR-02")
@pytest.mark.req("TIR-05")
def test_an_upgrade_says_by_which_figures() -> None:
    player = Player(classic_ladder())
    player.order(3, 350_000, "A1")
    change = player.fold.changes[-1]
    assert (change.at, change.rank, change.rank_before) == (player.at(3), 2, 0)
    assert (change.reason, change.kept_until_on) == ("qualified", player.day(368))
    assert change.begins_standing
    assert change.evidence == {
        "ladder": 1,
        "day": "2026-01-13",
        "order": "A1",
        "checks": [
            {
                "tier": "gold",
                "purpose": "entry",
                "group": 0,
                "criteria": [
                    {
                        "metric": "spend",
                        "window": "rolling_days:365",
                        "from": "2025-01-14",
                        "to": "2026-01-13",
                        "value": 350_000,
                        "threshold": 300_000,
                        "met": True,
                    }
                ],
            }
        ],
    }
    json.dumps(change.evidence)


@pytest.mark.parametrize("kind", ["check_in", "share"])
def test_kinds_that_never_qualify(kind: str) -> None:
    player = Player(classic_ladder())
    player.interact(0, kind, 72)
    assert player.fold.rank == 0
    assert player.fold.to_json()["days"] == {"t": [0, 0, 0, 0, 0]}


@pytest.mark.req("TIR-05")
def test_a_renewal_moves_the_end_and_begins_no_standing() -> None:
    player = Player(classic_ladder())
    player.order(0, 100_000)
    player.order(20, 1)
    renewal = player.fold.changes[-1]
    assert (renewal.reason, renewal.kept_until_on) == ("renewed", player.day(385))
    assert not renewal.begins_standing
    assert player.fold.since_at == player.at(0)
    player.order(20, 1)
    assert player.reasons == ["enrolled", "qualified", "renewed"]


@pytest.mark.req("TIR-08")
def test_the_review_lowers_one_rank_at_the_midnight_after_the_last_day() -> None:
    player = Player(classic_ladder())
    player.order(0, 600_000)
    due = clock.day_start(player.day(366))
    assert player.fold.next_due_at(player.book) == due
    player.fold.settle(due - timedelta(microseconds=1), player.book)
    assert player.fold.rank == 3
    player.fold.settle(due, player.book)
    lowered = player.fold.changes[-1]
    assert (lowered.at, lowered.rank, lowered.reason) == (due, 2, "review_downgrade")
    assert lowered.kept_until_on == player.day(365 + 365)


@pytest.mark.req("TIR-08")
def test_a_late_run_reviews_every_year_in_order() -> None:
    player = Player(classic_ladder())
    player.order(0, 600_000)
    player.settle(4000)
    steps = [(clock.local_day(c.at), c.rank, c.kept_until_on) for c in player.fold.changes[2:]]
    assert steps == [
        (player.day(366), 2, player.day(730)),
        (player.day(731), 1, player.day(1095)),
        (player.day(1096), 0, None),
    ]
    assert player.fold.next_due_at(player.book) is None


@pytest.mark.req("TIR-08")
def test_the_review_may_lower_to_what_is_earned() -> None:
    player = Player(classic_ladder(review=ReviewPolicy.TO_EARNED))
    player.order(0, 600_000)
    player.settle(366)
    assert (player.fold.rank, player.reasons[-1]) == (0, "review_downgrade")


@pytest.mark.req("TIR-08")
def test_grace_gives_days_to_renew() -> None:
    player = Player(classic_ladder(grace_days=10))
    player.order(0, 100_000)
    player.settle(375)
    assert player.fold.rank == 1
    player.order(375, 100_000)
    assert player.fold.kept_until_on == player.day(375 + 365)
    lapsed = Player(classic_ladder(grace_days=10))
    lapsed.order(0, 100_000)
    lapsed.settle(376)
    assert lapsed.fold.rank == 0


@pytest.mark.req("TIR-08")
def test_a_retention_rule_below_entry_keeps_the_tier() -> None:
    rules = (entry(1, (spend(1000),)), retention(1, (spend(600),)))
    player = Player(Ladder(1, None, classic_ladder().tiers[:2], rules))
    player.order(0, 1000)
    player.order(365, 599)
    assert player.fold.kept_until_on == player.day(365)
    kept = Player(Ladder(1, None, classic_ladder().tiers[:2], rules))
    kept.order(0, 1000)
    kept.order(365, 600)
    assert kept.fold.kept_until_on == kept.day(730)


@pytest.mark.req("TIR-08")
def test_a_fact_at_the_instant_of_a_review_comes_after_it() -> None:
    player = Player(classic_ladder())
    player.order(0, 100_000)
    midnight = (clock.day_start(player.day(366)) - JOINED_AT) / timedelta(days=1)
    player.order(midnight, 100_000)
    assert player.reasons[2:] == ["review_downgrade", "qualified"]
    assert [change.at for change in player.fold.changes[2:]] == [player.at(midnight)] * 2


@pytest.mark.parametrize(("day", "rank"), [(30, 0), (31, 1)])
@pytest.mark.req("TIR-09")
def test_a_refund_withdraws_an_upgrade_of_the_last_30_days(day: int, rank: int) -> None:
    player = Player(classic_ladder())
    player.order(0, 100_000, "A")
    player.order(day, 99_999, "A")
    assert player.fold.rank == rank
    if not rank:
        assert player.reasons[-1] == "qualification_withdrawn"
        assert player.fold.kept_until_on is None


@pytest.mark.req("TIR-09")
def test_a_withdrawal_goes_back_to_what_is_still_earned_and_keeps_the_end() -> None:
    player = Player(classic_ladder())
    player.order(0, 700_000, "A")
    player.order(5, 300_000, "A")
    assert (player.fold.rank, player.fold.kept_until_on) == (2, player.day(365))
    player.order(6, 0, "A")
    assert (player.fold.rank, player.fold.kept_until_on) == (0, None)


@pytest.mark.req("TIR-09")
def test_a_withdrawal_stops_at_the_rank_before_the_upgrades_of_those_days() -> None:
    player = Player(classic_ladder())
    player.order(0, 100_000, "A")
    player.order(40, 500_000, "B")
    player.order(41, 0, "A")
    assert player.fold.rank == 2
    player.order(41, 0, "B")
    assert player.fold.rank == 1
    assert player.fold.kept_until_on == player.day(405)


@pytest.mark.req("TIR-09")
def test_a_refund_that_leaves_the_entry_met_changes_nothing() -> None:
    player = Player(classic_ladder())
    player.order(0, 100_001, "A")
    player.order(1, 100_000, "A")
    assert player.reasons == ["enrolled", "qualified"]


@pytest.mark.parametrize(
    ("policy", "then", "later"),
    [
        (RefundPolicy.KEEP, 1, 1),
        (RefundPolicy.WITHDRAW, 1, 1),
        (RefundPolicy.IMMEDIATE, 0, 0),
        (RefundPolicy.GRACE, 1, 0),
    ],
)
@pytest.mark.req("TIR-09")
def test_each_refund_policy_on_an_old_upgrade(policy: RefundPolicy, then: int, later: int) -> None:
    player = Player(classic_ladder(refund_policy=policy, grace_days=7))
    player.order(0, 100_000, "A")
    player.order(60, 0, "A")
    assert player.fold.rank == then
    player.settle(67)
    assert player.fold.rank == then
    player.settle(68)
    assert player.fold.rank == later


@pytest.mark.req("TIR-09")
def test_what_is_earned_again_within_the_grace_is_kept() -> None:
    player = Player(classic_ladder(refund_policy=RefundPolicy.GRACE, grace_days=7))
    player.order(0, 100_000, "A")
    player.order(60, 0, "A")
    player.order(62, 100_000, "B")
    player.settle(100)
    assert player.reasons == ["enrolled", "qualified", "renewed"]
