"""One cell of an imported file: text in, a value of its type out, or why not."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from config.base import clock, money

MAX_NUMBER: Final = 1 << 62
FIRST_YEAR, LAST_YEAR = 1970, 9990

_QUANTITY = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,12}))?", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r" ?(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)
_DAY = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})", re.ASCII)
_TRUE: Final = frozenset({"true", "1", "yes", "y", "是"})
_FALSE: Final = frozenset({"false", "0", "no", "n", "否"})


class CellError(ValueError):
    """A cell that does not hold what its column says; the code names why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def text(cell: str, max_length: int, *, required: bool = False) -> str:
    """Return a text without surrounding space and control characters.

    Raises: CellError.
    """
    value = cell.strip()
    if not value and required:
        raise CellError("missing")
    if len(value) > max_length:
        raise CellError("too_long")
    if not value.isprintable() and _CONTROLS.search(value):
        raise CellError("control_characters")
    return value


def integer(cell: str, lowest: int, highest: int) -> int:
    """Return a whole number within bounds.

    Raises: CellError.
    """
    value = cell.strip()
    if not value:
        raise CellError("missing")
    if not _INTEGER.fullmatch(value):
        raise CellError("not_an_integer")
    number = int(value)
    if not lowest <= number <= highest:
        raise CellError("out_of_range")
    return number


def quantity(cell: str) -> int:
    """Return a quantity. Units: thousandths.

    Raises: CellError.
    """
    match = _QUANTITY.fullmatch(cell.strip())
    if match is None:
        raise CellError("quantity_invalid" if cell.strip() else "missing")
    decimals = (match[2] or "").rstrip("0")
    if len(decimals) > 3:
        raise CellError("quantity_invalid")
    return int(match[1] + decimals.ljust(3, "0"))


def amount(cell: str) -> int:
    """Return an amount that is not negative. Units: minor units.

    Raises: CellError.
    """
    value = cell.strip()
    if not value:
        raise CellError("missing")
    try:
        minor = money.to_minor(value)
    except money.AmountError as error:
        raise CellError("amount_invalid") from error
    if minor < 0 or value.startswith("-"):
        raise CellError("amount_negative")
    return minor


@lru_cache(maxsize=1_024)
def instant(cell: str) -> datetime:
    """Return an instant in UTC; digits without an offset are the programme's own time.

    Raises: CellError, also for digits that the programme's clocks never show.
    """
    value = cell.strip()
    match = _TIME.fullmatch(value)
    if match is None:
        raise CellError("time_invalid" if value else "missing")
    try:
        at = datetime.fromisoformat(value.replace(" ", "T", 1).replace(" ", ""))
    except ValueError as error:
        raise CellError("time_invalid") from error
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise CellError("time_invalid")
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    at = at.replace(tzinfo=clock.zone())
    there = at.astimezone(UTC)
    if there.astimezone(clock.zone()).replace(tzinfo=None) != at.replace(tzinfo=None):
        raise CellError("time_skipped")
    return there


def instant_or_day(cell: str) -> datetime:
    """Return an instant in UTC; a day alone is its first instant.

    Raises: CellError.
    """
    return clock.day_start(day(cell)) if _DAY.fullmatch(cell.strip()) else instant(cell)


def day(cell: str) -> date:
    """Return a day, written as 2026-03-31 or 2026/3/31.

    Raises: CellError.
    """
    value = cell.strip()
    match = _DAY.fullmatch(value)
    if match is None:
        raise CellError("date_invalid" if value else "missing")
    try:
        found = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise CellError("date_invalid") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise CellError("date_invalid")
    return found


def boolean(cell: str, *, default: bool) -> bool:
    """Return yes or no.

    Raises: CellError.
    """
    value = cell.strip().casefold()
    if not value:
        return default
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise CellError("not_yes_or_no")


def choice(cell: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    """Return one of the allowed values.

    Raises: CellError.
    """
    value = cell.strip() or default or ""
    if value not in allowed:
        raise CellError("not_a_choice" if value else "missing")
    return value
