"""The rule book against the slow reading of the same rules, on random orders."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.bench import rules as bench
from rewards.domain.evaluation import OrderContext, compile_rulebook
from rewards.domain.explanation import MemberTier
from rewards.domain.fields import order_facts
from rewards.domain.netting import net_order
from rewards.domain.rules import (
    Effect,
    FactorSource,
    Fixed,
    GroupMode,
    Multiplier,
    PerAmount,
    Programme,
    RuleSpec,
    Trigger,
    parse_conditions,
    parse_line_conditions,
)
from tests.rewards import naive_rules
from tests.rewards.carts import INSTANT, Case, cases

GROUPS = {
    "all": GroupMode.ADD,
    "best": GroupMode.BEST,
    "first": GroupMode.FIRST,
    "product": GroupMode.PRODUCT,
}
CONDITIONS = (
    None,
    {"field": "order.spend", "op": "gte", "value": "20.00"},
    {"not": {"field": "order.channel", "op": "eq", "value": "web"}},
    {"any": [{"field": "member.tier", "op": "in", "value": ["gold"]}]},
)
LINE_CONDITIONS = (
    None,
    None,
    {"field": "line.category", "op": "eq", "value": "dairy"},
    {"not": {"field": "line.brand", "op": "is_set", "value": True}},
)
MULTIPLIERS = st.one_of(
    st.builds(
        Multiplier,
        st.integers(1, 3),
        st.sampled_from((1, 7, 100)),
        st.integers(4, 9),
        st.integers(1, 4),
    ),
    st.just(Multiplier(1, 100, factor_source=FactorSource.TIER)),
)
EFFECTS: st.SearchStrategy[Effect] = st.one_of(
    MULTIPLIERS,
    st.builds(PerAmount, st.integers(1, 3), st.sampled_from((1, 7, 100, 999))),
    st.builds(Fixed, st.integers(1, 60)),
)


@st.composite
def rule_sets(draw: st.DrawFn) -> list[RuleSpec]:
    """Return up to eight rules of all effects, groups and validities."""
    rules = []
    for number in range(draw(st.integers(1, 8))):
        group = draw(st.sampled_from((None, *GROUPS)))
        mode = GROUPS[group] if group else GroupMode.ADD
        condition = draw(st.sampled_from(CONDITIONS))
        line_condition = draw(st.sampled_from(LINE_CONDITIONS))
        rules.append(
            RuleSpec(
                code=f"r{number}",
                version=1,
                key=number,
                trigger=Trigger.ORDER,
                effect=draw(MULTIPLIERS if mode is GroupMode.PRODUCT else EFFECTS),
                valid_from=draw(st.sampled_from((None, INSTANT - timedelta(days=1)))),
                valid_until=draw(st.sampled_from((None, INSTANT, INSTANT + timedelta(days=1)))),
                conditions=parse_conditions(Trigger.ORDER, condition) if condition else None,
                line_conditions=(parse_line_conditions(line_condition) if line_condition else None),
                max_points=draw(st.sampled_from((None, None, 5, 40))),
                group=group,
                group_mode=mode,
                priority=draw(st.integers(0, 2)),
            )
        )
    return rules


PROGRAMMES = st.builds(
    Programme,
    earn_on_points_paid=st.booleans(),
    excluded_skus=st.sampled_from((frozenset(), frozenset({"sku-1"}))),
    excluded_categories=st.sampled_from((frozenset(), frozenset({"bakery"}))),
    excluded_brands=st.sampled_from((frozenset(), frozenset({"acme"}))),
    earning_kinds=st.sampled_from((frozenset({"goods", "service"}), frozenset({"goods", "fee"}))),
)
TIERS = st.sampled_from(
    (MemberTier("basic", 0), MemberTier("silver", 1, 11, 10), MemberTier("gold", 2, 5, 4))
)


def context_of(case: Case, tier: MemberTier) -> OrderContext:
    net = net_order(case.version, case.refunds)
    facts = order_facts(case.version, source="till", net=net.net, spend=net.spend, local=INSTANT)
    facts["member.tier"] = tier.code
    return OrderContext(case.version, net, INSTANT, facts, tier)


@given(rule_sets(), PROGRAMMES, cases(), TIERS)
@settings(max_examples=200)
@pytest.mark.req("PTS-16", "PTS-17", "BEN-07")
def test_rule_book_equals_the_slow_reading(
    rules: list[RuleSpec], programme: Programme, case: Case, tier: MemberTier
) -> None:
    order = context_of(case, tier)
    decision = compile_rulebook(rules, programme).evaluate_order(order)
    given_points = {award.rule_code: award.points for award in decision.awards}
    assert given_points == naive_rules.points_by_rule(rules, programme, order)


@given(rule_sets(), PROGRAMMES, cases(), TIERS, st.randoms(use_true_random=False))
@pytest.mark.req("BEN-07")
def test_order_of_rules_never_matters(
    rules: list[RuleSpec],
    programme: Programme,
    case: Case,
    tier: MemberTier,
    shuffled: random.Random,
) -> None:
    order = context_of(case, tier)
    expected = compile_rulebook(rules, programme).evaluate_order(order)
    shuffled.shuffle(rules)
    assert compile_rulebook(rules, programme).evaluate_order(order) == expected


@given(rule_sets(), PROGRAMMES, cases(), TIERS)
@pytest.mark.req("PTS-04")
def test_explanation_is_json_and_accounts_for_every_rule(
    rules: list[RuleSpec], programme: Programme, case: Case, tier: MemberTier
) -> None:
    order = context_of(case, tier)
    book = compile_rulebook(rules, programme)
    decision = book.evaluate_order(order)
    assert json.loads(json.dumps(decision.explanation)) == list(decision.explanation)
    assert book.evaluate_order(order, explain=False).awards == decision.awards
    short = book.evaluate_order(order, why_not=False)
    assert short.awards == decision.awards
    unmet = ("condition_not_met", "no_line_matches")
    assert list(short.explanation) == [
        item for item in decision.explanation if item["code"] not in unmet
    ]
    stated = {
        item["rule"]: item["points"]
        for item in decision.explanation
        if item["code"] in ("earned", "multiplied", "fixed")
    }
    assert stated == {award.rule_code: award.points for award in decision.awards}
    valid = {rule.code for rule in book.rules_at(Trigger.ORDER, INSTANT)}
    explained = {item["rule"] for item in decision.explanation if "rule" in item}
    assert explained in (valid, set())


def test_hundred_rules_agree_with_the_function_for_just_them() -> None:
    drafts = bench.drafts()
    book = compile_rulebook([draft.spec for draft in drafts], Programme(exponent=2))
    decide = bench.reference(drafts)
    awarded = 0
    for cart in bench.carts():
        awards = book.evaluate_order(cart, explain=False).awards
        found = [(award.rule_code, award.points) for award in awards]
        assert found == decide(cart.facts, cart.version, cart.net)
        awarded += len(found)
    assert awarded
