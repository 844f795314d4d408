"""Cursors: where a list goes on, as an opaque text that stays right while rows are added."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR_LENGTH = 200

Row = TypeVar("Row")


class CursorInvalidError(DomainError):
    """The cursor was not given out by the list that it is used on."""

    def __init__(self) -> None:
        super().__init__("cursor_invalid", _("The cursor is not one of this list."))


class ParameterInvalidError(DomainError):
    """A query parameter cannot be read, or is not known."""

    def __init__(self, parameter: str) -> None:
        super().__init__(
            "parameter_invalid", _("A query parameter is not right."), parameter=parameter
        )


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list, and the cursor of the next one where there is one."""

    rows: Sequence[Row]
    next_cursor: str | None

    def to_json(self, item: Callable[[Row], Any]) -> dict[str, Any]:
        """Return the page with each row as `item` writes it."""
        return {"items": [item(row) for row in self.rows], "next_cursor": self.next_cursor}


def write(position: Sequence[int]) -> str:
    """Return the cursor for a position."""
    return base64.urlsafe_b64encode(orjson.dumps(list(position))).decode().rstrip("=")


def read(cursor: str | None, parts: int) -> tuple[int, ...] | None:
    """Return the position of a cursor of `parts` whole numbers; None without a cursor.

    Raises: CursorInvalidError.
    """
    if cursor is None:
        return None
    if len(cursor) > MAX_CURSOR_LENGTH or not cursor.isascii():
        raise CursorInvalidError
    try:
        position = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", True))
    except (binascii.Error, orjson.JSONDecodeError) as error:
        raise CursorInvalidError from error
    if not isinstance(position, list) or len(position) != parts:
        raise CursorInvalidError
    if not all(type(part) is int and abs(part) < 1 << 62 for part in position):
        raise CursorInvalidError
    return tuple(position)


def limit_of(parameters: QueryDict) -> int:
    """Return how many rows the page is to have.

    Raises: ParameterInvalidError.
    """
    text = parameters.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_LIMIT):
        raise ParameterInvalidError("limit")
    return int(text)


def check_parameters(parameters: QueryDict, allowed: Sequence[str]) -> None:
    """Refuse parameters that mean nothing here, or are given twice.

    Raises: ParameterInvalidError.
    """
    for name, values in parameters.lists():
        if name not in allowed or len(values) != 1:
            raise ParameterInvalidError(name[:64])


def page(rows: Sequence[Row], limit: int, position_of: Callable[[Row], Sequence[int]]) -> Page[Row]:
    """Cut a page from rows of which one more than the limit was asked for."""
    if len(rows) <= limit:
        return Page(rows, None)
    kept = rows[:limit]
    return Page(kept, write(position_of(kept[-1])))
