"""Conditions in SQL: the same meaning as in Python, and only what is asked for is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.base.conditions import (
    Column,
    Family,
    Field,
    FieldType,
    Node,
    Registry,
    Source,
    Sources,
    compile_python,
    holds,
    parse,
    select_facts,
    select_members,
    values,
)
from tests.base.condition_cases import REGISTRY, SCOPES, condition_data, facts

# Every member's facts stand in a JSON document: three sources read a part of it each.
_EACH = "FROM jsonb_array_elements(%(rows)s::jsonb) p"
_ID = "SELECT (p->>'id')::bigint AS member_id"


def shelf() -> Sources:
    known = Sources(REGISTRY)
    known.set_population(Source("people", f"{_ID}, p {_EACH}"))
    known.register(
        Source("parcels", f"{_ID}, p {_EACH} WHERE p ? 'order.date' OR p ? 'order.weight'"),
        Source(
            "notes", f"{_ID}, n.key, n.value {_EACH}, jsonb_each(p) n WHERE n.key <> 'id'",
            is_grouped=True,
        ),
        Source(
            "tags", f"{_ID}, tag {_EACH}, jsonb_array_elements_text(p->'member.segments') tag",
            is_grouped=True,
        ),
    )  # fmt: skip
    known.define(
        Column("order.channel", "people", "p->>'order.channel'"),
        Column("order.lines", "people", "(p->>'order.lines')::bigint"),
        Column("order.net", "parcels", "(p->>'order.net')::numeric"),
        Column("order.weight", "parcels", "(p->>'order.weight')::numeric"),
        Column("order.volume", "parcels", "(p->>'order.volume')::numeric"),
        Column("order.date", "parcels", "(p->>'order.date')::date"),
        Column("order.at", "people", "(p->>'order.at')::timestamptz"),
        Column(
            "order.gift", "notes", "bool_or((value #>> '{}')::boolean) {within}",
            "key = 'order.gift'",
        ),
        Column("line.kind", "notes", "max(value #>> '{}') {within}", "key = 'line.kind'"),
        Column("member.segments", "tags", "array_agg(tag)"),
        Column(
            "member.attributes", "notes", "max(value #>> '{}') {within}",
            "key = 'member.attributes.' || {name}",
        ),
    )  # fmt: skip
    return known


SHELF = shelf()


def stored(known: dict[str, Any]) -> dict[str, object]:
    """Return facts as the sources hold them: absent ones are not there, texts are texts."""
    if not ({"order.date", "order.weight"} & {name for name, value in known.items() if value}):
        for name in ("order.net", "order.volume"):
            known.pop(name, None)
    size = known.get("member.attributes.size")
    if size is not None and not isinstance(size, str):
        del known["member.attributes.size"]
    if not known.get("member.segments"):
        known.pop("member.segments", None)
    shown = {}
    for name, value in known.items():
        field = REGISTRY.find(name)
        if value is not None and field is not None:
            shown[name] = values.to_json(field, value)
    return shown


def found(node: Node, rows: list[dict[str, object]], **options: Any) -> Iterator[tuple[Any, ...]]:
    document = [{**row, "id": number} for number, row in enumerate(rows)]
    parameters = {"rows": json.dumps(document), **options.pop("parameters", {})}
    statement = select_members(node, parameters, known=SHELF, **options)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, dict(statement.parameters))
        yield from cursor.fetchall()


@pytest.mark.django_db
@given(condition_data(), st.lists(facts(), min_size=4, max_size=12))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql_and_python_find_the_same_members(
    data: dict[str, Any], people: list[dict[str, Any]]
) -> None:
    node = parse(data, SCOPES, REGISTRY)
    rows = [stored(person) for person in people]
    decide = compile_python([node])
    expected = [number for number, person in enumerate(people) if decide(person)[0]]
    assert sorted(number for (number,) in found(node, rows)) == expected


@pytest.mark.django_db
@given(condition_data(), st.lists(facts(), min_size=1, max_size=4))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_facts_read_in_sql_are_those_that_python_decides_by(
    data: dict[str, Any], people: list[dict[str, Any]]
) -> None:
    node = parse(data, SCOPES, REGISTRY)
    rows = [{**stored(person), "id": number} for number, person in enumerate(people)]
    statement = select_facts(node, {"rows": json.dumps(rows)}, known=SHELF)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, dict(statement.parameters))
        read = {row[0]: statement.facts(row) for row in cursor.fetchall()}
    for number, person in enumerate(people):
        known = {name: value for name, value in person.items() if value is not None}
        assert read[number] == {field.name: known[field.name]
                                for field in statement.fields if field.name in known}  # fmt: skip
        assert holds(node, read[number]) is holds(node, person)


@pytest.mark.django_db
def test_members_can_be_narrowed_first() -> None:
    node = parse({"field": "line.kind", "op": "eq", "value": "fee"}, SCOPES, REGISTRY)
    rows: list[dict[str, object]] = [{"line.kind": "fee"} for _number in range(5)]
    only = {"only": "member_id > %(after)s", "parameters": {"after": 2}}
    assert sorted(found(node, rows, **only)) == [(3,), (4,)]


def test_only_what_is_asked_for_is_read() -> None:
    node = parse({"field": "order.channel", "op": "eq", "value": "web"}, SCOPES, REGISTRY)
    text = select_members(node, {}, known=SHELF).sql
    assert "jsonb_each" not in text
    assert "'order.lines'" not in text


def test_no_text_of_people_enters_a_statement() -> None:
    registry = Registry()
    registry.add_family(Family(Field("line.share", FieldType.DECIMAL, "S", scale=1), is_open=True))
    known = Sources(registry)
    known.set_population(Source("people", "people"))
    known.register(Source("shares", "shares", is_grouped=True))
    known.define(Column("line.share", "shares", "sum(CASE WHEN c = {name} THEN 1 END)", default=0))
    evil = "x'; DROP TABLE members_member; --"
    node = parse({"field": f"line.share.{evil}", "op": "gte", "value": "40.5"}, ["line"], registry)
    statement = select_members(node, {}, known=known)
    assert "DROP" not in statement.sql
    assert evil in statement.parameters.values()


def test_a_source_may_not_change_its_meaning() -> None:
    with pytest.raises(ValueError, match="another meaning"):
        SHELF.register(Source("people", "SELECT 1"))
    with pytest.raises(ValueError, match="another meaning"):
        SHELF.define(Column("order.lines", "people", "1"))
    with pytest.raises(ValueError, match="no source"):
        SHELF.define(Column("order.lines", "nowhere", "1"))
