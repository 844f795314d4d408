"""Ladders that contradict themselves are refused; versions follow one another."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tiers.ladders import TIERS, YEAR, classic_ladder, entry, retention, spend
from tiers.domain.criteria import Group
from tiers.domain.ladder import (
    Criterion,
    Ladder,
    LadderBook,
    Metric,
    Purpose,
    Requirement,
    TierSpec,
    successor_rank,
)
from tiers.domain.ladder_checks import LadderError
from tiers.domain.windows import LIFETIME, Window, WindowKind, rolling

MAY = datetime(2026, 5, 1, tzinfo=UTC)


def with_groups(*groups: Group) -> dict[str, Any]:
    return {"requirements": (Requirement(1, Purpose.ENTRY, groups),)}


@pytest.mark.req("TIR-01")
def test_the_preset_has_four_levels() -> None:
    ladder = classic_ladder()
    assert [tier.code for tier in ladder.tiers] == ["basic", "silver", "gold", "diamond"]
    assert ladder.top_rank == 3
    assert ladder.tier(2).multiplier == (125, 100)
    assert ladder.rank_of("diamond") == 3
    assert ladder.rank_of("platinum") is None


@pytest.mark.parametrize("levels", [1, 2, 7])
@pytest.mark.req("TIR-01")
def test_any_number_of_levels(levels: int) -> None:
    tiers = tuple(TierSpec(f"t{rank}", rank) for rank in range(levels))
    rules = tuple(entry(rank, (spend(rank * 100),)) for rank in range(1, levels))
    assert Ladder(1, None, tiers, rules).top_rank == levels - 1


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("no_tier", {"tiers": (), "requirements": ()}),
        ("ranks_not_dense", {"tiers": (TierSpec("a", 0), TierSpec("b", 2))}),
        ("ranks_not_dense", {"tiers": (TierSpec("a", 1), TierSpec("b", 0))}),
        ("ranks_not_dense", {"tiers": (TierSpec("a", 0), TierSpec("b", 0))}),
        ("duplicate_tier_code", {"tiers": (TierSpec("a", 0), TierSpec("a", 1))}),
        ("multiplier_below_one", {"tiers": (TierSpec("a", 0, (9, 10)),)}),
        ("multiplier_below_one", {"tiers": (TierSpec("a", 0, (0, 0)),)}),
        ("version_negative", {"version": -1}),
        ("validity_too_short", {"validity_days": 0}),
        ("days_negative", {"grace_days": -1}),
        ("days_negative", {"withdraw_days": -1}),
        ("growth_weight_invalid", {"growth_spend_weight": (1, 0)}),
        ("growth_weight_invalid", {"growth_interaction_weight": (-1, 1)}),
        ("lowest_rank_has_requirement", {"requirements": (entry(0, (spend(1),)),)}),
        ("unknown_rank", {"requirements": (entry(4, (spend(1),)),)}),
        ("unknown_rank", {"requirements": (entry(-1, (spend(1),)),)}),
        ("from_rank_not_below", {"requirements": (entry(1, (spend(1),), from_rank=1),)}),
        (
            "retention_from_rank",
            {"requirements": (Requirement(2, Purpose.RETENTION, ((spend(1),),), 1),)},
        ),
        ("duplicate_requirement", {"requirements": (entry(1, (spend(1),)),) * 2}),
        ("empty_group", with_groups()),
        ("empty_group", with_groups(())),
        ("duplicate_criterion", with_groups((spend(1), spend(1)))),
        ("threshold_below_one", with_groups((spend(0),))),
        ("window_days_invalid", with_groups((spend(1, rolling(0)),))),
        ("window_days_invalid", with_groups((spend(1, Window(WindowKind.ROLLING_DAYS)),))),
        ("window_days_invalid", with_groups((spend(1, Window(WindowKind.LIFETIME, 3)),))),
        ("period_too_long", with_groups((spend(1, rolling(40_000)),))),
        ("period_too_long", with_groups((Criterion(Metric.TENURE, threshold=1300),))),
        ("attribute_invalid", with_groups((Criterion(Metric.ATTRIBUTE, attribute="a"),))),
        ("attribute_invalid", with_groups((Criterion(Metric.SPEND, YEAR, 1, attribute="a"),))),
        ("attribute_invalid", with_groups((Criterion(Metric.SPEND, YEAR, 1, value="a"),))),
    ],
)
@pytest.mark.req("TIR-01")
def test_a_ladder_that_contradicts_itself_is_refused(code: str, change: dict[str, Any]) -> None:
    with pytest.raises(LadderError) as raised:
        replace(classic_ladder(), **change)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("code", "versions"),
    [
        ("no_version", lambda ladder: []),
        ("duplicate_version", lambda ladder: [ladder, replace(ladder, effective_from=MAY)]),
        ("duplicate_effective_from", lambda ladder: [ladder, replace(ladder, version=2)]),
    ],
)
def test_versions_that_clash_are_refused(
    code: str, versions: Callable[[Ladder], list[Ladder]]
) -> None:
    with pytest.raises(LadderError) as raised:
        LadderBook(versions(classic_ladder()))
    assert raised.value.code == code


def test_a_version_is_in_force_from_its_instant_on() -> None:
    first = classic_ladder()
    second = replace(first, version=2, effective_from=MAY)
    book = LadderBook([second, first])
    assert book.at(MAY - timedelta(microseconds=1)) is first
    assert book.at(MAY) is second
    assert book.version(2) is second
    assert book.after(1) is second
    assert book.after(2) is None


def test_before_the_first_version_only_the_lowest_tier_exists() -> None:
    first = replace(classic_ladder(), effective_from=MAY)
    book = LadderBook([first])
    before = book.at(MAY - timedelta(days=1))
    assert [tier.code for tier in before.tiers] == ["basic"]
    assert book.after(before.version) is first


def test_a_book_knows_what_has_to_be_kept() -> None:
    assert not LadderBook([classic_ladder()]).tracks_largest
    largest = Criterion(Metric.LARGEST_ORDER, YEAR, 5)
    book = LadderBook([Ladder(1, None, TIERS[:2], (entry(1, (largest,)),))])
    assert (book.tracks_largest, book.keeps_all_days) == (True, False)
    ever = replace(largest, window=LIFETIME)
    book = LadderBook([Ladder(1, None, TIERS[:2], (entry(1, (ever,)),))])
    assert book.keeps_all_days


def test_tiers_keep_their_code_from_version_to_version() -> None:
    old = classic_ladder()
    codes = ("basic", "bronze", "silver", "diamond")
    new = Ladder(2, MAY, tuple(TierSpec(code, rank) for rank, code in enumerate(codes)))
    assert [successor_rank(old, new, rank) for rank in range(4)] == [0, 2, 2, 3]


def test_retention_defaults_to_entry() -> None:
    ladder = Ladder(1, None, TIERS[:3], (entry(1, (spend(9),)), retention(1, (spend(5),))))
    assert [check.terms for check in ladder.plan.retention[1]] == [((0, 5),)]
    assert ladder.plan.retention[2] == ()
    assert classic_ladder().plan.retention == classic_ladder().plan.entry
