"""What values of declared attributes may be."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

MAX_LENGTH: Final = 200
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Declared:
    """What somebody declared of an attribute: its type, and its values where they are chosen."""

    type: str
    choices: Sequence[str] = ()


def is_valid(declared: Declared, value: Any) -> bool:
    """Say whether an attribute can have a value; none at all takes it away.

    Source: MEM-06.
    """
    return value is None or _TESTS[declared.type](declared, value)


def _is_text(_declared: Declared, value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_LENGTH


def _is_number(_declared: Declared, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_date(_declared: Declared, value: Any) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_choice(declared: Declared, value: Any) -> bool:
    return isinstance(value, str) and value in declared.choices


def _are_choices(declared: Declared, value: Any) -> bool:
    return isinstance(value, list) and all(_is_choice(declared, item) for item in value)


_TESTS: Final[Mapping[str, Callable[[Declared, Any], bool]]] = MappingProxyType(
    {
        "string": _is_text,
        "number": _is_number,
        "date": _is_date,
        "bool": lambda _declared, value: isinstance(value, bool),
        "choice": _is_choice,
        "multi": _are_choices,
    }
)
