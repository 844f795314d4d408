"""A small typed language that says how a shop's message becomes facts.

A mapping names topics; a topic names the kind of fact and an expression per key. Expressions:

    {"const": 1}                              a constant
    {"path": "customer.phone"}                what stands there; `[*]` goes through a list
    {"first": [e, e]}                         the first that is there
    {"sum": "discounts[*].amount"}            the total of numbers, 0 for none
    {"times": [e, e]}  {"minus": [e, e]}      exact arithmetic
    {"if_set": "cancelled_at", "then": e, "else": e}
    {"object": {"kind": e, …}}                an object of the keys that are there
    {"list": "line_items[*]", "each": {…}}    one object per item; `{"position": 1}` counts from 1
    {"concat": [e, e]}                        lists after each other

Any of them may have `default`, `map` (values by text, `*` for the rest), and `as`: `text`, `money`
(decimal text), `cents` (minor units in), `quantity`, `integer`, `line_no`, `time` (RFC 3339, or
`format` in programme time, or `epoch_ms`). What is not there is left out of the fact.

Source: INT-02, INT-10.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from config.base import clock, money
from config.base.errors import DomainError

FACTS: Final = ("order", "refund", "interaction")
MAX_DEPTH: Final = 12
MAX_ITEMS: Final = 2_000
LARGEST_LINE_NO: Final = 1_000_000
EPOCH_MS: Final = "epoch_ms"

_OPERATORS: Final = frozenset(
    {"const", "path", "first", "sum", "times", "minus", "if_set", "object", "list", "concat",
     "position"}
)  # fmt: skip
_TYPES: Final = frozenset(
    {"text", "money", "cents", "quantity", "integer", "line_no", "time", "boolean"}
)
_EXTRAS: Final = frozenset({"default", "map", "as", "format", "then", "else", "each"})
_PATH: Final = re.compile(r"[A-Za-z0-9_-]+(?:\[\*\])?(?:\.[A-Za-z0-9_-]+(?:\[\*\])?)*", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,9})?", re.ASCII)

Expression = Mapping[str, Any]
Place = tuple[Any, int]
_MISSING: Final = object()


class MappingInvalidError(DomainError):
    """The mapping says something that means nothing; `at` tells where."""

    def __init__(self, at: str, reason: Any) -> None:
        super().__init__("mapping_invalid", reason, at=at)


class UnmappableError(DomainError):
    """The message does not hold what the mapping looks for; `at` tells where."""

    def __init__(self, at: str, reason: Any) -> None:
        super().__init__("inbound_unmappable", reason, 422, at=at)


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a message says: facts, or none for a topic or a state that is of no interest."""

    facts: tuple[dict[str, Any], ...] = ()
    ignored: str = ""


def check(mapping: object) -> None:
    """Check a whole mapping.

    Raises: MappingInvalidError.
    """
    if not isinstance(mapping, dict) or set(mapping) != {"topics"}:
        raise MappingInvalidError("", _("A mapping is an object with `topics`."))
    topics = mapping["topics"]
    if not isinstance(topics, dict) or not topics:
        raise MappingInvalidError("topics", _("Name at least one topic."))
    for name, topic in topics.items():
        _check_topic(f"topics.{name}", topic)


def apply(mapping: Mapping[str, Any], topic: str, payload: Any) -> Mapped:
    """Return the facts of a message; `type` says which kind each is, the caller adds the source.

    Raises: UnmappableError.
    """
    described = mapping["topics"].get(topic)
    if described is None:
        return Mapped(ignored="topic_unknown")
    for condition in described.get("only_if", ()):
        found = _read(payload, condition["path"])
        if (str(found) if found is not None else "") not in condition["in"]:
            return Mapped(ignored="not_of_interest")
    body = _object(described["fields"], (payload, 0), topic)
    return Mapped(({"type": described["fact"], **body},))


def _check_topic(at: str, topic: object) -> None:
    if not isinstance(topic, dict) or not {"fact", "fields"} <= set(topic):
        raise MappingInvalidError(at, _("A topic has `fact` and `fields`."))
    if unknown := set(topic) - {"fact", "fields", "only_if"}:
        raise MappingInvalidError(f"{at}.{min(unknown)}", _("This key is not known."))
    if topic["fact"] not in FACTS:
        raise MappingInvalidError(f"{at}.fact", _("Not a kind of fact."))
    for number, condition in enumerate(topic.get("only_if", ())):
        is_right = isinstance(condition, dict) and set(condition) == {"path", "in"}
        if not is_right or not all(isinstance(each, str) for each in condition["in"]):
            raise MappingInvalidError(f"{at}.only_if.{number}", _("Needs `path` and `in`."))
        _check_path(f"{at}.only_if.{number}", condition["path"])
    _check_fields(f"{at}.fields", topic["fields"], 0)


def _check_fields(at: str, fields: object, depth: int) -> None:
    if not isinstance(fields, dict) or not fields:
        raise MappingInvalidError(at, _("Needs an object of expressions."))
    for name, expression in fields.items():
        _check_expression(f"{at}.{name}", expression, depth + 1)


def _check_expression(at: str, given: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MappingInvalidError(at, _("Nested too deeply."))
    if not isinstance(given, dict):
        raise MappingInvalidError(at, _("An expression is an object."))
    operators = set(given) & _OPERATORS
    if len(operators) != 1 or set(given) - _OPERATORS - _EXTRAS:
        raise MappingInvalidError(at, _("An expression has exactly one operator."))
    if given.get("as", "text") not in _TYPES or not isinstance(given.get("map", {}), dict):
        raise MappingInvalidError(at, _("Not a kind of value."))
    (operator,) = operators
    _check_argument(at, operator, given, depth)
    for name in ("then", "else"):
        if name in given:
            _check_expression(f"{at}.{name}", given[name], depth + 1)


def _check_argument(at: str, operator: str, given: Mapping[str, Any], depth: int) -> None:
    argument = given[operator]
    if operator in {"path", "sum", "if_set", "list"}:
        _check_path(at, argument)
    if operator in {"first", "times", "minus", "concat"}:
        if not isinstance(argument, list) or not argument:
            raise MappingInvalidError(at, _("Needs a list of expressions."))
        for number, item in enumerate(argument):
            _check_expression(f"{at}.{operator}.{number}", item, depth + 1)
    if operator == "object":
        _check_fields(at, argument, depth)
    if operator == "list":
        _check_fields(f"{at}.each", given.get("each"), depth)
    if operator == "position" and type(argument) is not int:
        raise MappingInvalidError(at, _("Counts from a whole number."))


def _check_path(at: str, path: object) -> None:
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise MappingInvalidError(at, _("Not a path."))


def _object(fields: Mapping[str, Expression], place: Place, at: str) -> dict[str, Any]:
    values = {name: _value(each, place, f"{at}.{name}") for name, each in fields.items()}
    return {name: value for name, value in values.items() if value is not None}


def _value(expression: Expression, place: Place, at: str) -> Any:
    (operator,) = set(expression) & _OPERATORS
    value = _EVALUATE[operator](expression, place, at)
    if value is None or value == "":
        value = expression.get("default")
    if "map" in expression:
        mapped = expression["map"].get(_key(value), expression["map"].get("*", _MISSING))
        if mapped is _MISSING:
            raise UnmappableError(at, _("This value is not in the map."))
        value = mapped
    if value is None or "as" not in expression:
        return value
    try:
        return _CONVERT[expression["as"]](value, expression)
    except (ValueError, InvalidOperation, TypeError, OverflowError) as error:
        raise UnmappableError(at, _("This value cannot be read.")) from error


def _key(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _read(payload: Any, path: str) -> Any:
    """Return what stands at a path; with `[*]`, the list of all that stand there."""
    found, is_many = [payload], False
    for part in path.split("."):
        name, marker, _rest = part.partition("[")
        below = [item.get(name) for item in found if isinstance(item, dict)]
        found = [item for item in below if item is not None]
        if marker:
            is_many = True
            found = [each for item in found if isinstance(item, list) for each in item]
    if is_many:
        return found[: MAX_ITEMS + 1]
    return found[0] if found else None


def _first(expression: Expression, place: Place, at: str) -> Any:
    for item in expression["first"]:
        value = _value(item, place, at)
        if value is not None and value != "":
            return value
    return None


def _number(value: Any) -> Decimal:
    """Return an exact number.

    Raises: ValueError.
    """
    if isinstance(value, bool) or not _NUMBER.fullmatch(text := str(value).strip()):
        raise ValueError("not a number")
    return Decimal(text)


def _numbers(values: Sequence[Any], at: str) -> list[Decimal]:
    try:
        return [_number(value) for value in values]
    except ValueError as error:
        raise UnmappableError(at, _("This is not a number.")) from error


def _sum(expression: Expression, place: Place, at: str) -> Any:
    found = _read(place[0], expression["sum"])
    items = found if isinstance(found, list) else [] if found is None else [found]
    return sum(_numbers(items, at), Decimal())


def _terms(name: str, expression: Expression, place: Place, at: str) -> list[Decimal] | None:
    values = [_value(item, place, at) for item in expression[name]]
    return None if None in values else _numbers(values, at)


def _times(expression: Expression, place: Place, at: str) -> Any:
    terms = _terms("times", expression, place, at)
    if terms is None:
        return None
    product = Decimal(1)
    for term in terms:
        product *= term
    return product


def _minus(expression: Expression, place: Place, at: str) -> Any:
    terms = _terms("minus", expression, place, at)
    return None if terms is None else terms[0] - sum(terms[1:], Decimal())


def _if_set(expression: Expression, place: Place, at: str) -> Any:
    name = "then" if _read(place[0], expression["if_set"]) not in (None, "", [], False) else "else"
    return _value(expression[name], place, at) if name in expression else None


def _list(expression: Expression, place: Place, at: str) -> Any:
    found = _read(place[0], expression["list"])
    items = found if isinstance(found, list) else []
    if len(items) > MAX_ITEMS:
        raise UnmappableError(at, _("Too many items."))
    return [
        _object(expression["each"], (item, number), f"{at}.{number}")
        for number, item in enumerate(items)
    ] or None


def _concat(expression: Expression, place: Place, at: str) -> Any:
    lists = [_value(item, place, at) or [] for item in expression["concat"]]
    return [item for each in lists for item in each] or None


_EVALUATE: Final[dict[str, Callable[[Expression, Place, str], Any]]] = {
    "const": lambda expression, _place, _at: expression["const"],
    "path": lambda expression, place, _at: _read(place[0], expression["path"]),
    "first": _first,
    "sum": _sum,
    "times": _times,
    "minus": _minus,
    "if_set": _if_set,
    "object": lambda expression, place, at: _object(expression["object"], place, at) or None,
    "list": _list,
    "concat": _concat,
    "position": lambda expression, place, _at: expression["position"] + place[1],
}


def _text(value: Any, _expression: Expression) -> str:
    if isinstance(value, dict | list):
        raise ValueError("not text")
    return str(value).strip()


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _integer(value: Any, _expression: Expression) -> int:
    number = _number(value)
    if number != number.to_integral_value():
        raise ValueError("not whole")
    return int(number)


def _line_no(value: Any, expression: Expression) -> int:
    """Return a line number for an id that may be longer than line numbers are.

    Two lines of one order that meet are refused when the order is read, never mixed up.
    """
    return _integer(value, expression) % LARGEST_LINE_NO


def _time(value: Any, expression: Expression) -> str:
    form = expression.get("format", "")
    if form == EPOCH_MS:
        at = datetime.fromtimestamp(_integer(value, expression) // 1000, UTC)
    elif form:
        at = datetime.strptime(str(value), form).replace(tzinfo=clock.zone())
    else:
        text = str(value).replace("Z", "+00:00")
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError("no offset")
    return at.astimezone(UTC).isoformat()


def _boolean(value: Any, _expression: Expression) -> bool:
    key = _key(value).lower()
    if key not in {"true", "1", "false", "0"}:
        raise ValueError("neither true nor false")
    return key in {"true", "1"}


_CONVERT: Final[dict[str, Callable[[Any, Expression], Any]]] = {
    "text": _text,
    "money": lambda value, _expression: _plain(_number(value)),
    "cents": lambda value, expression: money.to_text(_integer(value, expression)),
    "quantity": lambda value, _expression: _plain(_number(value)),
    "integer": _integer,
    "line_no": _line_no,
    "time": _time,
    "boolean": _boolean,
}
