"""How rules combine, are limited and are refused, with numbers a person can check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rewards.domain.evaluation import (
    Award,
    compile_rulebook,
)
from rewards.domain.rules import (
    CapPeriod,
    Fixed,
    GroupMode,
    Multiplier,
    PerAmount,
    RuleError,
    Trigger,
)
from tests.rewards.carts import INSTANT, line, order, refund_amount
from tests.rewards.deciding import (
    BASE,
    CLASSIC,
    DOUBLE,
    GOLD,
    TIER,
    decide,
    on_lines,
    points,
    rule,
    when,
)


@pytest.mark.req("BEN-07")
def test_multipliers_each_apply_to_the_base() -> None:
    decision = decide([BASE, TIER, DOUBLE], order(line(1, 10_000)), tier=GOLD)
    assert points(decision) == {"base": 100, "tier": 25, "double": 100}


@pytest.mark.req("BEN-07")
def test_multipliers_stack_as_a_product_only_inside_a_group() -> None:
    group = {"group": "accelerators", "group_mode": GroupMode.PRODUCT}
    first = rule("tier", TIER.effect, priority=1, **group)
    second = rule("double", DOUBLE.effect, priority=2, **group)
    decision = decide([second, BASE, first], order(line(1, 10_000)), tier=GOLD)
    # 100 × 1.25 × 2 = 250: the tier adds 25 of it, the doubling of 125 adds 125.
    assert points(decision) == {"base": 100, "tier": 25, "double": 125}
    assert decision.explanation[2]["stacked_on"] == "1.25"


@pytest.mark.req("BEN-07")
def test_each_rule_is_floored_once_from_the_exact_base() -> None:
    # 19.99: base 19.99 → 19; a quarter of 19.99 is 4.9975 → 4, not a quarter of 19.
    assert points(decide(CLASSIC, order(line(1, 1_999)), tier=GOLD)) == {"base": 19, "tier": 4}
    # 20.00 paid a third in points: 13.33… and 3.33….
    version = order(line(1, 3_000), paid=1_000)
    assert points(decide(CLASSIC, version, refund_amount(1_000), tier=GOLD)) == {
        "base": 13,
        "tier": 3,
    }


def test_factor_of_one_gives_nothing_and_says_so() -> None:
    decision = decide(CLASSIC, order(line(1, 10_000)))
    assert points(decision) == {"base": 100}
    assert decision.explanation[1] == {
        "rule": "tier",
        "code": "factor_is_one",
        "base": "100.00",
        "rate": [1, 100],
        "factor": "1",
        "tier": "basic",
        "points": 0,
    }


def test_cap_on_one_order_cuts_and_is_shown() -> None:
    capped = rule("base", PerAmount(1, 100), max_points=30)
    decision = decide([capped], order(line(1, 10_000)))
    assert points(decision) == {"base": 30}
    assert decision.explanation[0]["uncapped"] == 100


def test_cap_per_member_is_carried_to_the_caller() -> None:
    capped = rule("x", Fixed(30), cap_points=100, cap_period=CapPeriod.MONTH, version=4, key=77)
    (award,) = decide([capped], order(line(1, 100))).awards
    assert award == Award(capped, 30, 0, 1, 30)
    assert (award.cap_points, award.cap_period) == (100, CapPeriod.MONTH)
    assert (award.rule_key, award.rule_code, award.rule_version) == (77, "x", 4)


def test_best_of_a_group_wins_and_the_rest_say_so() -> None:
    group = {"group": "g", "group_mode": GroupMode.BEST}
    rules = [
        rule("half", PerAmount(1, 200), priority=1, **group),
        rule("full", PerAmount(1, 100), priority=2, **group),
        rule("flat", Fixed(70), priority=3, **group),
    ]
    assert points(decide(rules, order(line(1, 10_000)))) == {"full": 100}
    decision = decide(rules, order(line(1, 5_000)))
    assert points(decision) == {"flat": 70}
    assert decision.explanation[0] == {
        "rule": "half",
        "code": "not_best",
        "group": "g",
        "kept": "flat",
        "points": 25,
    }


def test_best_ties_go_by_priority_then_code() -> None:
    group = {"group": "g", "group_mode": GroupMode.BEST}
    late, b, a = (
        rule("aa", Fixed(5), priority=2, **group),
        rule("b", Fixed(5), priority=1, **group),
        rule("a", Fixed(5), priority=1, **group),
    )
    assert points(decide([late, b, a], order(line(1, 100)))) == {"a": 5}


def test_first_that_matches_wins_even_with_less() -> None:
    group = {"group": "g", "group_mode": GroupMode.FIRST}
    web = rule("web", Fixed(500), conditions=when("order.channel", "eq", "web"), **group)
    small = rule("small", Fixed(1), priority=1, **group)
    large = rule("large", Fixed(100), priority=2, **group)
    decision = decide([large, small, web], order(line(1, 100)))
    assert points(decision) == {"small": 1}
    assert [item["code"] for item in decision.explanation] == [
        "condition_not_met",
        "fixed",
        "not_first",
    ]


def test_validity_is_half_open_and_versions_follow_each_other() -> None:
    start, end = INSTANT, INSTANT + timedelta(days=1)
    rules = [
        rule("x", Fixed(1), version=1, valid_until=start),
        rule("x", Fixed(2), version=2, valid_from=start, valid_until=end),
    ]
    instants = (datetime(1990, 1, 1, tzinfo=UTC), start - timedelta(microseconds=1))
    for at, expected in (*((at, 1) for at in instants), (start, 2)):
        assert points(decide(rules, order(line(1, 100)), at=at)) == {"x": expected}
    assert points(decide(rules, order(line(1, 100)), at=end)) == {}


@pytest.mark.parametrize(
    ("code", "build"),
    [
        ("points_not_positive", lambda: rule("x", Fixed(0))),
        ("amount_not_positive", lambda: rule("x", PerAmount(1, 0))),
        ("factor_below_one", lambda: rule("x", Multiplier(1, 100, 1, 2))),
        ("factor_below_one", lambda: rule("x", Multiplier(1, 100, 1, 0))),
        ("cap_not_positive", lambda: rule("x", Fixed(1), max_points=0)),
        ("cap_incomplete", lambda: rule("x", Fixed(1), cap_points=5)),
        ("group_missing", lambda: rule("x", Fixed(1), group_mode=GroupMode.BEST)),
        (
            "product_needs_multiplier",
            lambda: rule("x", Fixed(1), group="g", group_mode=GroupMode.PRODUCT),
        ),
        (
            "product_needs_multiplier",
            lambda: rule("x", PerAmount(1, 1), group="g", group_mode=GroupMode.PRODUCT),
        ),
        (
            "validity_empty",
            lambda: rule("x", Fixed(1), valid_from=INSTANT, valid_until=INSTANT),
        ),
        ("effect_needs_order", lambda: rule("x", PerAmount(1, 1), trigger=Trigger.INTERACTION)),
        (
            "lines_need_order",
            lambda: rule(
                "x",
                Fixed(1),
                trigger=Trigger.INTERACTION,
                line_conditions=on_lines("line.sku", "eq", "a"),
            ),
        ),
        (
            "field_out_of_scope",
            lambda: rule("x", Fixed(1), conditions=on_lines("line.sku", "eq", "a")),
        ),
        (
            "versions_overlap",
            lambda: compile_rulebook([rule("x", Fixed(1)), rule("x", Fixed(1), version=2)]),
        ),
        (
            "group_mode_conflict",
            lambda: compile_rulebook(
                [
                    rule("x", Fixed(1), group="g", group_mode=GroupMode.BEST),
                    rule("y", Fixed(1), group="g"),
                ]
            ),
        ),
    ],
)
def test_rule_that_contradicts_itself_is_refused(code: str, build: Any) -> None:
    with pytest.raises(RuleError) as refusal:
        build()
    assert refusal.value.code == code
    assert str(refusal.value.message)
