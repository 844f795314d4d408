"""Turn the rules that are valid at one time into one generated function.

The function goes through the rules in (priority, code) order and returns a `Match` for each rule
that matches. The base of a rule is the fraction numerator ÷ sold, so that its points are floored
exactly once, from exact integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from operator import attrgetter

from django.utils.translation import gettext_lazy as _

from config.base.conditions import Node
from config.base.conditions.python import Expressions, Namespace
from rewards.domain.fields import LINE_ATTRIBUTES
from rewards.domain.rules import (
    FactorSource,
    Fixed,
    GroupMode,
    Multiplier,
    PerAmount,
    RuleError,
    RuleSpec,
)

EXCLUSIVE = frozenset({GroupMode.BEST, GroupMode.FIRST})
_PARAMETERS = "facts, lines, left, share, sold, tier_num, tier_den"


# The rule, its points, its base as a fraction, and its points before its own cap.
Match = tuple[RuleSpec, int, int, int, int]
Decide = Callable[..., list[Match]]


def in_order(rules: Sequence[RuleSpec]) -> tuple[RuleSpec, ...]:
    """Return the rules of one time in their order of application.

    Raises: RuleError when two versions of a rule, or two modes of a group, meet.
    """
    ordered = tuple(sorted(rules, key=attrgetter("priority", "code", "version")))
    by_code = sorted(ordered, key=attrgetter("code"))
    for first, second in pairwise(by_code):
        if first.code == second.code:
            message = _("Two versions of a rule are valid at the same time.")
            raise RuleError("versions_overlap", second.code, message)
    modes: dict[str, GroupMode] = {}
    for rule in ordered:
        if rule.group and modes.setdefault(rule.group, rule.group_mode) is not rule.group_mode:
            message = _("The rules of a group do not agree on how they combine.")
            raise RuleError("group_mode_conflict", rule.code, message)
    return ordered


def compile_rules(rules: Sequence[RuleSpec]) -> Decide:
    """Generate the function that decides these rules, given in their order."""
    return _Generator().function(rules)


class _Generator:
    """Write the lines of one function; every value goes in as a bound constant."""

    def __init__(self) -> None:
        self._namespace = Namespace()
        self._facts = Expressions(self._namespace, "f")
        self._lines = Expressions(self._namespace, "l")
        self._groups: dict[str, str] = {}
        self._parts: dict[Node, str] = {}

    def function(self, rules: Sequence[RuleSpec]) -> Decide:
        for rule in rules:
            if rule.line_conditions is not None:
                self._parts.setdefault(rule.line_conditions, f"s{len(self._parts)}")
                # Every field of a line gets its variable first: all loops unpack the same rows.
                self._lines.of(rule.line_conditions)
        blocks = [line for rule in rules for line in self._rule(rule)]
        body = [
            "get = facts.get",
            *self._facts.loads("get"),
            *self._rows(),
            *(f"{name}_num = {name}_den = 1" for name in self._groups.values()),
            *(f"{name} = None" for name in self._parts.values()),
            "base = left * share",
            "found = []",
            "add = found.append",
            *blocks,
            "return found",
        ]
        return self._namespace.function(_PARAMETERS, body)

    def _rows(self) -> Iterator[str]:
        """Read each line once; the attribute names are those of LINE_ATTRIBUTES."""
        if self._lines.variables:
            read = [f"line.{LINE_ATTRIBUTES[name]}" for name in self._lines.variables]
            yield f"rows = [(rest, {', '.join(read)}) for line, rest in lines]"

    def _rule(self, rule: RuleSpec) -> list[str]:
        if rule.line_conditions is None:
            lines = self._gives(rule, "base")
        else:
            lines = self._of_lines(rule, rule.line_conditions)
        if rule.conditions is None:
            return lines
        return [f"if {self._facts.of(rule.conditions)}:", *_indented(lines)]

    def _of_lines(self, rule: RuleSpec, condition: Node) -> list[str]:
        """Sum the lines that match, once for all rules with this condition, when first needed."""
        names = ", ".join(["rest", *self._lines.variables.values()])
        part = self._parts[condition]
        return [
            f"if {part} is None:",
            f"    {part} = 0",
            f"    for {names} in rows:",
            f"        if {self._lines.of(condition)}:",
            f"            {part} += rest",
            f"if {part}:",
            *_indented(self._gives(rule, f"{part} * share")),
        ]

    def _gives(self, rule: RuleSpec, base: str) -> list[str]:
        constant = self._namespace.constant
        name = self._namespace.bind(rule)
        if isinstance(rule.effect, Fixed):
            points = min(rule.effect.points, rule.max_points or rule.effect.points)
            return [f"add(({name}, {constant(points)}, 0, 1, {constant(rule.effect.points)}))"]
        lines = [f"points = {self._points(rule, rule.effect, base)}"]
        capped = "points"
        if rule.max_points is not None:
            limit = constant(rule.max_points)
            capped = f"points if points < {limit} else {limit}"
        lines.append(f"add(({name}, {capped}, {base}, sold, points))")
        return [*lines, *self._remember_factor(rule)]

    def _points(self, rule: RuleSpec, effect: PerAmount | Multiplier, base: str) -> str:
        """Return the one floored division of a rule."""
        constant = self._namespace.constant
        over, under = [base], ["sold"]
        num, den = effect.points, effect.per_amount
        if isinstance(effect, Multiplier) and effect.factor_source is FactorSource.TIER:
            over.append("(tier_num - tier_den)")
            under.append("tier_den")
        elif isinstance(effect, Multiplier):
            num *= effect.factor_num - effect.factor_den
            den *= effect.factor_den
        if rule.group_mode is GroupMode.PRODUCT:
            group = self._group(rule)
            over.append(f"{group}_num")
            under.append(f"{group}_den")
        over += [constant(num)] if num != 1 else []
        return f"{' * '.join(over)} // ({' * '.join([*under, constant(den)])})"

    def _remember_factor(self, rule: RuleSpec) -> list[str]:
        if rule.group_mode is not GroupMode.PRODUCT or not isinstance(rule.effect, Multiplier):
            return []
        num, den = "tier_num", "tier_den"
        if rule.effect.factor_source is FactorSource.RULE:
            num = self._namespace.constant(rule.effect.factor_num)
            den = self._namespace.constant(rule.effect.factor_den)
        group = self._group(rule)
        return [f"{group}_num *= {num}", f"{group}_den *= {den}"]

    def _group(self, rule: RuleSpec) -> str:
        return self._groups.setdefault(rule.group or "", f"g{len(self._groups)}")


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def winners_of_groups(found: Sequence[Match]) -> dict[str, Match]:
    """Return the match that wins each group of mode best or first; earlier ones win ties."""
    winners: dict[str, Match] = {}
    for match in found:
        rule = match[0]
        if rule.group is None or rule.group_mode not in EXCLUSIVE:
            continue
        current = winners.get(rule.group)
        best = rule.group_mode is GroupMode.BEST
        if current is None or (best and match[1] > current[1]):
            winners[rule.group] = match
    return winners
