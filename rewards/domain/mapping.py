"""Which column of a file holds what: names, constants, and values that mean something else.

Source: INT-10.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError

Cells = Sequence[str]
Picker = Callable[[Cells], tuple[str, ...]]
"""Picks our columns, in our order, out of a row of a file."""


class MappingError(DomainError):
    """A mapping that contradicts itself, or a file without the columns it needs."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that an import knows, in the order in which rows are read.

    Those that are not required may be absent.
    """

    names: tuple[str, ...]
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """How a file's columns become ours.

    `columns` gives the file's name of a column of ours, `constants` the value of one that the file
    does not have, `values` per column what a value of the file means here.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def with_columns(
        self, columns: Mapping[str, str], constants: Mapping[str, str]
    ) -> "ColumnMapping":
        """Return the mapping with some of it overruled."""
        return ColumnMapping(
            {**self.columns, **columns}, {**self.constants, **constants}, self.values
        )

    def as_json(self) -> dict[str, Any]:
        """Return the mapping as it is kept with an import."""
        return {
            "columns": dict(self.columns),
            "constants": dict(self.constants),
            "values": {name: dict(values) for name, values in self.values.items()},
        }


def mapping_of(data: Mapping[str, Any]) -> ColumnMapping:
    """Return the mapping that a mapping file says.

    Raises: MappingError.
    """
    unknown = data.keys() - {"columns", "constants", "values"}
    if unknown:
        raise MappingError("mapping_key_unknown", _("Unknown section."), sections=sorted(unknown))
    values = data.get("values", {})
    tables = [data.get("columns", {}), data.get("constants", {})]
    tables += list(values.values()) if isinstance(values, dict) else [None]
    for table in tables:
        if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
            raise MappingError("mapping_invalid", _("A mapping is from text to text."))
    return ColumnMapping(tables[0], tables[1], values)


def row_reader(columns: Columns, mapping: ColumnMapping, header: Sequence[str]) -> Picker:
    """Return what picks our columns, in our order, out of a row of the file.

    Raises: MappingError for columns that are missing, doubled, or not ours.
    """
    places = _places(header)
    strangers = {*mapping.columns, *mapping.constants, *mapping.values} - {*columns.names}
    if strangers:
        raise MappingError("column_unknown", _("There is no such column."), names=sorted(strangers))
    extra = [""]
    indices: list[int] = []
    missing: list[str] = []
    for name in columns.names:
        wanted = mapping.columns.get(name, name)
        place = places.get(_folded(wanted))
        if place is None and name in mapping.constants:
            place = len(header) + len(extra)
            extra.append(mapping.constants[name])
        elif place is None:
            place = len(header)
            if name in columns.required or name in mapping.columns:
                missing.append(wanted)
        indices.append(place)
    if missing:
        raise MappingError("column_missing", _("The file lacks columns."), names=missing)
    return _picker(indices, extra, _translations(columns, mapping))


def _places(header: Sequence[str]) -> dict[str, int]:
    folded = [_folded(name) for name in header]
    doubled = sorted({name for name in folded if name and folded.count(name) > 1})
    if doubled:
        raise MappingError("column_doubled", _("Two columns have one name."), names=doubled)
    return {name: place for place, name in enumerate(folded)}


def _folded(name: str) -> str:
    return name.strip().casefold()


def _translations(columns: Columns, mapping: ColumnMapping) -> list[tuple[int, Mapping[str, str]]]:
    return [(columns.names.index(name), values) for name, values in mapping.values.items()]


def _picker(
    indices: Sequence[int], extra: Sequence[str], translations: Sequence[tuple[int, Any]]
) -> Picker:
    pick = itemgetter(*indices)

    def plain(cells: Cells) -> tuple[str, ...]:
        picked: tuple[str, ...] = pick([*cells, *extra])
        return picked

    def translated(cells: Cells) -> tuple[str, ...]:
        picked = list(plain(cells))
        for place, values in translations:
            picked[place] = values.get(picked[place].strip(), picked[place])
        return tuple(picked)

    return translated if translations else plain
