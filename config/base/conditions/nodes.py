"""The typed tree of a condition and its canonical JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.base.conditions import values
from config.base.conditions.operators import Op
from config.base.conditions.registry import Field


@dataclass(frozen=True, slots=True)
class Leaf:
    """One test: a field, an operator and a constant in the field's own units."""

    field: Field
    op: Op
    value: values.Value
    # Its JSON, made once: explanations repeat it for every order.
    shown: Mapping[str, object] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        is_set = self.op is Op.IS_SET
        value = self.value if is_set else values.to_json(self.field, self.value)
        shown = {"field": self.field.name, "op": self.op.value, "value": value}
        object.__setattr__(self, "shown", shown)


@dataclass(frozen=True, slots=True)
class All:
    """Every item matches."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one item matches."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The item does not match."""

    item: Node


Node = Leaf | All | AnyOf | Not


def to_json(node: Node) -> dict[str, object]:
    """Return the canonical JSON form, which parses back to an equal tree."""
    match node:
        case All(items):
            return {"all": [to_json(item) for item in items]}
        case AnyOf(items):
            return {"any": [to_json(item) for item in items]}
        case Not(item):
            return {"not": to_json(item)}
        case Leaf():
            return dict(node.shown)


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield the leaves from left to right."""
    match node:
        case Leaf():
            yield node
        case Not(item):
            yield from leaves(item)
        case All(items) | AnyOf(items):
            for item in items:
                yield from leaves(item)
