"""What rules earn on an order, with numbers a person can check."""

from __future__ import annotations

import pytest

from rewards.domain.cart import Line, OrderVersion, Refund
from rewards.domain.evaluation import (
    InteractionContext,
    compile_rulebook,
)
from rewards.domain.explanation import ratio_text
from rewards.domain.fields import interaction_facts, line_facts
from rewards.domain.rules import (
    Fixed,
    PerAmount,
    Programme,
    Trigger,
    parse_conditions,
)
from tests.rewards.carts import INSTANT, line, order, refund_amount, refund_of
from tests.rewards.deciding import (
    BASE,
    CLASSIC,
    GOLD,
    decide,
    on_lines,
    points,
    rule,
    when,
)


@pytest.mark.req("PTS-17", "PTS-01")
@pytest.mark.parametrize(
    ("lines", "paid", "refunds", "earned"),
    [
        ([line(1, 12_340)], 0, [], 123),
        ([line(1, 5_000), line(2, 5_000, "service")], 0, [], 100),
        ([line(1, 5_000), line(2, 1_500, "shipping")], 0, [], 50),
        ([line(1, 5_000), line(2, 300, "fee")], 0, [], 50),
        ([line(1, 5_000), line(2, 50_000, "gift_card")], 0, [], 50),
        ([line(1, 5_000), line(2, 2_000, earns=False)], 0, [], 50),
        ([line(1, 10_000)], 3_000, [], 70),
        ([line(1, 10_000)], 3_000, [refund_of((1, 5_000))], 35),
        ([line(1, 3_000)], 1_000, [refund_amount(1_000)], 13),
        ([line(1, 5_000), line(2, 5_000, "shipping")], 5_000, [], 0),
        ([line(1, 99)], 0, [], 0),
        ([line(1, 199)], 0, [], 1),
        ([line(1, 150), line(2, 150)], 0, [], 3),
    ],
    ids=[
        "goods after discounts",
        "services earn",
        "shipping earns nothing",
        "fees earn nothing",
        "gift cards earn nothing",
        "marked lines earn nothing",
        "what was paid in points earns nothing",
        "paid in points leaves with the lines",
        "a third paid in points of 20.00 left is 13.33",
        "paid in points at most lowers to zero",
        "below one point",
        "rounded down",
        "rounded once per order, not per line",
    ],
)
def test_earning_base(lines: list[Line], paid: int, refunds: list[Refund], earned: int) -> None:
    assert points(decide([BASE], order(*lines, paid=paid), *refunds)).get("base", 0) == earned


@pytest.mark.req("PTS-17")
def test_programme_may_earn_on_points_paid() -> None:
    programme = Programme(earn_on_points_paid=True)
    version = order(line(1, 10_000), paid=3_000)
    assert points(decide([BASE], version, programme=programme)) == {"base": 100}


@pytest.mark.req("PTS-17")
def test_base_is_the_exact_fraction() -> None:
    (award,) = decide([BASE], order(line(1, 3_000), paid=1_000), refund_amount(1_000)).awards
    assert (award.base_num, award.base_den) == (2_000 * 2_000, 3_000)
    assert award.base_minor == 1_333


@pytest.mark.req("PTS-16")
@pytest.mark.parametrize(
    ("excluded", "programme", "item"),
    [
        (line(2, 900, earns=False), Programme(), {"code": "excluded_flag"}),
        (line(2, 900, "fee"), Programme(), {"code": "excluded_kind", "kind": "fee"}),
        (
            line(2, 900, sku="tobacco"),
            Programme(excluded_skus=frozenset({"tobacco"})),
            {"code": "excluded_sku", "sku": "tobacco"},
        ),
        (
            line(2, 900, category="fuel"),
            Programme(excluded_categories=frozenset({"fuel"})),
            {"code": "excluded_category", "category": "fuel"},
        ),
        (
            line(2, 900, brand="acme"),
            Programme(excluded_brands=frozenset({"acme"})),
            {"code": "excluded_brand", "brand": "acme"},
        ),
        (
            line(2, 900, "service"),
            Programme(earning_kinds=frozenset({"goods"})),
            {"code": "excluded_kind", "kind": "service"},
        ),
    ],
    ids=["flag", "kind", "sku", "category", "brand", "programme's kinds"],
)
def test_excluded_line_earns_nothing_and_says_why(
    excluded: Line, programme: Programme, item: dict[str, object]
) -> None:
    decision = decide([BASE], order(line(1, 1_000), excluded), programme=programme)
    assert points(decision) == {"base": 10}
    assert {"line": 2, **item} in decision.explanation


@pytest.mark.req("PTS-16")
def test_order_of_excluded_lines_only_earns_nothing_at_all() -> None:
    bonus = rule("bonus", Fixed(50))
    decision = decide([BASE, bonus], order(line(1, 50_000, "gift_card")))
    assert decision.awards == ()
    assert decision.explanation == (
        {"line": 1, "code": "excluded_kind", "kind": "gift_card"},
        {"code": "nothing_earns"},
    )


@pytest.mark.req("PTS-04")
def test_explanation_holds_every_number_of_the_award() -> None:
    version = order(line(1, 3_000), line(2, 500, "shipping"), paid=1_000)
    decision = decide(CLASSIC, version, refund_of((1, 1_000)), tier=GOLD)
    assert decision.explanation == (
        {"line": 2, "code": "excluded_kind", "kind": "shipping"},
        {"code": "paid_in_points", "left": "20.00", "paid": "10.00", "sold": "30.00"},
        {
            "rule": "base",
            "code": "earned",
            "base": "13.33",
            "base_exact": [4_000, 3],
            "rate": [1, 100],
            "points": 13,
        },
        {
            "rule": "tier",
            "code": "multiplied",
            "base": "13.33",
            "base_exact": [4_000, 3],
            "rate": [1, 100],
            "factor": "1.25",
            "tier": "gold",
            "points": 3,
        },
    )


@pytest.mark.parametrize(
    ("version", "refunds"),
    [
        (order(line(1, 1_000), status="cancelled"), []),
        (order(line(1, 1_000)), [refund_amount(1_000)]),
        (order(line(1, 0)), []),
    ],
    ids=["cancelled", "all refunded", "worth nothing"],
)
def test_order_that_does_not_count_earns_nothing(
    version: OrderVersion, refunds: list[Refund]
) -> None:
    decision = decide([BASE, rule("bonus", Fixed(50))], version, *refunds)
    assert decision.awards == ()
    assert decision.explanation == (
        {"code": "does_not_count", "status": version.status, "net": "0.00"},
    )


def test_completed_counts_as_paid() -> None:
    assert points(decide([BASE], order(line(1, 1_000), status="completed"))) == {"base": 10}


def test_reasons_for_points_of_zero() -> None:
    small = decide([BASE], order(line(1, 99)))
    assert small.awards == ()
    assert small.explanation[-1]["code"] == "below_one_point"
    paid = decide([BASE], order(line(1, 500), paid=500))
    assert paid.awards == ()
    assert paid.explanation[-1]["code"] == "base_is_zero"


def test_unmet_condition_is_shown_with_the_fact() -> None:
    app = rule("app", Fixed(10), conditions=when("order.channel", "in", ["app", "web"]))
    decision = decide([app], order(line(1, 500)))
    assert decision.awards == ()
    assert decision.explanation == (
        {
            "rule": "app",
            "code": "condition_not_met",
            "failed": [
                {
                    "field": "order.channel",
                    "op": "in",
                    "value": ["app", "web"],
                    "actual": "pos",
                }
            ],
        },
    )


def test_line_conditions_narrow_the_base() -> None:
    dairy = rule(
        "dairy", PerAmount(2, 100), line_conditions=on_lines("line.category", "eq", "dairy")
    )
    version = order(
        line(1, 1_000, category="dairy"),
        line(2, 2_000, category="bakery"),
        line(3, 3_050, category="dairy"),
        paid=605,  # a tenth of all that earns
    )
    decision = decide([dairy], version)
    assert points(decision) == {"dairy": 72}  # 40.50 × 0.9 = 36.45, twice
    assert decision.explanation[-1]["lines"] == [1, 3]
    assert decision.explanation[-1]["base"] == "36.45"


def test_line_condition_without_a_line_left_gives_nothing() -> None:
    bonus = rule("bonus", Fixed(50), line_conditions=on_lines("line.sku", "eq", "sku-2"))
    version = order(line(1, 1_000), line(2, 500))
    assert points(decide([bonus], version)) == {"bonus": 50}
    returned = decide([bonus], version, refund_of((2, 500)))
    assert returned.awards == ()
    assert returned.explanation == ({"rule": "bonus", "code": "no_line_matches"},)


def test_quantity_and_amount_of_a_line_are_tested_in_its_own_units() -> None:
    many = rule("many", Fixed(5), line_conditions=on_lines("line.quantity", "gte", "1.5"))
    dear = rule("dear", Fixed(7), line_conditions=on_lines("line.amount", "gt", "10.00"))
    assert points(decide([many, dear], order(line(1, 1_000, quantity=1_500)))) == {"many": 5}
    assert points(decide([many, dear], order(line(1, 1_001, quantity=1_499)))) == {"dear": 7}


def test_conditions_see_member_and_time() -> None:
    rules = [
        rule("birthday", Fixed(1), conditions=when("member.birthday_month", "eq", 3)),
        rule("vip", Fixed(2), conditions=when("member.segments", "contains", "vip")),
        rule("saturday", Fixed(4), conditions=when("order.weekday", "eq", 6)),
        rule("size", Fixed(8), conditions=when("member.attributes.size", "eq", "M")),
        rule("rich", Fixed(16), conditions=when("order.spend", "gte", "10.01")),
    ]
    facts = {
        "member.birthday_month": 3,
        "member.segments": frozenset({"vip"}),
        "member.attributes.size": "M",
    }
    given = points(decide(rules, order(line(1, 1_000)), facts=facts))
    assert given == {"birthday": 1, "vip": 2, "saturday": 4, "size": 8}


def test_interaction_gives_fixed_points_by_its_kind() -> None:
    condition = parse_conditions(
        Trigger.INTERACTION, {"field": "interaction.kind", "op": "eq", "value": "survey"}
    )
    survey = rule("survey", Fixed(20), trigger=Trigger.INTERACTION, conditions=condition)
    book = compile_rulebook([survey, BASE])
    outcomes = {}
    for kind in ("survey", "share"):
        facts = interaction_facts(kind=kind, source="app", local=INSTANT)
        decision = book.evaluate_interaction(InteractionContext(INSTANT, facts))
        outcomes[kind] = points(decision)
        assert decision.explanation[0]["code"] == (
            "fixed" if kind == "survey" else "condition_not_met"
        )
    assert outcomes == {"survey": {"survey": 20}, "share": {}}
    assert book.rules_at(Trigger.INTERACTION, INSTANT) == (survey,)
    assert book.fact_names == {"interaction.kind"}


def test_ratio_is_exact_text() -> None:
    assert [ratio_text(*pair) for pair in ((5, 4), (11, 10), (2, 1), (4, 3))] == [
        "1.25",
        "1.1",
        "2",
        "4/3",
    ]


def test_facts_of_a_line_are_its_attributes() -> None:
    assert line_facts(line(1, 1_000, category="dairy"))["line.category"] == "dairy"


def test_fixed_points_for_a_line_stay_when_all_was_paid_in_points() -> None:
    dairy = on_lines("line.category", "eq", "dairy")
    gift = rule("gift", Fixed(5), line_conditions=dairy)
    version = order(line(1, 300, category="dairy"), paid=300)
    assert points(decide([gift], version)) == {"gift": 5}
