"""Conditions as rows for people: groups of tests, joined once. Two levels are what a form shows.

A tree that goes deeper has no rows (None); it is kept as it stands until somebody replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

Data = Mapping[str, Any]
Shorthands = Mapping[str, Data]
"""Fields of the form alone, each with the condition that it stands for."""

NO_SHORTHANDS: Final[Shorthands] = MappingProxyType({})


class Match(StrEnum):
    """How many tests of a group have to hold."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Row:
    """One test; `value` as JSON holds it."""

    field: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class Group:
    """Tests that stand together."""

    match: Match
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """All groups; `join` is `all` or `any`."""

    join: Match
    groups: tuple[Group, ...]


def from_rows(rows: Rows, shorthands: Shorthands = NO_SHORTHANDS) -> dict[str, Any] | None:
    """Return the condition that rows say, None where they say nothing."""
    groups = [_of_group(group, shorthands) for group in rows.groups if group.rows]
    if not groups:
        return None
    return groups[0] if len(groups) == 1 else {rows.join.value: groups}


def to_rows(data: Data | None, shorthands: Shorthands = NO_SHORTHANDS) -> Rows | None:
    """Return the rows of a condition; None where it is nested too deeply for them."""
    if not data:
        return Rows(Match.ALL, ())
    whole = _group(data, shorthands)
    if whole is not None:
        return Rows(Match.ALL, (whole,))
    for join in (Match.ALL, Match.ANY):
        if join in data:
            groups = _groups(join, data[join], shorthands)
            return None if groups is None else Rows(join, groups)
    return None


def _of_group(group: Group, shorthands: Shorthands) -> dict[str, Any]:
    tests = [_of_row(row, shorthands) for row in group.rows]
    if group.match is Match.NONE:
        return {"not": tests[0] if len(tests) == 1 else {"any": tests}}
    return tests[0] if len(tests) == 1 else {group.match.value: tests}


def _of_row(row: Row, shorthands: Shorthands) -> dict[str, Any]:
    if row.field in shorthands:
        return dict(shorthands[row.field])
    return {"field": row.field, "op": row.op, "value": row.value}


def _groups(join: Match, items: Sequence[Data], shorthands: Shorthands) -> tuple[Group, ...] | None:
    """Return a group per item; tests that stand alone go together."""
    groups: list[Group] = []
    loose: list[Row] = []
    for item in items:
        row = _row(item, shorthands)
        group = None if row else _group(item, shorthands)
        if row is not None:
            loose.append(row)
        elif group is not None:
            groups.append(group)
        else:
            return None
    first = (Group(join, tuple(loose)),) if loose else ()
    return (*first, *groups)


def _group(data: Data, shorthands: Shorthands) -> Group | None:
    """Return a condition as one group, None where it needs more."""
    row = _row(data, shorthands)
    if row is not None:
        return Group(Match.ALL, (row,))
    if "not" in data:
        inner = _group(data["not"], shorthands)
        is_one = inner is not None and (inner.match is Match.ANY or len(inner.rows) == 1)
        return Group(Match.NONE, inner.rows) if inner is not None and is_one else None
    for match in (Match.ALL, Match.ANY):
        if match in data:
            rows = [_row(item, shorthands) for item in data[match]]
            found = tuple(row for row in rows if row is not None)
            return Group(match, found) if len(found) == len(rows) else None
    return None


def _row(data: Data, shorthands: Shorthands) -> Row | None:
    for name, meant in shorthands.items():
        if data == meant:
            return Row(name, "eq", True)
    if "field" in data:
        return Row(data["field"], data["op"], data["value"])
    return None
