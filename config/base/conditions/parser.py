"""Strict reading of a condition from JSON into its typed tree."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from config.base.conditions import registry as registries
from config.base.conditions import values
from config.base.conditions.errors import ConditionError
from config.base.conditions.nodes import All, AnyOf, Leaf, Node, Not
from config.base.conditions.operators import OPERATORS, Op
from config.base.conditions.registry import Field, Registry

MAX_DEPTH: Final = 8
MAX_LEAVES: Final = 200
MAX_VALUES: Final = 1_000

_LEAF_KEYS: Final = frozenset({"field", "op", "value"})
_OPERATOR_NAMES: Final = frozenset(op.value for op in Op)


def parse(data: object, scopes: Collection[str], registry: Registry = registries.fields) -> Node:
    """Read a condition that speaks only about fields of the given scopes.

    Raises: ConditionError at the first place that is not exactly right.
    """
    return _Parser(frozenset(scopes), registry).node(data, "", 1)


class _Parser:
    """Walk the JSON once, with the path to where it stands."""

    def __init__(self, scopes: frozenset[str], registry: Registry) -> None:
        self._scopes = scopes
        self._registry = registry
        self._leaves = 0

    def node(self, data: object, path: str, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _refused("too_deep", path, _("Conditions are nested too deeply."))
        if not isinstance(data, Mapping) or not data:
            raise _refused("not_a_condition", path, _("A condition must be an object."))
        if "field" in data:
            return self._leaf(data, path)
        if len(data) != 1:
            raise _refused("unknown_key", path, _("A group has exactly one of all, any, not."))
        key, content = next(iter(data.items()))
        match key:
            case "all":
                return All(self._items(content, _join(path, "all"), depth))
            case "any":
                return AnyOf(self._items(content, _join(path, "any"), depth))
            case "not":
                return Not(self.node(content, _join(path, "not"), depth + 1))
        raise _refused("unknown_key", path, _("A group has exactly one of all, any, not."))

    def _items(self, data: object, path: str, depth: int) -> tuple[Node, ...]:
        if not isinstance(data, list):
            raise _refused("not_a_list", path, _("all and any take a list of conditions."))
        if not data:
            raise _refused("empty_list", path, _("An empty list of conditions says nothing."))
        if len(data) > MAX_LEAVES:
            raise _refused("too_many_leaves", path, _("There are too many conditions."))
        return tuple(
            self.node(item, f"{path}[{position}]", depth + 1) for position, item in enumerate(data)
        )

    def _leaf(self, data: Mapping[Any, object], path: str) -> Leaf:
        self._leaves += 1
        if self._leaves > MAX_LEAVES:
            raise _refused("too_many_leaves", path, _("There are too many conditions."))
        if data.keys() != _LEAF_KEYS:
            message = _("A test has exactly the keys field, op and value.")
            raise _refused("unknown_key", path, message)
        field = self._field(data["field"], _join(path, "field"))
        op = _operator(field, data["op"], _join(path, "op"))
        return Leaf(field, op, _value(field, op, data["value"], _join(path, "value")))

    def _field(self, name: object, path: str) -> Field:
        field = self._registry.find(name) if isinstance(name, str) else None
        if field is None:
            raise _refused("unknown_field", path, _("There is no such field."))
        if field.scope not in self._scopes:
            message = _("The field {name} cannot be used here.")
            raise _refused("field_out_of_scope", path, format_lazy(message, name=field.name))
        return field


def _operator(field: Field, raw: object, path: str) -> Op:
    if not isinstance(raw, str) or raw not in _OPERATOR_NAMES:
        raise _refused("unknown_operator", path, _("There is no such operator."))
    op = Op(raw)
    if op not in OPERATORS[field.type]:
        message = format_lazy(_("{label} has no operator {op}."), label=field.label, op=op.value)
        raise _refused("operator_not_allowed", path, message)
    return op


def _value(field: Field, op: Op, raw: object, path: str) -> values.Value:
    match op:
        case Op.IS_SET:
            if isinstance(raw, bool):
                return raw
            raise _refused("invalid_value", path, _("is_set takes true or false."))
        case Op.IN | Op.NOT_IN:
            return frozenset(_scalars(field, raw, path))
        case Op.BETWEEN:
            return _bounds(field, raw, path)
    return _scalar(field, raw, path)


def _scalars(field: Field, raw: object, path: str) -> list[values.Scalar]:
    if not isinstance(raw, list):
        raise _refused("invalid_value", path, _("This operator takes a list of values."))
    if not raw:
        raise _refused("empty_list", path, _("An empty list of values matches nothing."))
    if len(raw) > MAX_VALUES:
        raise _refused("too_many_values", path, _("There are too many values."))
    return [_scalar(field, item, f"{path}[{position}]") for position, item in enumerate(raw)]


def _bounds(field: Field, raw: object, path: str) -> tuple[values.Scalar, values.Scalar]:
    match _scalars(field, raw, path):
        case [lower, upper] if _ordered(lower, upper):
            return lower, upper
    raise _refused("invalid_value", path, _("between takes a lower and an upper bound."))


def _ordered(lower: Any, upper: Any) -> bool:
    return bool(lower <= upper)


def _scalar(field: Field, raw: object, path: str) -> values.Scalar:
    try:
        return values.scalar(field, raw)
    except (ValueError, OverflowError) as error:
        message = format_lazy(_("This is not a valid value for {label}."), label=field.label)
        raise _refused("invalid_value", path, message) from error


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _refused(code: str, path: str, message: str | Promise) -> ConditionError:
    return ConditionError(code, path, message)
