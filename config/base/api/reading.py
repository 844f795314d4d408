"""Typed reading of a JSON object, hand-written for speed.

Every field that is not right is noted with its JSON pointer and reading goes on, so that a
caller hears of all mistakes at once. What was read is only good when `finish` has not raised.
"""

import re
import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base import money
from config.base.api.json_format import UNSTORABLE, escape
from config.base.api.problems import FieldError, RequestInvalidError

Value = TypeVar("Value")

MAX_POINTS = 10**12
MAX_VERSION = 1 << 62
MAX_FREE_DEPTH = 6
MAX_FREE_ITEMS = 200
MAX_FREE_TEXT = 2_000
QUANTITY_DECIMALS = 3
MAX_QUANTITY = 10**9

# Outside of these years arithmetic with days and months could leave the calendar.
FIRST_YEAR, LAST_YEAR = "1970", "9990"

# Control characters have no business in a name or a reference; they break receipts and logs.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
NAIVE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?", re.ASCII)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
PLAIN_QUANTITY = re.compile(r"(\d{1,9})(?:\.(\d{1,12}))?", re.ASCII)

MISSING = _("This field is required.")
NOT_OBJECT = _("Must be an object.")
NOT_LIST = _("Must be a list.")
NOT_TEXT = _("Must be text.")
NOT_BOOLEAN = _("Must be true or false.")
NOT_INTEGER = _("Must be a whole number within bounds.")
EMPTY = _("Must not be empty.")
TOO_LONG = _("Too long.")
TOO_MANY = _("Too many items.")
CONTROL_CHARACTERS = _("Must not hold control characters.")
NOT_CHOICE = _("Not one of the values that are allowed.")
NOT_MONEY = _("Must be a decimal string within the currency's decimals, not negative.")
NOT_QUANTITY = _("Must be a number with up to 3 decimals, not negative.")
NOT_TIME = _("Must be a time of RFC 3339.")
NAIVE_TIME = _("The time must have an offset.")
NOT_DATE = _("Must be a date, YYYY-MM-DD.")
NOT_ID = _("Must be an id.")
UNKNOWN_KEY = _("This key is not known.")
TOO_DEEP = _("Nested too deeply, or too many items.")
NOT_FREE = _("Only text, whole numbers, exact decimals as text, true, false and null.")


class ObjectReader:
    """Reads one object; nested readers share its list of errors."""

    __slots__ = ("data", "errors", "pointer")

    def __init__(
        self, data: Any, pointer: str = "", errors: list[FieldError] | None = None
    ) -> None:
        self.errors: list[FieldError] = [] if errors is None else errors
        self.pointer = pointer
        self.data: Mapping[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            self.errors.append(FieldError(pointer, "object_expected", NOT_OBJECT))

    def note(self, key: str, code: str, detail: "str | Promise") -> None:
        """Note that a field is not right."""
        self.errors.append(FieldError(f"{self.pointer}/{escape(key)}", code, detail))

    def finish(self) -> None:
        """End the reading.

        Raises: RequestInvalidError when anything was noted.
        """
        if self.errors:
            raise RequestInvalidError(self.errors)

    def only(self, allowed: Collection[str]) -> None:
        """Note every key that is not known."""
        if not self.data.keys() <= allowed:  # type: ignore[operator]
            for key in self.data:
                if key not in allowed:
                    self.note(UNSTORABLE.sub("�", key)[:64], "unknown_key", UNKNOWN_KEY)

    def _raw(self, key: str, required: bool) -> Any:
        value = self.data.get(key)
        if value is None and required:
            # A null where a value is needed is a mistake of the same kind as leaving it out.
            self.note(key, "required", MISSING)
        return value

    def text(self, key: str, max_length: int, *, required: bool = True) -> str:
        """Return a text without control characters; empty when it may be and is absent."""
        value = self._raw(key, required)
        if value is None:
            return ""
        if type(value) is not str:
            self.note(key, "text_expected", NOT_TEXT)
        elif not value and required:
            self.note(key, "empty", EMPTY)
        elif len(value) > max_length:
            self.note(key, "too_long", TOO_LONG)
        elif not value.isprintable() and CONTROLS.search(value):
            self.note(key, "control_characters", CONTROL_CHARACTERS)
        else:
            return value
        return ""

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """Return one of the allowed values."""
        value = self._raw(key, default is None)
        if value is None:
            return default or ""
        if type(value) is not str or value not in allowed:
            self.note(key, "not_a_choice", NOT_CHOICE)
            return default or ""
        return value

    def boolean(self, key: str, default: bool | None = None) -> bool:
        """Return true or false."""
        value = self._raw(key, default is None)
        if value is None:
            return bool(default)
        if type(value) is not bool:
            self.note(key, "boolean_expected", NOT_BOOLEAN)
        return value is True

    def integer(self, key: str, low: int, high: int, *, required: bool = True) -> int | None:
        """Return a whole number within bounds, None when it is absent."""
        value = self._raw(key, required)
        if value is None:
            return None
        if type(value) is not int or not low <= value <= high:
            self.note(key, "integer_expected", NOT_INTEGER)
            return None
        return value

    def money(self, key: str, *, required: bool = True) -> int | None:
        """Return an amount that is not negative.

        Units: a decimal string in major units in, minor units out.
        """
        value = self._raw(key, required)
        if value is None:
            return None
        try:
            if type(value) is str and not value.startswith("-"):
                return money.to_minor(value)
        except money.AmountError:
            pass
        self.note(key, "amount_invalid", NOT_MONEY)
        return None

    def quantity(self, key: str) -> int:
        """Return a quantity, given as a number or as decimal text. Units: thousandths out."""
        value = self._raw(key, True)
        if type(value) is int and 0 <= value <= MAX_QUANTITY:
            return value * 1000
        if value is None:
            return 0
        thousandths = _thousandths(value)
        if thousandths is None:
            self.note(key, "quantity_invalid", NOT_QUANTITY)
            return 0
        return thousandths

    def time(self, key: str, *, required: bool = True) -> datetime | None:
        """Return an instant in UTC; a time without an offset is not one."""
        value = self._raw(key, required)
        if value is None:
            return None
        at = parse_time(value)
        if at is None:
            is_naive = type(value) is str and NAIVE.fullmatch(value) is not None
            self.note(
                key,
                "offset_missing" if is_naive else "time_invalid",
                NAIVE_TIME if is_naive else NOT_TIME,
            )
        return at

    def date(self, key: str, *, required: bool = True) -> date | None:
        """Return a day."""
        value = self._raw(key, required)
        if value is None:
            return None
        if type(value) is str and DATE.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        self.note(key, "date_invalid", NOT_DATE)
        return None

    def uuid(self, key: str, *, required: bool = True) -> uuid.UUID | None:
        """Return an id in its canonical form."""
        value = self._raw(key, required)
        if value is None:
            return None
        found = parse_uuid(value)
        if found is None:
            self.note(key, "id_invalid", NOT_ID)
        return found

    def object(self, key: str, *, required: bool = True) -> "ObjectReader | None":
        """Return a reader for the object below the key, None when it is absent."""
        value = self._raw(key, required)
        if value is None:
            return None
        return ObjectReader(value, f"{self.pointer}/{escape(key)}", self.errors)

    def objects(
        self,
        key: str,
        read: "Callable[[ObjectReader], Value]",
        *,
        max_items: int,
        required: bool = True,
        may_be_empty: bool = False,
    ) -> tuple[Value, ...]:
        """Return what `read` makes of each object of a list."""
        place = f"{self.pointer}/{escape(key)}"
        return tuple(
            read(ObjectReader(item, f"{place}/{number}", self.errors))
            for number, item in enumerate(self._list(key, max_items, required, may_be_empty))
        )

    def items(self, key: str, max_items: int) -> list[Any]:
        """Return a list as it is, for items that are read and answered one by one."""
        return self._list(key, max_items, required=True, may_be_empty=False)

    def texts(self, key: str, max_length: int, *, max_items: int) -> tuple[str, ...]:
        """Return a list of texts, empty when it is absent."""
        items = self._list(key, max_items, required=False, may_be_empty=True)
        below = ObjectReader(
            {str(number): item for number, item in enumerate(items)},
            f"{self.pointer}/{escape(key)}",
            self.errors,
        )
        return tuple(below.text(number, max_length) for number in below.data)

    def _list(self, key: str, max_items: int, required: bool, may_be_empty: bool) -> list[Any]:
        value = self._raw(key, required)
        if value is None:
            return []
        if type(value) is not list:
            self.note(key, "list_expected", NOT_LIST)
        elif len(value) > max_items:
            self.note(key, "too_many", TOO_MANY)
        elif not value and not may_be_empty:
            self.note(key, "empty", EMPTY)
        else:
            return value
        return []

    def free(self, key: str) -> dict[str, Any]:
        """Return an object of the caller's own keys, bounded in size and depth."""
        value = self._raw(key, False)
        if value is None:
            return {}
        if type(value) is not dict:
            self.note(key, "object_expected", NOT_OBJECT)
            return {}
        budget = [MAX_FREE_ITEMS]
        fault = _free_fault(value, 1, budget)
        if fault is not None:
            self.note(key, *fault)
            return {}
        return value


def parse_time(value: Any) -> datetime | None:
    """Return the instant of an RFC 3339 text in UTC, None when it is none or has no offset."""
    if type(value) is not str or not RFC3339.fullmatch(value):
        return None
    if not FIRST_YEAR <= value[:4] <= LAST_YEAR:
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        return None


def parse_uuid(value: Any) -> uuid.UUID | None:
    """Return the id of its canonical text, None when it is none."""
    if type(value) is not str or len(value) != 36:
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def _thousandths(value: Any) -> int | None:
    """Return the quantity where it is exact. Units: thousandths."""
    if isinstance(value, Decimal):
        if abs(value.adjusted()) > 12:
            return None
        value = format(value, "f")
    if type(value) is not str or (match := PLAIN_QUANTITY.fullmatch(value)) is None:
        return None
    decimals = (match[2] or "").rstrip("0")
    if len(decimals) > QUANTITY_DECIMALS:
        return None
    return int(match[1] + decimals.ljust(QUANTITY_DECIMALS, "0"))


def _free_fault(value: Any, depth: int, budget: list[int]) -> "tuple[str, Promise] | None":
    """Return what is wrong with free content: its depth, its size, or a kind of value."""
    budget[0] -= 1
    if depth > MAX_FREE_DEPTH or budget[0] < 0:
        return "too_deep", TOO_DEEP
    if isinstance(value, dict):
        items = [*value.keys(), *value.values()]
    elif isinstance(value, list):
        items = value
    else:
        return _free_scalar_fault(value)
    for item in items:
        if fault := _free_fault(item, depth + 1, budget):
            return fault
    return None


def _free_scalar_fault(value: Any) -> "tuple[str, Promise] | None":
    if value is None or type(value) is bool:
        return None
    if type(value) is str:
        return None if len(value) <= MAX_FREE_TEXT else ("too_long", TOO_LONG)
    if type(value) is int:
        return None if abs(value) < 1 << 53 else ("integer_expected", NOT_INTEGER)
    return "value_invalid", NOT_FREE
