"""Conditions as rows of a form: what, how, which value, in the words of who edits them.

The server makes every row, so a button or a changed field only asks for the form again: with a
script it is swapped in place, without one the page comes back. Nothing that was typed is lost.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.base import conditions
from config.base.conditions import OPERATORS, ConditionError, FieldType, Op, rows
from config.base.conditions.rows import Group, Match, Row, Rows, Shorthands

MAX_ROWS: Final = 60
MAX_GROUPS: Final = 12
MAX_CHOICES: Final = 500

Choices = Sequence[tuple[str, str]]

OPERATOR_WORDS: Final[Mapping[Op, Promise]] = {
    Op.EQ: pgettext_lazy("operator", "is"),
    Op.NE: pgettext_lazy("operator", "is not"),
    Op.IN: pgettext_lazy("operator", "is one of"),
    Op.NOT_IN: pgettext_lazy("operator", "is none of"),
    Op.GTE: pgettext_lazy("operator", "is at least"),
    Op.LTE: pgettext_lazy("operator", "is at most"),
    Op.GT: pgettext_lazy("operator", "is above"),
    Op.LT: pgettext_lazy("operator", "is below"),
    Op.BETWEEN: pgettext_lazy("operator", "is between"),
    Op.CONTAINS: pgettext_lazy("operator", "contains"),
    Op.STARTS_WITH: pgettext_lazy("operator", "starts with"),
    Op.IS_SET: pgettext_lazy("operator", "is known"),
}

MATCH_WORDS: Final[Mapping[Match, Promise]] = {
    Match.ALL: _("all of these hold"),
    Match.ANY: _("at least one of these holds"),
    Match.NONE: _("none of these holds"),
}

_LIST = re.compile("[,;\n\u3001\uff0c\uff1b]")
_NUMBERS: Final = {FieldType.INTEGER, FieldType.MONEY, FieldType.DECIMAL}


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that rows can ask for; `choices` are the values there are, None where any goes.

    A family stands for every name below a prefix: the row then takes the last part as well. Where
    it `is_open`, the choices are only those seen so far, and others can be typed.
    """

    name: str
    label: str
    type: FieldType
    topic: str
    choices: Choices | None = None
    is_family: bool = False
    is_shorthand: bool = False
    is_open: bool = False

    @property
    def operators(self) -> list[Op]:
        """Return how it can be asked for, the usual way first."""
        if self.is_shorthand:
            return [Op.EQ]
        allowed = OPERATORS[self.type]
        order = list(OPERATOR_WORDS)
        if self.choices is not None and Op.IN in allowed:
            order = [Op.IN, Op.NOT_IN, *order]
        elif self.type in _NUMBERS or self.type is FieldType.DATE:
            order = [Op.GTE, Op.LTE, Op.BETWEEN, *order]
        return [op for op in dict.fromkeys(order) if op in allowed]


@dataclass(slots=True)
class RawRow:
    """One row as it was typed."""

    field: str = ""
    op: str = ""
    name: str = ""
    values: list[str] = dataclasses.field(default_factory=list)
    error: str = ""


@dataclass(slots=True)
class RawGroup:
    """A group of rows as it was typed."""

    match: str = Match.ALL.value
    rows: list[RawRow] = dataclasses.field(default_factory=list)


class ConditionForm:
    """All rows of one condition; `is_deep` where what is stored has no rows."""

    def __init__(
        self,
        prefix: str,
        asked: Sequence[Asked],
        scopes: Sequence[str],
        *,
        stored: Mapping[str, Any] | None = None,
        data: QueryDict | None = None,
        shorthands: Shorthands = rows.NO_SHORTHANDS,
    ) -> None:
        """Show what is stored, or what was posted."""
        self.prefix = prefix
        self.asked = {each.name: each for each in asked}
        self.scopes = scopes
        self.shorthands = shorthands
        self.stored = stored
        self.join = Match.ALL.value
        self.groups: list[RawGroup] = []
        found = rows.to_rows(stored, shorthands)
        self.is_deep = found is None
        if found is not None:
            self._know(found)
        if data is not None and f"{prefix}-groups" in data:
            self._read(data)
        elif found is not None:
            self._show(found)

    def _know(self, found: Rows) -> None:
        """Ask for what is stored too, even where nobody would be offered it."""
        for row in (row for group in found.groups for row in group.rows):
            field = conditions.fields.find(row.field)
            is_known = row.field in self.asked or _family_of(row.field) in self.asked
            if field is not None and not is_known:
                self.asked[row.field] = Asked(row.field, str(field.label), field.type, "…")

    # Reading

    def _read(self, data: QueryDict) -> None:
        self.join = data.get(f"{self.prefix}-join") or Match.ALL.value
        for g in range(_count(data, f"{self.prefix}-groups", MAX_GROUPS)):
            key = f"{self.prefix}-{g}"
            group = RawGroup(data.get(f"{key}-match") or Match.ALL.value)
            group.rows = [
                RawRow(
                    data.get(f"{key}-{r}-field") or "",
                    data.get(f"{key}-{r}-op") or "",
                    (data.get(f"{key}-{r}-name") or "").strip(),
                    [text.strip() for text in data.getlist(f"{key}-{r}-value")],
                )
                for r in range(_count(data, f"{key}-rows", MAX_ROWS))
            ]
            self.groups.append(group)
        self._edit(data.get("do") or "")
        for row in (row for group in self.groups for row in group.rows):
            self._complete(row)

    def _complete(self, row: RawRow) -> None:
        """Let a row have an operator that its field knows, and no values of another field."""
        asked = self.asked.get(row.field)
        if asked is None:
            return
        if row.op not in {op.value for op in asked.operators}:
            row.op = asked.operators[0].value
        if asked.choices is not None and not asked.is_open:
            known = {value for value, _label in asked.choices} | set(self._stored_values())
            row.values = [value for value in row.values if value in known]

    def _stored_values(self) -> list[str]:
        found = rows.to_rows(self.stored, self.shorthands)
        groups = found.groups if found else ()
        kept = [row.value for group in groups for row in group.rows]
        return [_typed(item) for value in kept for item in _listed(value)]

    def _edit(self, do: str) -> None:
        """Do what a button asks for: `add-row:c:0`, `remove-row:c:0:1` or `add-group:c`."""
        verb, _colon, rest = do.partition(":")
        prefix, _colon, places = rest.partition(":")
        if prefix != self.prefix:
            return
        numbers = [_number(part) for part in places.split(":") if part]
        match verb, numbers:
            case "add-group", []:
                self.groups.append(RawGroup(rows=[RawRow()]))
            case "add-row", [g] if g < len(self.groups):
                self.groups[g].rows.append(RawRow())
            case "remove-row", [g, r] if g < len(self.groups) and r < len(self.groups[g].rows):
                del self.groups[g].rows[r]
                self.groups = [group for group in self.groups if group.rows]

    def _show(self, found: Rows) -> None:
        self.join = found.join.value
        for group in found.groups:
            raw = RawGroup(group.match.value)
            raw.rows = [self._raw(row) for row in group.rows]
            self.groups.append(raw)

    def _raw(self, row: Row) -> RawRow:
        name, field_name = "", row.field
        if row.field not in self.asked:
            family = _family_of(row.field)
            if family in self.asked:
                field_name, name = family, row.field.removeprefix(f"{family}.")
        return RawRow(field_name, row.op, name, [_typed(item) for item in _listed(row.value)])

    # Deciding

    def cleaned(self) -> dict[str, Any] | None:
        """Return the condition, having noted at each row what is wrong with it (`errors`)."""
        groups = []
        for raw in self.groups:
            tests = [self._row(row) for row in raw.rows]
            match = Match(raw.match) if raw.match in set(Match) else Match.ALL
            groups.append(Group(match, tuple(test for test in tests if test is not None)))
        join = Match.ANY if self.join == Match.ANY else Match.ALL
        said = rows.from_rows(Rows(join, tuple(groups)), self.shorthands)
        if said is None and self.is_deep and self.stored:
            return dict(self.stored)
        return said

    @property
    def errors(self) -> list[str]:
        """Return what is wrong, row by row."""
        return [row.error for group in self.groups for row in group.rows if row.error]

    def _row(self, raw: RawRow) -> Row | None:
        asked = self.asked.get(raw.field)
        if asked is None:
            raw.error = gettext("Choose what the row is about, or remove it.")
            return None
        if asked.is_shorthand:
            return Row(asked.name, Op.EQ.value, True)
        name = f"{asked.name}.{raw.name}" if asked.is_family else asked.name
        row = Row(name, raw.op, _value(asked, Op(raw.op), raw.values))
        try:
            conditions.parse({"field": name, "op": raw.op, "value": row.value}, self.scopes)
        except ConditionError as error:
            raw.error = _said(error)
            return None
        return row

    # Showing

    def shown(self) -> list[dict[str, Any]]:
        """Return the groups for the template."""
        return [
            {
                "key": f"{self.prefix}-{g}",
                "number": g,
                "match": group.match,
                "rows": [self._shown(f"{self.prefix}-{g}-{r}", r, row)
                         for r, row in enumerate(group.rows)],
            }
            for g, group in enumerate(self.groups)
        ]  # fmt: skip

    def topics(self) -> dict[str, list[Asked]]:
        """Return what can be asked for, by topic."""
        found: dict[str, list[Asked]] = {}
        for asked in self.asked.values():
            found.setdefault(asked.topic, []).append(asked)
        return found

    @property
    def matches(self) -> list[tuple[str, Promise]]:
        """Return the ways in which a group matches."""
        return [(match.value, words) for match, words in MATCH_WORDS.items()]

    def _shown(self, key: str, number: int, row: RawRow) -> dict[str, Any]:
        asked = self.asked.get(row.field)
        shown: dict[str, Any] = {"key": key, "number": number, "row": row, "asked": asked}
        if asked is None:
            return shown
        operator = Op(row.op) if row.op else asked.operators[0]
        shown["operators"] = [(op.value, OPERATOR_WORDS[op]) for op in asked.operators]
        shown["operator"] = operator.value
        shown["widget"] = _widget(asked, operator)
        shown["type"] = _INPUTS.get(asked.type, "text")
        shown["values"] = row.values or [""]
        shown["first"], shown["second"] = [*row.values, "", ""][:2]
        if shown["widget"] == "text":
            shown["first"] = ", ".join(row.values)
        shown["choices"] = _choices(asked, operator, row.values)
        return shown


_INPUTS: Final[Mapping[FieldType, str]] = {
    FieldType.INTEGER: "number",
    FieldType.DATE: "date",
}


def _family_of(name: str) -> str:
    field = conditions.fields.find(name)
    return field.family if field else ""


def _widget(asked: Asked, op: Op) -> str:
    """Return what a value is chosen or typed with."""
    if asked.is_shorthand:
        return "none"
    if op is Op.IS_SET or asked.type is FieldType.BOOLEAN:
        return "select"
    if op is Op.BETWEEN:
        return "pair"
    if op in {Op.IN, Op.NOT_IN}:
        return "text" if asked.choices is None else "many"
    return "one" if asked.choices is None or asked.is_open else "select"


def _choices(asked: Asked, op: Op, chosen: Sequence[str]) -> Choices:
    """Return what can be chosen; what is chosen already stays, known or not."""
    if op is Op.IS_SET or asked.type is FieldType.BOOLEAN:
        return [("yes", gettext("yes")), ("no", gettext("no"))]
    known = list(asked.choices or ())
    values = {value for value, _label in known}
    return [*known, *((value, value) for value in chosen if value and value not in values)]


def _value(asked: Asked, op: Op, values: Sequence[str]) -> Any:
    """Return what was typed as JSON; what cannot be read stays text, and is refused as such."""
    convert = _CONVERT.get(asked.type, str)
    if op is Op.IS_SET:
        return values[:1] == ["yes"]
    if op in {Op.IN, Op.NOT_IN}:
        if asked.choices is None or asked.is_open:
            values = [part.strip() for text in values for part in _LIST.split(text)]
        return [convert(value) for value in values if value]
    if op is Op.BETWEEN:
        return [convert(value) for value in values[:2]]
    return convert(values[0]) if values else ""


def _integer(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


_CONVERT: Final[Mapping[FieldType, Callable[[str], Any]]] = {
    FieldType.INTEGER: _integer,
    FieldType.BOOLEAN: lambda text: text == "yes",
}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _typed(value: Any) -> str:
    """Return a stored value as it would be typed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _said(error: ConditionError) -> str:
    if error.path.startswith("field"):
        return gettext("This name is not known here: small letters, digits and underscores only.")
    if error.code == "empty_list":
        return gettext("Choose or enter at least one value.")
    return str(error.message)


def _count(data: QueryDict, name: str, most: int) -> int:
    return min(_number(data.get(name) or ""), most)


def _number(text: str) -> int:
    """Return a small number; what is none is larger than anything there is."""
    return int(text) if text.isdecimal() and len(text) < 4 else 0 if not text else MAX_ROWS + 1
