"""How the values of a trigger's fields are read and written. Pure."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError

LONGEST_WORD: Final = 100
MOST_WORDS: Final = 200
E = TypeVar("E", bound=StrEnum)
_LARGEST: Final = Decimal(1_000_000_000)

_MESSAGES: Final[Mapping[str, str | Promise]] = {
    "trigger_invalid": _("This is no trigger."),
    "trigger_kind_unknown": _("There is no such kind of trigger."),
    "trigger_field_unknown": _("This kind of trigger has no such field."),
    "trigger_field_missing": _("A field of the trigger is missing."),
    "trigger_field_invalid": _("A field of the trigger has a value that it cannot have."),
    "trigger_fields_exclude": _("Fields of the trigger contradict each other."),
}


class TriggerError(DomainError):
    """The trigger cannot be understood; `field` names where."""

    def __init__(self, code: str, field: str) -> None:
        super().__init__(code, _MESSAGES[code], field=field)


def integer(least: int, most: int) -> Callable[[str, Any], int]:
    """Return a reader of whole numbers within bounds, both counted."""

    def read(name: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise TriggerError("trigger_field_invalid", name)
        return value

    return read


def integers(least: int, most: int) -> Callable[[str, Any], tuple[int, ...]]:
    """Return a reader of lists of whole numbers, each once, in order."""
    one = integer(least, most)

    def read(name: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, list) or not value or len(value) > MOST_WORDS:
            raise TriggerError("trigger_field_invalid", name)
        return tuple(sorted({one(name, each) for each in value}))

    return read


def word(name: str, value: Any) -> str:
    """Read a code."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_WORD:
        raise TriggerError("trigger_field_invalid", name)
    return value.strip()


def words(name: str, value: Any) -> tuple[str, ...]:
    """Read a list of codes."""
    if not isinstance(value, list) or not value or len(value) > MOST_WORDS:
        raise TriggerError("trigger_field_invalid", name)
    return tuple(dict.fromkeys(word(name, each) for each in value))


def amount(name: str, value: Any) -> Decimal:
    """Read an amount of money above 0, given as text."""
    if not isinstance(value, str):
        raise TriggerError("trigger_field_invalid", name)
    try:
        read = Decimal(value)
    except InvalidOperation as error:
        raise TriggerError("trigger_field_invalid", name) from error
    if not read.is_finite() or not 0 < read <= _LARGEST:
        raise TriggerError("trigger_field_invalid", name)
    return read


def amounts(name: str, value: Any) -> tuple[Decimal, ...]:
    """Read a list of amounts, in order."""
    if not isinstance(value, list) or not value or len(value) > MOST_WORDS:
        raise TriggerError("trigger_field_invalid", name)
    return tuple(sorted({amount(name, each) for each in value}))


def flag(name: str, value: Any) -> bool:
    """Read a yes or no."""
    if not isinstance(value, bool):
        raise TriggerError("trigger_field_invalid", name)
    return value


def day(name: str, value: Any) -> date:
    """Read a day, given as text."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise TriggerError("trigger_field_invalid", name) from error


def one_of(kinds: type[E]) -> Callable[[str, Any], E]:
    """Return a reader of one of some words."""

    def read(name: str, value: Any) -> E:
        try:
            return kinds(value)
        except ValueError as error:
            raise TriggerError("trigger_field_invalid", name) from error

    return read


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value
