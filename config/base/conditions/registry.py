"""Fields that conditions may speak about; every app registers its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.text import format_lazy

Label = str | Promise

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,63}){1,3}")
_MEMBER_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Names that others chose: any print, like a category of a shop.
_OPEN_NAME = re.compile(r"[^\x00-\x1f]{1,100}")


class FieldType(StrEnum):
    """Type of a field, which decides its operators and the form of its values."""

    STRING = "string"
    INTEGER = "integer"
    MONEY = "money"
    DECIMAL = "decimal"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    STRING_SET = "string_set"


@dataclass(frozen=True, slots=True)
class Field:
    """One value that a condition can test; its scope is the first part of its name.

    Units: money is compared in minor units of the programme's currency; a decimal with a `scale`
    is compared as that scaled integer (thousandths for 3), without one as `Decimal`.
    """

    name: str
    type: FieldType
    # Lazy labels compare by translating themselves, so they stay out of equality and hash.
    label: Label = field(compare=False)
    choices: tuple[tuple[str, Label], ...] | None = field(default=None, compare=False)
    scale: int | None = None
    # Values of a family come from outside the schema: their type is tested before use.
    checked: bool = False
    # The prefix of the family that it belongs to.
    family: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.family or self.name):
            raise ValueError(f"field name {self.name!r} is not dotted lower snake case")
        if (self.type is FieldType.CHOICE) is not bool(self.choices):
            raise ValueError(f"field {self.name}: the type choice has choices, others have none")
        if self.scale is not None and self.type is not FieldType.DECIMAL:
            raise ValueError(f"field {self.name}: only a decimal has a scale")

    @property
    def scope(self) -> str:
        """Return the first part of the name."""
        return self.name.partition(".")[0]

    @property
    def member(self) -> str:
        """Return the last part of the name of a field of a family."""
        return self.name.removeprefix(f"{self.family}.") if self.family else ""


Typed = Callable[[Field], Field]
"""Gives a field of a family the type that somebody declared for its name."""


def _as_declared(field: Field) -> Field:
    return field


@dataclass(frozen=True, slots=True)
class Family:
    """Fields `prefix.<name>` of one kind; `is_open` where the names are those of others."""

    field: Field
    is_open: bool = False
    typed: Typed = _as_declared

    def member(self, last: str) -> Field | None:
        """Return the field of that last part, None where no field can be called so."""
        if not (_OPEN_NAME if self.is_open else _MEMBER_NAME).fullmatch(last):
            return None
        prefix, label = self.field.name, self.field.label
        if self.is_open:
            label = format_lazy("{label}: {name}", label=label, name=last)
        named = replace(self.field, name=f"{prefix}.{last}", label=label, family=prefix)
        return self.typed(named)


class Registry:
    """Look up fields by name; a family stands for every name below a prefix."""

    def __init__(self) -> None:
        self._fields: dict[str, Field] = {}
        self._families: dict[str, Family] = {}

    def register(self, *fields: Field) -> None:
        """Add fields; the same field again is harmless, another one of that name is refused."""
        for item in fields:
            if self._fields.setdefault(item.name, item) != item:
                raise ValueError(f"field {item.name} is already registered with another meaning")

    def register_family(self, prefix: str, label: Label) -> None:
        """Add free text fields `prefix.<name>`; a field registered by its full name goes first."""
        self.add_family(Family(Field(prefix, FieldType.STRING, label, checked=True)))

    def add_family(self, family: Family) -> None:
        """Add the fields of a family; a field registered by its full name goes first."""
        self._families[family.field.name] = family

    def find(self, name: str) -> Field | None:
        """Return the field of that name, None when nobody registered it."""
        known = self._fields.get(name)
        if known is not None:
            return known
        for prefix, family in self._families.items():
            if name.startswith(f"{prefix}."):
                return family.member(name[len(prefix) + 1 :])
        return None

    def family_field(self, prefix: str) -> Field:
        """Return what the fields of a family have in common.

        Raises: KeyError.
        """
        return self._families[prefix].field

    def in_scopes(self, scopes: Iterable[str]) -> tuple[Field, ...]:
        """Return the registered fields of these scopes by name, families left out."""
        wanted = frozenset(scopes)
        found = (item for item in self._fields.values() if item.scope in wanted)
        return tuple(sorted(found, key=lambda item: item.name))


# The registry of the running programme. Apps add to it when their field modules are imported.
fields = Registry()
