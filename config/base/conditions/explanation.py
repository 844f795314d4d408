"""Say leaf by leaf why a condition did or did not match."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.base.conditions import values
from config.base.conditions.nodes import AnyOf, Leaf, Node, Not
from config.base.conditions.operators import Op, matches


@dataclass(frozen=True, slots=True)
class LeafResult:
    """One test with the fact that it met; `negated` when it stands under a `not`."""

    leaf: Leaf
    actual: object
    matched: bool
    negated: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the test and the fact as compact JSON."""
        shown = {**self.leaf.shown, "actual": values.to_json(self.leaf.field, self.actual)}
        if self.negated:
            shown["negated"] = True
        return shown


def holds(node: Node, facts: Mapping[str, object]) -> bool:
    """Say whether a condition matches, by interpreting its tree."""
    if isinstance(node, Leaf):
        return _matches(node, facts.get(node.field.name))
    if isinstance(node, Not):
        return not holds(node.item, facts)
    outcomes = (holds(item, facts) for item in node.items)
    return any(outcomes) if isinstance(node, AnyOf) else all(outcomes)


def explain(node: Node, facts: Mapping[str, object]) -> tuple[LeafResult, ...]:
    """Return every leaf with its fact and whether it matched, from left to right."""
    return tuple(_all(node, facts, negated=False))


def causes(node: Node, facts: Mapping[str, object]) -> tuple[LeafResult, ...]:
    """Return only the leaves that made a condition come out as it did."""
    return tuple(_causes(node, facts, negated=False)[1])


def _all(node: Node, facts: Mapping[str, object], *, negated: bool) -> Iterator[LeafResult]:
    if isinstance(node, Leaf):
        yield _result(node, facts, negated=negated)
    elif isinstance(node, Not):
        yield from _all(node.item, facts, negated=not negated)
    else:
        for item in node.items:
            yield from _all(item, facts, negated=negated)


def _causes(
    node: Node, facts: Mapping[str, object], *, negated: bool
) -> tuple[bool, list[LeafResult]]:
    if isinstance(node, Leaf):
        result = _result(node, facts, negated=negated)
        return result.matched, [result]
    if isinstance(node, Not):
        outcome, found = _causes(node.item, facts, negated=not negated)
        return not outcome, found
    outcomes = [_causes(item, facts, negated=negated) for item in node.items]
    truths = [truth for truth, _ in outcomes]
    truth = any(truths) if isinstance(node, AnyOf) else all(truths)
    return truth, [result for each, found in outcomes if each is truth for result in found]


def _matches(leaf: Leaf, actual: object) -> bool:
    if leaf.field.checked and actual is not None and type(actual) is not str:
        # A fact of a foreign type is present, but it can match nothing else.
        return leaf.op is Op.IS_SET and leaf.value is True
    return matches(leaf.op, actual, leaf.value)


def _result(leaf: Leaf, facts: Mapping[str, object], *, negated: bool) -> LeafResult:
    actual = facts.get(leaf.field.name)
    return LeafResult(leaf, actual, _matches(leaf, actual), negated)
