"""Values of conditions: strict reading of JSON, and back.

Units: money and scaled decimals are integers inside and decimal strings in JSON; times are aware
UTC datetimes inside and RFC 3339 in JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from config.base import money
from config.base.conditions.registry import Field, FieldType

Scalar = str | int | bool | Decimal | date | datetime
Value = Scalar | frozenset[Scalar] | tuple[Scalar, Scalar]

MAX_TEXT: Final = 200
MAX_INTEGER: Final = 2**63 - 1

_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:\.([0-9]{1,6}))?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def scalar(field: Field, raw: object) -> Scalar:
    """Read one JSON value of a field.

    Raises: ValueError when it is not of the field's type.
    """
    return _READERS[field.type](field, raw)


def to_json(field: Field, value: Any) -> object:
    """Return a value or a fact of a field as JSON; sets are sorted, unknown types become text."""
    if isinstance(value, frozenset | set):
        value = sorted(value)
    if isinstance(value, tuple | list):
        return [_scalar_to_json(field, item) for item in value]
    return _scalar_to_json(field, value)


def _text(_field: Field, raw: object) -> str:
    if not isinstance(raw, str) or not raw or len(raw) > MAX_TEXT or "\x00" in raw:
        raise ValueError("text")
    return raw


def _choice(field: Field, raw: object) -> str:
    if not isinstance(raw, str) or all(raw != value for value, _ in field.choices or ()):
        raise ValueError("choice")
    return raw


def _integer(_field: Field, raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or abs(raw) > MAX_INTEGER:
        raise ValueError("integer")
    return raw


def _boolean(_field: Field, raw: object) -> bool:
    if raw is True or raw is False:
        return raw
    raise ValueError("boolean")


def _decimal(field: Field, raw: object) -> int | Decimal:
    found = _DECIMAL.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise ValueError("decimal")
    amount, digits = Decimal(found[0]), _digits(field)
    if digits is None:
        return amount.normalize() + 0
    if len(found[1] or "") > digits:
        raise ValueError("decimal")
    return int(amount.scaleb(digits))


def _digits(field: Field) -> int | None:
    return money.exponent() if field.type is FieldType.MONEY else field.scale


def _date(_field: Field, raw: object) -> date:
    if not isinstance(raw, str) or not _DATE.fullmatch(raw):
        raise ValueError("date")
    return date.fromisoformat(raw)


def _datetime(_field: Field, raw: object) -> datetime:
    if not isinstance(raw, str) or not _DATETIME.fullmatch(raw):
        raise ValueError("datetime")
    return datetime.fromisoformat(raw).astimezone(UTC)


_READERS: Final[Mapping[FieldType, Callable[[Field, object], Scalar]]] = MappingProxyType(
    {
        FieldType.STRING: _text,
        FieldType.STRING_SET: _text,
        FieldType.CHOICE: _choice,
        FieldType.INTEGER: _integer,
        FieldType.BOOLEAN: _boolean,
        FieldType.MONEY: _decimal,
        FieldType.DECIMAL: _decimal,
        FieldType.DATE: _date,
        FieldType.DATETIME: _datetime,
    }
)


def _scalar_to_json(field: Field, value: object) -> object:
    match value:
        case None | bool() | str():
            return value
        case int():
            digits = _digits(field)
            return value if digits is None else scaled_text(value, digits)
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
    return str(value)


def scaled_text(value: int, digits: int) -> str:
    """Return a scaled integer as a decimal string with all its digits: 1230 → 12.30."""
    if digits == 0:
        return str(value)
    whole, part = divmod(abs(value), 10**digits)
    return f"{'-' if value < 0 else ''}{whole}.{part:0{digits}d}"
