"""Compile conditions into SQL that finds the members for whom they hold, all at once.

Apps register sources (rows about members) and columns (what a field is, out of one source). Only
what a condition asks for is read: every source once, narrowed to the rows that its columns need.

The text of a statement consists of what apps registered and of numbered names. Values, and names
that people chose, are bound as parameters.

Logic is that of `python.py`. In SQL a test of an absent fact is unknown, which counts as false
everywhere but under a `not`; that is why a `not` asks whether its item is not true.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from config.base import money
from config.base.conditions import registry as registries
from config.base.conditions.nodes import All, AnyOf, Leaf, Node, Not, leaves
from config.base.conditions.operators import Op, matches
from config.base.conditions.registry import Field, FieldType, Registry

ALWAYS: Final = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows about members: a table, or a SELECT, with a `member_id` among its columns.

    It has one row per member, or is grouped: then the expressions of its columns aggregate. The SQL
    is an app's own; it may use the parameters `%(at)s`, `%(today)s` and `%(zone)s`.
    """

    name: str
    sql: str
    is_grouped: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """What a field is: an expression over the columns of a source.

    In a grouped source it aggregates the rows for which `rows` holds: it puts `{within}` where the
    FILTER belongs. `{name}` is the last part of the name of a field of a family. `default` is what
    members have of whom the source knows nothing, in the field's own units; else the fact is
    absent. An expression per type serves a family whose fields have several.
    """

    field: str
    source: str
    expression: str | Mapping[FieldType, str]
    rows: str = ALWAYS
    default: object = None

    def text(self, field: Field) -> str:
        """Return the expression for a field."""
        if isinstance(self.expression, str):
            return self.expression
        return self.expression[field.type]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its parameters; `fields` are those of its columns after `member_id`."""

    sql: str
    parameters: Mapping[str, Any]
    fields: tuple[Field, ...] = ()
    defaults: tuple[object, ...] = ()

    def facts(self, row: Sequence[Any]) -> dict[str, object]:
        """Return the facts that a row tells, absent ones left out."""
        found = {}
        for item, default, raw in zip(self.fields, self.defaults, row[1:], strict=True):
            value = default if raw is None else _fact(item, raw)
            if value is not None:
                found[item.name] = value
        return found


class Sources:
    """Where facts about members come from; every app adds what it knows of."""

    def __init__(self, fields: Registry = registries.fields) -> None:
        """Speak about the fields of a registry."""
        self._fields = fields
        self._sources: dict[str, Source] = {}
        self._columns: dict[str, Column] = {}
        self._population: str | None = None

    def set_population(self, source: Source) -> None:
        """Name the source that has a row for everybody who can be found at all."""
        self.register(source)
        self._population = source.name

    def register(self, *sources: Source) -> None:
        """Add sources; the same one again is harmless, another one of that name is refused."""
        for item in sources:
            if self._sources.setdefault(item.name, item) != item:
                raise ValueError(f"source {item.name} is already registered with another meaning")

    def define(self, *columns: Column) -> None:
        """Say what fields are; the same again is harmless, another meaning is refused."""
        for item in columns:
            if item.source not in self._sources:
                raise ValueError(f"there is no source {item.source} for {item.field}")
            if self._columns.setdefault(item.field, item) != item:
                raise ValueError(f"field {item.field} is already defined with another meaning")

    @property
    def population(self) -> Source:
        """Return the source of everybody."""
        if self._population is None:
            raise ValueError("nobody registered a population")
        return self._sources[self._population]

    def source(self, column: Column) -> Source:
        """Return the source of a column."""
        return self._sources[column.source]

    def column(self, field: Field) -> Column:
        """Return what a field is.

        Raises: KeyError for a field that no source knows.
        """
        return self._columns[field.family or field.name]

    def knows(self, field: Field) -> bool:
        """Say whether a field can be asked for in SQL."""
        return (field.family or field.name) in self._columns


# The sources of the running programme. Apps add to it when their field modules are imported.
sources = Sources()


def select_members(
    node: Node, parameters: Mapping[str, Any], *, only: str = ALWAYS, known: Sources = sources
) -> Statement:
    """Return the statement that finds the ids of all members for whom a condition holds.

    `only` narrows the members first: a test of `member_id` over parameters of its own.
    """
    return _Writer(node, parameters, known).statement(node, only)


def select_facts(
    node: Node, parameters: Mapping[str, Any], *, only: str = ALWAYS, known: Sources = sources
) -> Statement:
    """Return the statement that reads what a condition asks about, whether or not it holds."""
    return _Writer(node, parameters, known).statement(None, only)


@dataclass(slots=True)
class _Used:
    """A field that a statement reads, under its alias, with the names that were bound for it."""

    field: Field
    column: Column
    alias: str
    name: str

    @property
    def rows(self) -> str:
        return self.column.rows.replace("{name}", self.name)

    def expression(self, *, is_filtered: bool) -> str:
        """Return the expression; money and scaled decimals are rounded to their own digits."""
        within = f"FILTER (WHERE {self.rows})" if is_filtered and self.rows else ""
        text = self.column.text(self.field).replace("{name}", self.name)
        text = text.replace("{within}", within)
        digits = _digits(self.field)
        return text if digits is None else f"round(({text})::numeric, {digits})"


class _Writer:
    """Write one statement: number its columns, bind its values, join its sources."""

    def __init__(self, node: Node, parameters: Mapping[str, Any], known: Sources) -> None:
        self._known = known
        self._parameters = dict(parameters)
        self._numbers = itertools.count()
        self._used: dict[str, _Used] = {}
        for leaf in leaves(node):
            self._use(leaf.field)

    def statement(self, node: Node | None, only: str) -> Statement:
        """Return the whole statement; without a condition it reads the facts."""
        cheap = [each for each in self._used.values() if not self._is_grouped(each)]
        dear = [each for each in self._used.values() if self._is_grouped(each)]
        shown = list(self._used.values()) if node is None else []
        tests = [only.replace("member_id", "m.member_id")] if only else []
        tests += [] if node is None else [self._test(item) for item in _conjuncts(node)]
        # What is counted is counted for everybody, unless it is known whose it is to be: a planner
        # that is told to begin with the cheap tests guesses wrong how many they leave.
        rows = self._joined(self._everybody(cheap), dear, only.replace("member_id", "r.member_id"))
        return Statement(
            self._select(shown, rows, tests),
            self._parameters,
            tuple(each.field for each in shown),
            tuple(each.column.default for each in shown),
        )

    # Sources

    def _use(self, item: Field) -> None:
        if item.name not in self._used:
            name = self._bind(item.member) if item.family else ""
            alias = f"c{next(self._numbers)}"
            self._used[item.name] = _Used(item, self._known.column(item), alias, name)

    def _is_grouped(self, used: _Used) -> bool:
        return self._known.source(used.column).is_grouped

    def _everybody(self, cheap: Sequence[_Used]) -> str:
        """Return the population, joined with the sources of one row per member."""
        population = self._known.population
        own = [each for each in cheap if each.column.source == population.name]
        others = [each for each in cheap if each.column.source != population.name]
        return self._joined(f"{self._rows_of(population, own, '')} m", others, "")

    def _joined(self, start: str, used: Sequence[_Used], among: str) -> str:
        parts = [start]
        for name in dict.fromkeys(each.column.source for each in used):
            columns = [each for each in used if each.column.source == name]
            source = self._known.source(columns[0].column)
            rows, alias = self._rows_of(source, columns, among), f"s{next(self._numbers)}"
            parts.append(f"LEFT JOIN {rows} {alias} ON {alias}.member_id = m.member_id")
        return "\n".join(parts)

    def _rows_of(self, source: Source, used: Sequence[_Used], among: str) -> str:
        """Return a source as one row per member, with the columns that are used."""
        rows = {each.rows for each in used}
        columns = [f"{each.expression(is_filtered=len(rows) > 1)} AS {each.alias}" for each in used]
        inner = f"({source.sql})" if " " in source.sql else source.sql
        sql = f"SELECT {', '.join(['r.member_id', *columns])} FROM {inner} r"  # noqa: S608  # text of apps
        tests = [] if ALWAYS in rows or not rows else [" OR ".join(sorted(rows))]
        tests += [among] if among else []
        sql += _where(tests)
        return f"({sql} GROUP BY r.member_id)" if source.is_grouped else f"({sql})"

    def _select(self, used: Iterable[_Used], rows: str, tests: Sequence[str]) -> str:
        columns = ", ".join(["m.member_id", *(each.alias for each in used)])
        return f"SELECT {columns}\nFROM {rows}{_where(tests)}"

    # Tests

    def _test(self, node: Node) -> str:
        match node:
            case Leaf():
                return self._leaf(node)
            case Not(item):
                return f"({self._test(item)}) IS NOT TRUE"
            case All(items):
                return " AND ".join(f"({self._test(item)})" for item in items)
            case AnyOf(items):
                return " OR ".join(f"({self._test(item)})" for item in items)

    def _leaf(self, leaf: Leaf) -> str:
        used = self._used[leaf.field.name]
        default = used.column.default
        if leaf.op is Op.IS_SET:
            if default is not None:
                return str(leaf.value).upper()
            return f"{used.alias} IS {'NOT ' if leaf.value else ''}NULL"
        test = self._compared(leaf, used.alias)
        if default is not None and matches(leaf.op, default, leaf.value):
            return f"{test} OR {used.alias} IS NULL"
        return test

    def _compared(self, leaf: Leaf, alias: str) -> str:
        value: Any = leaf.value
        if leaf.op is Op.BETWEEN:
            first, last = (self._bind(_bound(leaf.field, item)) for item in value)
            return f"{alias} BETWEEN {first} AND {last}"
        if leaf.op in {Op.IN, Op.NOT_IN}:
            name = self._bind(sorted(_bound(leaf.field, item) for item in value))
        else:
            name = self._bind(_bound(leaf.field, value))
        return _TESTS[leaf.op].format(c=alias, v=name)

    def _bind(self, value: object) -> str:
        name = f"v{next(self._numbers)}"
        self._parameters[name] = value
        return f"%({name})s"


_TESTS: Final[Mapping[Op, str]] = {
    Op.EQ: "{c} = {v}",
    Op.NE: "{c} <> {v}",
    Op.IN: "{c} = ANY({v})",
    Op.NOT_IN: "{c} <> ALL({v})",
    Op.LT: "{c} < {v}",
    Op.LTE: "{c} <= {v}",
    Op.GT: "{c} > {v}",
    Op.GTE: "{c} >= {v}",
    Op.CONTAINS: "{v} = ANY({c})",
    Op.STARTS_WITH: "starts_with({c}, {v})",
}


def _conjuncts(node: Node) -> list[Node]:
    """Return what has to hold together, groups inside groups taken apart."""
    if isinstance(node, All):
        return [found for item in node.items for found in _conjuncts(item)]
    return [node]


def _where(tests: Sequence[str]) -> str:
    return "\nWHERE " + " AND ".join(f"({test})" for test in tests) if tests else ""


def _digits(item: Field) -> int | None:
    return money.exponent() if item.type is FieldType.MONEY else item.scale


def _bound(item: Field, value: Any) -> Any:
    """Return a constant as the column has it."""
    digits = _digits(item)
    return value if digits is None else Decimal(value).scaleb(-digits)


def _fact(item: Field, raw: Any) -> object:
    """Return what a column holds in the field's own units."""
    if item.type is FieldType.STRING_SET:
        return frozenset(raw)
    digits = _digits(item)
    return raw if digits is None else int(raw.scaleb(digits))
