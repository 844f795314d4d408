"""What looks wrong with a rule before anybody is asked to publish it. Warnings, never refusals.

Pure: codes and figures; sentences are made where they are shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from config.base.conditions import All, AnyOf, Leaf, Node, Op
from config.base.conditions.operators import matches
from rewards.domain.rules import FactorSource, Fixed, GroupMode, Multiplier, RuleSpec

HIGH_FACTOR: Final = 5

# What a field can be at all: anything else never matches.
RANGES: Final[Mapping[str, range]] = {
    "order.weekday": range(1, 8),
    "order.day": range(1, 32),
    "order.month": range(1, 13),
    "order.hour": range(24),
    "interaction.weekday": range(1, 8),
    "interaction.month": range(1, 13),
    "member.birthday_month": range(1, 13),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that looks wrong, by its code."""

    code: str
    details: Mapping[str, Any] = field(default_factory=dict)


def warnings(
    draft: RuleSpec, *, others: Sequence[RuleSpec], in_force: RuleSpec | None, at: datetime
) -> list[Finding]:
    """Return what looks wrong with a draft.

    `others` are the active versions of the other rules, `in_force` the one the draft would follow.
    """
    return [
        *_of_time(draft, in_force, at),
        *_of_reach(draft),
        *_of_worth(draft),
        *_of_neighbours(draft, others, at),
    ]


def _of_time(draft: RuleSpec, in_force: RuleSpec | None, at: datetime) -> Iterator[Finding]:
    if draft.valid_until is not None and draft.valid_until <= at:
        yield Finding("already_over")
    elif draft.valid_from is not None and draft.valid_from < at:
        yield Finding("begins_in_the_past")
    if draft.valid_until is not None and in_force is not None and in_force.valid_until is None:
        yield Finding("nothing_follows")


def _of_reach(draft: RuleSpec) -> Iterator[Finding]:
    if draft.conditions is None and draft.line_conditions is None:
        yield Finding("no_condition")
    for node in (draft.conditions, draft.line_conditions):
        if node is not None and not is_possible(node):
            yield Finding("never_matches")
            return


def _of_worth(draft: RuleSpec) -> Iterator[Finding]:
    effect = draft.effect
    is_capped = draft.max_points is not None or draft.cap_points is not None
    if isinstance(effect, Multiplier) and effect.factor_source is FactorSource.RULE:
        if not is_capped:
            yield Finding("multiplier_without_cap")
        if effect.factor_num > HIGH_FACTOR * effect.factor_den:
            yield Finding("factor_high", {"factor": effect.factor_num / effect.factor_den})
        if effect.factor_num == effect.factor_den:
            yield Finding("factor_is_one")
    if isinstance(effect, Fixed):
        if not is_capped:
            yield Finding("fixed_without_cap")
        if draft.cap_points is not None and draft.cap_points < effect.points:
            yield Finding("cap_below_award", {"cap": draft.cap_points, "points": effect.points})


def _of_neighbours(draft: RuleSpec, others: Sequence[RuleSpec], at: datetime) -> Iterator[Finding]:
    start = max(draft.valid_from or at, at)
    met = [rule for rule in others if _meets(draft, rule, start) and rule.code != draft.code]
    if draft.group:
        same = sorted({rule.code for rule in met if rule.group == draft.group})
        if same and draft.group_mode is not GroupMode.ADD:
            yield Finding("shares_group", {"rules": same, "mode": draft.group_mode.value})
        return
    if isinstance(draft.effect, Multiplier):
        adds = sorted({r.code for r in met if _multiplies(r) and not r.group})
        if adds:
            yield Finding("adds_to", {"rules": adds})


def _multiplies(rule: RuleSpec) -> bool:
    effect = rule.effect
    return isinstance(effect, Multiplier) and effect.factor_source is FactorSource.RULE


def _meets(draft: RuleSpec, other: RuleSpec, start: datetime) -> bool:
    if other.trigger is not draft.trigger:
        return False
    if other.valid_until is not None and other.valid_until <= start:
        return False
    end = draft.valid_until
    return end is None or other.valid_from is None or other.valid_from < end


def is_possible(node: Node) -> bool:
    """Say whether a condition can hold at all, as far as its constants tell."""
    return _is_possible((), [node])


def _is_possible(leaves: tuple[Leaf, ...], nodes: Sequence[Node]) -> bool:
    for position, node in enumerate(nodes):
        rest = nodes[position + 1 :]
        match node:
            case Leaf():
                leaves = (*leaves, node)
            case All(items):
                return _is_possible(leaves, [*items, *rest])
            case AnyOf(items):
                return any(_is_possible(leaves, [item, *rest]) for item in items)
            case _:
                continue
    names = dict.fromkeys(leaf.field.name for leaf in leaves)
    return all(_agree(name, [leaf for leaf in leaves if leaf.field.name == name]) for name in names)


def _agree(name: str, leaves: Sequence[Leaf]) -> bool:
    """Say whether some value of a field meets all of its tests."""
    if any(leaf.op is Op.IS_SET and leaf.value is False for leaf in leaves):
        return all(leaf.op is Op.IS_SET and leaf.value is False for leaf in leaves)
    candidates: list[Any] | None = list(RANGES[name]) if name in RANGES else None
    for leaf in leaves:
        value: Any = leaf.value
        if leaf.op is Op.EQ and candidates is None:
            candidates = [value]
        elif leaf.op is Op.IN and candidates is None:
            candidates = list(value)
    if candidates is None:
        return _bounds_agree(leaves)
    return any(all(matches(leaf.op, each, leaf.value) for leaf in leaves) for each in candidates)


def _bounds_agree(leaves: Sequence[Leaf]) -> bool:
    lowest: Any = None
    highest: Any = None
    for leaf in leaves:
        value: Any = leaf.value
        low, high = value if leaf.op is Op.BETWEEN else (value, value)
        if leaf.op in {Op.GT, Op.GTE, Op.BETWEEN}:
            lowest = low if lowest is None else max(lowest, low)
        if leaf.op in {Op.LT, Op.LTE, Op.BETWEEN}:
            highest = high if highest is None else min(highest, high)
    return lowest is None or highest is None or bool(lowest <= highest)
