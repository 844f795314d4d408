"""Why a decision came out as it did: compact JSON items with stable codes, no prose.

Codes of a rule: `earned`, `multiplied`, `fixed` (points were given); `base_is_zero`,
`factor_is_one`, `below_one_point` (it matches and gives nothing); `not_best`, `not_first` (another
rule of its group goes first); `condition_not_met`, `no_line_matches`. Codes of an order:
`does_not_count`, `nothing_earns`, `paid_in_points`; of a line: `excluded_*`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import gcd

from config.base import conditions
from config.base.conditions.values import scaled_text
from rewards.domain.cart import Line
from rewards.domain.compilation import Match
from rewards.domain.fields import line_facts
from rewards.domain.rules import (
    FactorSource,
    Fixed,
    GroupMode,
    Multiplier,
    PerAmount,
    Programme,
    RuleSpec,
)

Item = dict[str, object]


@dataclass(frozen=True, slots=True)
class MemberTier:
    """The tier a member holds, with its multiplier as an exact fraction."""

    code: str
    rank: int
    multiplier_num: int = 1
    multiplier_den: int = 1


@dataclass(slots=True)
class Explainer:
    """Describe the outcome of every rule of one decision."""

    facts: conditions.python.Facts
    lines: Sequence[tuple[Line, int]]
    sold: int
    tier: MemberTier
    exponent: int
    why_not: bool
    _line_facts: list[dict[str, object]] = field(default_factory=list)

    def rules(
        self, rules: Sequence[RuleSpec], found: Sequence[Match], winners: dict[str, Match]
    ) -> list[Item]:
        """Return an item per rule in their order; without `why_not` only of those that match."""
        stacked: dict[str, Fraction] = {}
        items = []
        matches = iter(found)
        match = next(matches, None)
        for rule in rules:
            if match is None or match[0] is not rule:
                if self.why_not:
                    items.append(self._unmatched(rule))
                continue
            winner = winners.get(rule.group) if winners and rule.group else None
            if winner is None or winner is match:
                items.append(self._matched(match, stacked))
            else:
                items.append(_lost(match, winner))
            match = next(matches, None)
        return items

    def _matched(self, match: Match, stacked: dict[str, Fraction]) -> Item:
        rule, points, base_num, _, uncapped = match
        effect = rule.effect
        if isinstance(effect, Fixed):
            item: Item = {"rule": rule.code, "code": "fixed", "points": points}
        else:
            item = self._rated(rule, effect, base_num, points)
        if points != uncapped:
            item["uncapped"] = uncapped
        if rule.line_conditions is not None:
            item["lines"] = self._lines_of(rule.line_conditions)
        if rule.group_mode is GroupMode.PRODUCT and isinstance(effect, Multiplier):
            self._stack(rule.group or "", effect, item, stacked)
        return item

    def _rated(
        self, rule: RuleSpec, effect: PerAmount | Multiplier, base_num: int, points: int
    ) -> Item:
        item: Item = {"rule": rule.code, "code": "earned"}
        sold = self.sold
        if sold == 1 or not base_num % sold:
            item["base"] = scaled_text(base_num // sold, self.exponent)
        else:
            divisor = gcd(base_num, sold)
            item["base"] = scaled_text(base_num // sold, self.exponent)
            item["base_exact"] = [base_num // divisor, sold // divisor]
        item["rate"] = [effect.points, effect.per_amount]
        if isinstance(effect, Multiplier):
            item["code"] = "multiplied"
            num, den = self._factor(effect)
            item["factor"] = ratio_text(num, den)
            if effect.factor_source is FactorSource.TIER:
                item["tier"] = self.tier.code
            if num <= den:
                item["code"] = "factor_is_one"
        if points <= 0 and item["code"] != "factor_is_one":
            item["code"] = "below_one_point" if base_num else "base_is_zero"
        item["points"] = max(0, points)
        return item

    def _stack(
        self, group: str, effect: Multiplier, item: Item, stacked: dict[str, Fraction]
    ) -> None:
        before = stacked.get(group, Fraction(1))
        if before != 1:
            item["stacked_on"] = ratio_text(before.numerator, before.denominator)
        stacked[group] = before * Fraction(*self._factor(effect))

    def _factor(self, effect: Multiplier) -> tuple[int, int]:
        if effect.factor_source is FactorSource.TIER:
            return self.tier.multiplier_num, self.tier.multiplier_den
        return effect.factor_num, effect.factor_den

    def _unmatched(self, rule: RuleSpec) -> Item:
        if rule.conditions is not None and not conditions.holds(rule.conditions, self.facts):
            failed = [cause.to_json() for cause in conditions.causes(rule.conditions, self.facts)]
            return {"rule": rule.code, "code": "condition_not_met", "failed": failed}
        return {"rule": rule.code, "code": "no_line_matches"}

    def _lines_of(self, condition: conditions.Node) -> list[int]:
        if not self._line_facts:
            self._line_facts = [line_facts(line) for line, _ in self.lines]
        pairs = zip(self.lines, self._line_facts, strict=True)
        return [line.line_no for (line, _), facts in pairs if conditions.holds(condition, facts)]


def excluded_lines(lines: Sequence[Line], programme: Programme) -> list[Item]:
    """Return an item for each line that was worth something and earns nothing.

    Source: PTS-16.
    """
    items = []
    for line in lines:
        code = programme.exclusion(line) if line.amount else None
        if code is not None:
            item: Item = {"line": line.line_no, "code": code}
            shown = code.removeprefix("excluded_")
            items.append(item if shown == "flag" else {**item, shown: getattr(line, shown)})
    return items


@lru_cache(maxsize=1024)
def ratio_text(num: int, den: int) -> str:
    """Return a fraction as an exact decimal where it has one (1.25), else as `num/den`."""
    ratio = Fraction(num, den)
    for digits in range(10):
        scaled = ratio * 10**digits
        if scaled.denominator == 1:
            return scaled_text(scaled.numerator, digits)
    return f"{ratio.numerator}/{ratio.denominator}"


def _lost(match: Match, winner: Match) -> Item:
    rule, points, *_ = match
    code = "not_best" if rule.group_mode is GroupMode.BEST else "not_first"
    kept = winner[0].code
    return {"rule": rule.code, "code": code, "group": rule.group, "kept": kept, "points": points}
