"""Compile conditions into generated Python.

The text of a generated function consists of templates of known operators and of numbered names
only. Field names and values never enter it: they are bound as constants of its namespace, and the
namespace has no builtins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from config.base.conditions.nodes import All, AnyOf, Leaf, Node, Not
from config.base.conditions.operators import EXPRESSIONS, Op
from config.base.conditions.registry import Field

Facts = Mapping[str, object]

# Cheap tests first: conditions have no side effects and null-safe tests never raise, so the order
# of the items of a group cannot change its result.
_COST: Final[Mapping[Op, int]] = {
    Op.IS_SET: 0, Op.EQ: 1, Op.IN: 2, Op.NE: 2, Op.NOT_IN: 3, Op.LT: 3, Op.LTE: 3, Op.GT: 3,
    Op.GTE: 3, Op.CONTAINS: 3, Op.BETWEEN: 4, Op.STARTS_WITH: 6,
}  # fmt: skip


class Namespace:
    """Constants of one generated function, each under a numbered name."""

    def __init__(self) -> None:
        self._bound: dict[str, object] = {"__builtins__": {}}
        self._names: dict[tuple[type, object], str] = {}

    def constant(self, value: object) -> str:
        """Bind a hashable value and return its name; equal values of a type share one."""
        key = (type(value), value)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = self.bind(value)
        return name

    def bind(self, value: object) -> str:
        """Bind any object and return its name."""
        name = f"c{len(self._bound)}"
        self._bound[name] = value
        return name

    def function(self, parameters: str, body: Sequence[str]) -> Callable[..., Any]:
        """Compile lines of generated code into a function over the bound constants."""
        source = "\n".join([f"def generated({parameters}):", *(f"    {line}" for line in body)])
        code = compile(source, "<generated rules>", "exec")
        exec(code, self._bound)  # noqa: S102  # text is made of known templates, see the module
        function: Callable[..., Any] = self._bound.pop("generated")  # type: ignore[assignment]
        return function


class Expressions:
    """Write conditions as expressions over local variables, one variable per field."""

    def __init__(self, namespace: Namespace, prefix: str) -> None:
        self._namespace = namespace
        self._prefix = prefix
        self._variables: dict[str, str] = {}

    @property
    def variables(self) -> Mapping[str, str]:
        """Return the variable of each field used so far."""
        return self._variables

    def loads(self, source: str) -> list[str]:
        """Return the lines that load every field used so far from a mapping."""
        return [
            f"{variable} = {source}({self._namespace.constant(name)})"
            for name, variable in self._variables.items()
        ]

    def of(self, node: Node) -> str:
        """Return the expression of a condition, in parentheses where it needs them."""
        match node:
            case Leaf():
                return f"({self._leaf(node)})"
            case Not(item):
                return f"(not {self.of(item)})"
            case All(items):
                return self._group(" and ", items)
            case AnyOf(items):
                return self._group(" or ", items)

    def _group(self, word: str, items: Sequence[Node]) -> str:
        return f"({word.join(self.of(item) for item in sorted(items, key=_cost))})"

    def _leaf(self, leaf: Leaf) -> str:
        variable = self._variable(leaf.field)
        if leaf.op is Op.IS_SET:
            return f"{variable} is {'not ' if leaf.value else ''}None"
        bounds = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        names = [self._namespace.constant(value) for value in bounds]
        test = EXPRESSIONS[leaf.op].format(v=variable, c=names[0], d=names[-1])
        if leaf.field.checked:
            kind = self._namespace.constant(str)
            return f"{variable}.__class__ is {kind} and {test}"
        return test

    def _variable(self, field: Field) -> str:
        name = f"{self._prefix}{len(self._variables)}"
        return self._variables.setdefault(field.name, name)


def _cost(node: Node) -> int:
    if isinstance(node, Leaf):
        return _COST[node.op]
    if isinstance(node, Not):
        return 1 + _cost(node.item)
    return 10 + len(node.items)


def compile_python(nodes: Sequence[Node]) -> Callable[[Facts], tuple[bool, ...]]:
    """Compile conditions into one function: facts in, one truth per condition out."""
    namespace = Namespace()
    expressions = Expressions(namespace, "f")
    results = [expressions.of(node) for node in nodes]
    body = ["get = facts.get", *expressions.loads("get"), f"return ({', '.join([*results, ''])})"]
    return namespace.function("facts", body)
