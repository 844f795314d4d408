"""Earning rules once more, slowly, with fractions: what the rule book is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from config.base.conditions import holds
from rewards.domain.evaluation import OrderContext
from rewards.domain.fields import line_facts
from rewards.domain.rules import Fixed, GroupMode, Multiplier, Programme, RuleSpec


def points_by_rule(
    rules: Sequence[RuleSpec], programme: Programme, order: OrderContext
) -> dict[str, int]:
    """Return what each rule gives, rules that give nothing left out."""
    if order.version.status == "cancelled" or not any(order.net.left):
        return {}
    earning = [
        (line, rest)
        for line, rest in zip(order.version.lines, order.net.left, strict=True)
        if line.earns
        and line.kind in programme.earning_kinds
        and line.sku not in programme.excluded_skus
        and line.category not in programme.excluded_categories
        and line.brand not in programme.excluded_brands
    ]
    if not any(rest for _, rest in earning):
        return {}
    sold = sum(line.amount for line, _ in earning)
    paid = 0 if programme.earn_on_points_paid else min(order.version.points_paid, sold)
    share = 1 - Fraction(paid, sold)
    given: dict[str, int] = {}
    factors: dict[str | None, Fraction] = {}
    for rule in _valid(rules, order):
        if rule.conditions is not None and not holds(rule.conditions, order.facts):
            continue
        test = rule.line_conditions
        part = [rest for line, rest in earning if test is None or holds(test, line_facts(line))]
        if not any(part):
            continue
        given[rule.code] = _points(rule, sum(part) * share, order, factors)
    return {code: points for code, points in _kept(rules, order, given).items() if points > 0}


def _valid(rules: Sequence[RuleSpec], order: OrderContext) -> list[RuleSpec]:
    return sorted(
        (
            rule
            for rule in rules
            if (rule.valid_from is None or rule.valid_from <= order.placed_at)
            and (rule.valid_until is None or order.placed_at < rule.valid_until)
        ),
        key=lambda rule: (rule.priority, rule.code),
    )


def _points(
    rule: RuleSpec, base: Fraction, order: OrderContext, factors: dict[str | None, Fraction]
) -> int:
    effect = rule.effect
    if isinstance(effect, Fixed):
        exact = Fraction(effect.points)
    else:
        exact = base * Fraction(effect.points, effect.per_amount)
    if isinstance(effect, Multiplier):
        factor = Fraction(effect.factor_num, effect.factor_den)
        if effect.factor_source == "tier":
            factor = Fraction(order.tier.multiplier_num, order.tier.multiplier_den)
        exact *= factor - 1
        if rule.group_mode is GroupMode.PRODUCT:
            exact *= factors.get(rule.group, Fraction(1))
            factors[rule.group] = factors.get(rule.group, Fraction(1)) * factor
    points = floor(exact)
    return points if rule.max_points is None else min(points, rule.max_points)


def _kept(rules: Sequence[RuleSpec], order: OrderContext, given: dict[str, int]) -> dict[str, int]:
    """Drop what loses within its group."""
    kept = dict(given)
    for rule in _valid(rules, order):
        rivals = [
            other
            for other in _valid(rules, order)
            if other.group == rule.group and other.code in given
        ]
        if rule.group is None or rule.code not in given:
            continue
        if rule.group_mode is GroupMode.FIRST and rivals[0].code != rule.code:
            del kept[rule.code]
        best = max(given[other.code] for other in rivals)
        champion = next(other.code for other in rivals if given[other.code] == best)
        if rule.group_mode is GroupMode.BEST and champion != rule.code:
            del kept[rule.code]
    return kept
