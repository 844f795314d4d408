"""The conditions language: what it accepts, what it refuses, what it means."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.base.conditions import (
    MAX_DEPTH,
    MAX_LEAVES,
    MAX_VALUES,
    ConditionError,
    Field,
    FieldType,
    Node,
    Registry,
    causes,
    compile_python,
    explain,
    holds,
    leaves,
    parse,
    to_json,
)
from tests.base.condition_cases import POOLS, REGISTRY, SCOPES, condition_data, facts

WEB = {"field": "order.channel", "op": "eq", "value": "web"}
MANY = {"field": "order.lines", "op": "gte", "value": 3}


def read(data: object) -> Node:
    return parse(data, SCOPES, REGISTRY)


def truth(data: dict[str, Any], known: dict[str, Any]) -> bool:
    """Say whether a condition holds, straight from its JSON: a second implementation."""
    if "all" in data:
        return all(truth(item, known) for item in data["all"])
    if "any" in data:
        return any(truth(item, known) for item in data["any"])
    if "not" in data:
        return not truth(data["not"], known)
    name, op, value = data["field"], data["op"], data["value"]
    fact = known.get(name)
    if op == "is_set":
        return (fact is None) is not value
    foreign = "attributes" in name and not isinstance(fact, str)
    return fact is not None and not foreign and leaf_truth(name, op, value, fact)


def leaf_truth(name: str, op: str, value: Any, fact: Any) -> bool:
    """Say whether a present fact meets one test."""
    inside = {json.dumps(data): item for data, item in POOLS.get(name, [(value, value)])}
    raw = value if isinstance(value, list) else [value]
    values: list[Any] = [inside.get(json.dumps(item), item) for item in raw]
    meanings: dict[str, Callable[[], bool]] = {
        "contains": lambda: value in fact,
        "starts_with": lambda: fact[: len(value)] == value,
        "eq": lambda: fact == values[0],
        "ne": lambda: not fact == values[0],  # noqa: SIM201
        "in": lambda: any(fact == item for item in values),
        "not_in": lambda: all(fact != item for item in values),
        "lt": lambda: fact < values[0],
        "lte": lambda: not fact > values[0],
        "gt": lambda: fact > values[0],
        "gte": lambda: not fact < values[0],
        "between": lambda: not (fact < values[0] or fact > values[1]),
    }
    return bool(meanings[op]())


@given(condition_data(), facts())
def test_compiled_and_interpreted_conditions_mean_the_same(
    data: dict[str, Any], known: dict[str, Any]
) -> None:
    node = read(data)
    expected = truth(data, known)
    assert compile_python([node])(known) == (expected,)
    assert holds(node, known) is expected


@given(condition_data())
def test_canonical_json_reads_back_to_the_same_condition(data: dict[str, Any]) -> None:
    node = read(data)
    shown = to_json(node)
    assert read(json.loads(json.dumps(shown))) == node
    assert to_json(read(shown)) == shown


@given(st.lists(condition_data(), min_size=2, max_size=4), facts())
@settings(max_examples=50)
def test_many_conditions_compile_into_one_function(
    many: list[dict[str, Any]], known: dict[str, Any]
) -> None:
    assert compile_python([read(data) for data in many])(known) == tuple(
        truth(data, known) for data in many
    )


@given(condition_data(), facts())
def test_causes_are_leaves_that_alone_explain_the_outcome(
    data: dict[str, Any], known: dict[str, Any]
) -> None:
    node = read(data)
    outcome = holds(node, known)
    found = causes(node, known)
    assert found
    assert all((result.matched is not result.negated) is outcome for result in found)
    assert all(result in explain(node, known) for result in found)


def test_explain_lists_every_leaf_with_its_fact() -> None:
    node = read({"all": [WEB, {"not": MANY}]})
    found = [item.to_json() for item in explain(node, {"order.channel": "pos", "order.lines": 4})]
    assert found == [
        {"field": "order.channel", "op": "eq", "value": "web", "actual": "pos"},
        {"field": "order.lines", "op": "gte", "value": 3, "actual": 4, "negated": True},
    ]


def test_causes_name_only_what_failed() -> None:
    node = read({"all": [WEB, MANY]})
    found = causes(node, {"order.channel": "web", "order.lines": 2})
    assert [item.leaf.field.name for item in found] == ["order.lines"]


@pytest.mark.parametrize("op", ["eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte", "between"])
def test_absent_value_matches_no_test(op: str) -> None:
    values: dict[str, object] = {"in": [3], "not_in": [3], "between": [1, 5]}
    data = {"field": "order.lines", "op": op, "value": values.get(op, 3)}
    assert compile_python([read(data), read({"not": data})])({}) == (False, True)


def test_is_set_tells_absent_from_present() -> None:
    unset = read({"field": "order.lines", "op": "is_set", "value": False})
    decide = compile_python([unset, read({"field": "order.lines", "op": "is_set", "value": True})])
    assert decide({}) == (True, False)
    assert decide({"order.lines": 0}) == (False, True)


def test_bounds_of_between_are_inside() -> None:
    decide = compile_python(
        [read({"field": "order.net", "op": "between", "value": ["1.00", "2.00"]})]
    )
    assert [decide({"order.net": minor})[0] for minor in (99, 100, 200, 201)] == [
        False,
        True,
        True,
        False,
    ]


def test_text_of_users_never_becomes_code() -> None:
    text = "'); __import__('os').abort() #\n"
    decide = compile_python([read({"field": "order.channel", "op": "eq", "value": text})])
    assert decide({"order.channel": text}) == (True,)
    assert text not in repr(decide.__code__.co_consts)
    assert decide.__globals__["__builtins__"] == {}


@pytest.mark.parametrize(
    ("data", "code", "path"),
    [
        (None, "not_a_condition", ""),
        ([], "not_a_condition", ""),
        ({}, "not_a_condition", ""),
        ({"none": []}, "unknown_key", ""),
        ({"all": [WEB], "any": [WEB]}, "unknown_key", ""),
        ({"all": []}, "empty_list", "all"),
        ({"any": []}, "empty_list", "any"),
        ({"any": WEB}, "not_a_list", "any"),
        ({"all": [WEB, {"not": {"any": [7]}}]}, "not_a_condition", "all[1].not.any[0]"),
        ({**WEB, "note": 1}, "unknown_key", ""),
        ({"field": "order.channel", "op": "eq"}, "unknown_key", ""),
        ({**WEB, "field": "order.colour"}, "unknown_field", "field"),
        ({**WEB, "field": ["order.channel"]}, "unknown_field", "field"),
        ({**WEB, "field": "member.attributes.A b"}, "unknown_field", "field"),
        ({**WEB, "op": "like"}, "unknown_operator", "op"),
        ({**WEB, "op": ["eq"]}, "unknown_operator", "op"),
        ({**WEB, "op": "lt"}, "operator_not_allowed", "op"),
        ({"field": "member.segments", "op": "eq", "value": "x"}, "operator_not_allowed", "op"),
        ({**WEB, "value": 3}, "invalid_value", "value"),
        ({**WEB, "value": ""}, "invalid_value", "value"),
        ({**WEB, "value": "a\x00"}, "invalid_value", "value"),
        ({**WEB, "value": "x" * 201}, "invalid_value", "value"),
        ({**WEB, "value": None}, "invalid_value", "value"),
        ({**WEB, "op": "in", "value": []}, "empty_list", "value"),
        ({**WEB, "op": "in", "value": "web"}, "invalid_value", "value"),
        ({**WEB, "op": "in", "value": ["web", 1]}, "invalid_value", "value[1]"),
        ({**WEB, "op": "is_set", "value": 1}, "invalid_value", "value"),
        ({**MANY, "value": "3"}, "invalid_value", "value"),
        ({**MANY, "value": 3.0}, "invalid_value", "value"),
        ({**MANY, "value": True}, "invalid_value", "value"),
        ({**MANY, "value": 2**63}, "invalid_value", "value"),
        ({**MANY, "op": "between", "value": [5, 1]}, "invalid_value", "value"),
        ({**MANY, "op": "between", "value": [1]}, "invalid_value", "value"),
        ({"field": "order.net", "op": "lt", "value": 10}, "invalid_value", "value"),
        ({"field": "order.net", "op": "lt", "value": "1.234"}, "invalid_value", "value"),
        ({"field": "order.net", "op": "lt", "value": "1e3"}, "invalid_value", "value"),
        ({"field": "order.net", "op": "lt", "value": "NaN"}, "invalid_value", "value"),
        ({"field": "order.date", "op": "lt", "value": "20260301"}, "invalid_value", "value"),
        ({"field": "order.date", "op": "lt", "value": "2026-02-30"}, "invalid_value", "value"),
        (
            {"field": "order.at", "op": "lt", "value": "2026-03-01T00:00:00"},
            "invalid_value",
            "value",
        ),
        (
            {"field": "order.at", "op": "lt", "value": "0001-01-01T00:00:00+10:00"},
            "invalid_value",
            "value",
        ),
        ({"field": "order.gift", "op": "eq", "value": 1}, "invalid_value", "value"),
        ({"field": "line.kind", "op": "eq", "value": "food"}, "invalid_value", "value"),
    ],
)
def test_anything_not_exactly_right_is_refused_with_its_place(
    data: object, code: str, path: str
) -> None:
    with pytest.raises(ConditionError) as refusal:
        read(data)
    assert (refusal.value.code, refusal.value.path) == (code, path)
    assert str(refusal.value.message)


def test_field_of_another_scope_is_refused() -> None:
    with pytest.raises(ConditionError) as refusal:
        parse(WEB, ("member",), REGISTRY)
    assert refusal.value.code == "field_out_of_scope"


def test_depth_and_size_have_limits() -> None:
    deepest: dict[str, object] = dict(WEB)
    for _ in range(MAX_DEPTH - 1):
        deepest = {"not": deepest}
    widest: dict[str, object] = {"all": [{"any": [WEB] * (MAX_LEAVES // 2)}] * 2}
    many = [str(number) for number in range(MAX_VALUES)]
    longest: dict[str, object] = {**WEB, "op": "in", "value": many}
    for allowed in (deepest, widest, longest):
        compile_python([read(allowed)])
    assert sum(1 for _ in leaves(read(widest))) == MAX_LEAVES
    refused: list[tuple[dict[str, object], str]] = [
        ({"not": deepest}, "too_deep"),
        ({"all": [widest, WEB]}, "too_many_leaves"),
        ({"all": [WEB] * (MAX_LEAVES + 1)}, "too_many_leaves"),
        ({**longest, "value": [*many, "more"]}, "too_many_values"),
    ]
    for data, code in refused:
        with pytest.raises(ConditionError) as refusal:
            read(data)
        assert refusal.value.code == code


def test_recursion_in_hostile_input_is_refused_early() -> None:
    data: dict[str, object] = dict(WEB)
    for _ in range(100_000):
        data = {"not": data}
    with pytest.raises(ConditionError, match="too_deep"):
        read(data)
    while "not" in data:  # taken apart level by level, or its own end would recurse
        data = data["not"]  # type: ignore[assignment]


def test_list_of_values_is_canonical_whatever_its_order() -> None:
    first = read({"field": "order.net", "op": "in", "value": ["10.00", "9.5", "9.50"]})
    second = read({"field": "order.net", "op": "in", "value": ["9.50", "10"]})
    assert first == second
    assert to_json(first)["value"] == ["9.50", "10.00"]


def test_registry_refuses_a_second_meaning_and_accepts_the_same() -> None:
    registry = Registry()
    registry.register(Field("order.lines", FieldType.INTEGER, "Lines"))
    registry.register(Field("order.lines", FieldType.INTEGER, "Number of lines"))
    with pytest.raises(ValueError, match="another meaning"):
        registry.register(Field("order.lines", FieldType.MONEY, "Lines"))
    assert [field.name for field in registry.in_scopes(("order",))] == ["order.lines"]
    assert registry.in_scopes(("member",)) == ()


def test_field_registered_by_name_goes_before_its_family() -> None:
    registry = Registry()
    registry.register_family("member.attributes", "Attribute")
    registry.register(Field("member.attributes.size", FieldType.INTEGER, "Size"))
    size, colour = (
        registry.find("member.attributes.size"),
        registry.find("member.attributes.colour"),
    )
    assert size is not None
    assert colour is not None
    assert (size.type, colour.type) == (FieldType.INTEGER, FieldType.STRING)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Field("Order.Channel", FieldType.STRING, ""),
        lambda: Field("channel", FieldType.STRING, ""),
        lambda: Field("order.kind", FieldType.CHOICE, ""),
        lambda: Field("order.kind", FieldType.STRING, "", choices=(("a", "A"),)),
        lambda: Field("order.net", FieldType.MONEY, "", scale=3),
    ],
)
def test_field_that_contradicts_itself_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="field"):
        wrong()
