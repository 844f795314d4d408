"""Short ways to write rules and to decide an order by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rewards.domain.cart import OrderVersion, Refund
from rewards.domain.evaluation import (
    Decision,
    OrderContext,
    compile_rulebook,
)
from rewards.domain.explanation import MemberTier
from rewards.domain.fields import order_facts
from rewards.domain.netting import net_order
from rewards.domain.rules import (
    Effect,
    FactorSource,
    Multiplier,
    PerAmount,
    Programme,
    RuleSpec,
    Trigger,
    parse_conditions,
    parse_line_conditions,
)
from tests.rewards.carts import INSTANT

GOLD = MemberTier("gold", 2, 5, 4)
BASIC = MemberTier("basic", 0)


def rule(code: str, effect: Effect, **options: Any) -> RuleSpec:
    options = {"trigger": Trigger.ORDER, "version": 1, "key": 1, **options}
    return RuleSpec(code=code, effect=effect, **options)


BASE = rule("base", PerAmount(1, 100), key=1)
TIER = rule("tier", Multiplier(1, 100, factor_source=FactorSource.TIER), priority=1, key=2)
DOUBLE = rule("double", Multiplier(1, 100, 2, 1), priority=2, key=3)
CLASSIC = (BASE, TIER)


def when(field: str, op: str, value: object) -> Any:
    return parse_conditions(Trigger.ORDER, {"field": field, "op": op, "value": value})


def on_lines(field: str, op: str, value: object) -> Any:
    return parse_line_conditions({"field": field, "op": op, "value": value})


def decide(
    rules: Sequence[RuleSpec],
    version: OrderVersion,
    *refunds: Refund,
    tier: MemberTier = BASIC,
    programme: Programme | None = None,
    at: datetime = INSTANT,
    facts: Mapping[str, object] | None = None,
) -> Decision:
    net = net_order(version, refunds)
    known = order_facts(version, source="till", net=net.net, spend=net.spend, local=at)
    known.update(facts or {})
    context = OrderContext(version, net, at, known, tier)
    return compile_rulebook(rules, programme).evaluate_order(context)


def points(decision: Decision) -> dict[str, int]:
    return {award.rule_code: award.points for award in decision.awards}
