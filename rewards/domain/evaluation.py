"""Decide what an order or an interaction earns, and why. Pure: no database, no clock.

A rule book is compiled once from rules and programme; its rules are those valid at the instant of
the fact. The same book runs behind intake, refunds, late facts, recompute, quotes and back-tests.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from config.base import conditions
from config.base.conditions.values import scaled_text
from rewards.domain import compilation
from rewards.domain.cart import CANCELLED, SPEND_KINDS, Line, OrderVersion
from rewards.domain.compilation import Decide, Match
from rewards.domain.explanation import Explainer, Item, MemberTier, excluded_lines
from rewards.domain.netting import NetOrder
from rewards.domain.rules import CapPeriod, Programme, RuleSpec, Trigger

NO_TIER = MemberTier("", 0)


@dataclass(frozen=True, slots=True)
class OrderContext:
    """An order with what holds at its `placed_at`: the facts for conditions and the tier."""

    version: OrderVersion
    net: NetOrder
    placed_at: datetime
    facts: Mapping[str, object]
    tier: MemberTier = NO_TIER


@dataclass(frozen=True, slots=True)
class InteractionContext:
    """An interaction with the facts for conditions at its instant."""

    occurred_at: datetime
    facts: Mapping[str, object]


class Award(NamedTuple):
    """Points of one rule, before the member's own caps, which the caller applies.

    A named tuple, because the generated function makes these by the million.

    Units: the base is the exact fraction `base_num` ÷ `base_den` of minor units; `uncapped` are
    the points before the rule's own cap on one order.
    """

    rule: RuleSpec
    points: int
    base_num: int
    base_den: int
    uncapped: int

    @property
    def rule_key(self) -> int:
        """Return the key of the rule version."""
        return self.rule.key

    @property
    def rule_code(self) -> str:
        """Return the code of the rule."""
        return self.rule.code

    @property
    def rule_version(self) -> int:
        """Return the version of the rule."""
        return self.rule.version

    @property
    def base_minor(self) -> int:
        """Return the base in whole minor units, rounded down."""
        return self.base_num // self.base_den

    @property
    def cap_points(self) -> int | None:
        """Return the cap per member and period."""
        return self.rule.cap_points

    @property
    def cap_period(self) -> CapPeriod | None:
        """Return the period of the cap."""
        return self.rule.cap_period


@dataclass(frozen=True, slots=True)
class Decision:
    """What is earned, in the order of the rules, and why; empty when not asked for."""

    awards: tuple[Award, ...]
    explanation: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class EarningBase:
    """What of an order earns: the fraction left × share ÷ sold, and the lines behind it."""

    left: int
    share: int
    sold: int
    paid: int
    lines: Sequence[tuple[Line, int]]


@dataclass(frozen=True, slots=True)
class _Segment:
    """The rules of one span of validity, in their order, with their function."""

    rules: tuple[RuleSpec, ...]
    decide: Decide
    uses_lines: bool
    exclusive: bool


class _Timeline:
    """The rules of one trigger, cut at every instant where a validity begins or ends."""

    def __init__(self, rules: Sequence[RuleSpec]) -> None:
        cuts = {cut for rule in rules for cut in (rule.valid_from, rule.valid_until) if cut}
        self._starts = sorted(cuts)
        self._rules = [
            compilation.in_order([rule for rule in rules if rule.applies_at(start)])
            for start in (None, *self._starts)
        ]
        # Generated when first used: a year of past promotions costs nothing to today's orders.
        self._segments: list[_Segment | None] = [None] * len(self._rules)

    def at(self, instant: datetime) -> _Segment:
        """Return the segment that holds at an instant."""
        starts = self._starts
        position = bisect_right(starts, instant) if starts else 0
        return self._segments[position] or self._generate(position)

    def _generate(self, position: int) -> _Segment:
        rules = self._rules[position]
        segment = self._segments[position] = _Segment(
            rules,
            compilation.compile_rules(rules),
            uses_lines=any(rule.line_conditions is not None for rule in rules),
            exclusive=any(rule.group_mode in compilation.EXCLUSIVE for rule in rules),
        )
        return segment


class RuleBook:
    """All versions of the earning rules with the programme, ready to decide."""

    def __init__(self, rules: Sequence[RuleSpec], programme: Programme) -> None:
        self.programme = programme
        self.fact_names = _fact_names(rules)
        self._plain = programme.is_plain
        self._orders = _Timeline([rule for rule in rules if rule.trigger is Trigger.ORDER])
        self._interactions = _Timeline(
            [rule for rule in rules if rule.trigger is Trigger.INTERACTION]
        )

    def rules_at(self, trigger: Trigger, instant: datetime) -> tuple[RuleSpec, ...]:
        """Return the rules valid at an instant, in their order."""
        timeline = self._orders if trigger is Trigger.ORDER else self._interactions
        return timeline.at(instant).rules

    def earning_base(self, version: OrderVersion, net: NetOrder) -> EarningBase:
        """Return what of an order earns.

        Source: design §5.3(1), §5.6; PTS-16, PTS-17.
        """
        return self._base(version, net, with_lines=False)

    def evaluate_order(
        self, order: OrderContext, *, explain: bool = True, why_not: bool = True
    ) -> Decision:
        """Decide what an order earns in the state of its net.

        The explanation leaves out the rules that do not match unless `why_not`.

        Source: design §5.3, §5.6.
        """
        version, net = order.version, order.net
        if version.status == CANCELLED or net.net <= 0:
            return Decision((), self._does_not_count(order) if explain else ())
        segment = self._orders.at(order.placed_at)
        base = self._base(version, net, with_lines=segment.uses_lines)
        if not base.left:
            return Decision((), self._nothing_earns(order) if explain else ())
        tier = order.tier
        found = segment.decide(
            order.facts,
            base.lines,
            base.left,
            base.share,
            base.sold,
            tier.multiplier_num,
            tier.multiplier_den,
        )
        winners = compilation.winners_of_groups(found) if segment.exclusive else {}
        awards = _awards(found, winners)
        if not explain:
            return Decision(awards, ())
        explainer = Explainer(
            order.facts, base.lines, base.sold, tier, self.programme.exponent, why_not
        )
        items = explainer.rules(segment.rules, found, winners)
        return Decision(awards, (*self._of_order(order, base), *items))

    def evaluate_interaction(
        self, interaction: InteractionContext, *, explain: bool = True, why_not: bool = True
    ) -> Decision:
        """Decide what an interaction earns; `explain` and `why_not` as for orders."""
        segment = self._interactions.at(interaction.occurred_at)
        found = segment.decide(interaction.facts, (), 0, 1, 1, 1, 1)
        winners = compilation.winners_of_groups(found) if segment.exclusive else {}
        awards = _awards(found, winners)
        if not explain:
            return Decision(awards, ())
        explainer = Explainer(interaction.facts, (), 1, NO_TIER, self.programme.exponent, why_not)
        return Decision(awards, tuple(explainer.rules(segment.rules, found, winners)))

    def _base(self, version: OrderVersion, net: NetOrder, *, with_lines: bool) -> EarningBase:
        if self._plain:
            left, sold, paid = net.earning_left, net.earning_sold, net.points_paid
            lines = _plain_lines(version, net) if with_lines else []
        else:
            exclusion = self.programme.exclusion
            pairs = zip(version.lines, net.left, strict=True)
            earning = [pair for pair in pairs if exclusion(pair[0]) is None]
            lines = [pair for pair in earning if pair[1]]
            left = sum(rest for _, rest in earning)
            sold = sum(line.amount for line, _ in earning)
            paid = min(version.points_paid, sold)
        if not paid or self.programme.earn_on_points_paid:
            return EarningBase(left, 1, 1, 0, lines)
        return EarningBase(left, sold - paid, sold, paid, lines)

    def _of_order(self, order: OrderContext, base: EarningBase) -> list[Item]:
        items = self._excluded(order)
        if base.paid:
            digits = self.programme.exponent
            left, paid, sold = (
                scaled_text(amount, digits) for amount in (base.left, base.paid, base.sold)
            )
            items.append({"code": "paid_in_points", "left": left, "paid": paid, "sold": sold})
        return items

    def _excluded(self, order: OrderContext) -> list[Item]:
        # In a plain programme the net already says that every amount earns: the usual order.
        if self._plain and order.net.earning_sold == order.net.original:
            return []
        return excluded_lines(order.version.lines, self.programme)

    def _nothing_earns(self, order: OrderContext) -> tuple[Item, ...]:
        return (*self._excluded(order), {"code": "nothing_earns"})

    def _does_not_count(self, order: OrderContext) -> tuple[Item, ...]:
        net = scaled_text(order.net.net, self.programme.exponent)
        return ({"code": "does_not_count", "status": order.version.status, "net": net},)


def compile_rulebook(rules: Sequence[RuleSpec], programme: Programme | None = None) -> RuleBook:
    """Check the rules against each other and make them ready to decide.

    Raises: RuleError when versions of one rule overlap or the modes of a group disagree.
    """
    return RuleBook(rules, programme or Programme())


def _plain_lines(version: OrderVersion, net: NetOrder) -> list[tuple[Line, int]]:
    """Return what `Programme.exclusion` would leave of a plain programme, without the calls."""
    return [
        (line, rest)
        for line, rest in zip(version.lines, net.left, strict=True)
        if rest and line.earns and line.kind in SPEND_KINDS
    ]


_award: Callable[[Match], Award] = partial(tuple.__new__, Award)


def _awards(found: Sequence[Match], winners: Mapping[str, Match]) -> tuple[Award, ...]:
    if winners:
        found = [match for match in found if winners.get(match[0].group or "", match) is match]
    return tuple([_award(match) for match in found if match[1] > 0])


def _fact_names(rules: Sequence[RuleSpec]) -> frozenset[str]:
    """Return the names of all facts that these rules look at, lines left out."""
    nodes = map(attrgetter("conditions"), rules)
    return frozenset(
        leaf.field.name for node in nodes if node is not None for leaf in conditions.leaves(node)
    )
