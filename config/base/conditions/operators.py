"""Operators: which type has which, what form their values take, when they match."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from config.base.conditions.registry import FieldType


class Op(StrEnum):
    """An operator of a leaf."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    BETWEEN = "between"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_SET = "is_set"


_EQUALITY: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.IS_SET})
_ORDERED: Final = _EQUALITY | {Op.LT, Op.LTE, Op.GT, Op.GTE, Op.BETWEEN}

OPERATORS: Final[Mapping[FieldType, frozenset[Op]]] = MappingProxyType(
    {
        FieldType.STRING: _EQUALITY | {Op.STARTS_WITH},
        FieldType.INTEGER: _ORDERED,
        FieldType.MONEY: _ORDERED,
        FieldType.DECIMAL: _ORDERED,
        FieldType.DATE: _ORDERED,
        FieldType.DATETIME: _ORDERED,
        FieldType.BOOLEAN: frozenset({Op.EQ, Op.NE, Op.IS_SET}),
        FieldType.CHOICE: _EQUALITY,
        FieldType.STRING_SET: frozenset({Op.CONTAINS, Op.IS_SET}),
    }
)

# The same meaning twice: as a function for explaining, and as an expression for the generated
# function. `{v}` is the fact, `{c}` the constant, `{d}` the second one of between. An absent fact
# (None) matches nothing but `is_set: false`; equality needs no test for that, because constants
# are never None.
_MATCHES: Final[Mapping[Op, Callable[[Any, Any], bool]]] = MappingProxyType(
    {
        Op.EQ: lambda fact, value: bool(fact == value),
        Op.NE: lambda fact, value: bool(fact != value),
        Op.IN: lambda fact, value: fact in value,
        Op.NOT_IN: lambda fact, value: fact not in value,
        Op.LT: lambda fact, value: bool(fact < value),
        Op.LTE: lambda fact, value: bool(fact <= value),
        Op.GT: lambda fact, value: bool(fact > value),
        Op.GTE: lambda fact, value: bool(fact >= value),
        Op.BETWEEN: lambda fact, value: bool(value[0] <= fact <= value[1]),
        Op.CONTAINS: lambda fact, value: value in fact,
        Op.STARTS_WITH: lambda fact, value: bool(fact.startswith(value)),
    }
)

EXPRESSIONS: Final[Mapping[Op, str]] = MappingProxyType(
    {
        Op.EQ: "{v} == {c}",
        Op.IN: "{v} in {c}",
        Op.NE: "{v} is not None and {v} != {c}",
        Op.NOT_IN: "{v} is not None and {v} not in {c}",
        Op.LT: "{v} is not None and {v} < {c}",
        Op.LTE: "{v} is not None and {v} <= {c}",
        Op.GT: "{v} is not None and {v} > {c}",
        Op.GTE: "{v} is not None and {v} >= {c}",
        Op.BETWEEN: "{v} is not None and {c} <= {v} <= {d}",
        Op.CONTAINS: "{v} is not None and {c} in {v}",
        Op.STARTS_WITH: "{v} is not None and {v}.startswith({c})",
    }
)


def matches(op: Op, fact: object, value: object) -> bool:
    """Say whether a fact meets an operator; an absent one only meets `is_set: false`."""
    if op is Op.IS_SET:
        return (fact is not None) is value
    return fact is not None and _MATCHES[op](fact, value)
