"""The language of mappings: exact, typed, and refused before it can do harm."""

from decimal import Decimal
from typing import Any

import pytest

from rewards.domain import inbound as language
from rewards.domain.inbound import MappingInvalidError, UnmappableError
from rewards.presets import inbound as shipped

pytestmark = pytest.mark.req("INT-02", "INT-10")

PAYLOAD = {
    "a": {"b": "text", "n": 3, "d": Decimal("1.50"), "e": "", "z": None, "yes": True},
    "list": [{"x": "1.10", "y": [{"v": 1}, {"v": 2}]}, {"x": "2.20", "y": []}, "odd"],
}


def value(expression: dict[str, Any]) -> Any:
    mapping = {"topics": {"t": {"fact": "order", "fields": {"key": expression}}}}
    language.check(mapping)
    (fact,) = language.apply(mapping, "t", PAYLOAD).facts
    assert fact.pop("type") == "order"
    return fact.get("key")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"const": 1}, 1),
        ({"path": "a.b"}, "text"),
        ({"path": "a.none"}, None),
        ({"path": "a.z", "default": "d"}, "d"),
        ({"path": "list[*].x"}, ["1.10", "2.20"]),
        ({"path": "list[*].y[*].v"}, [1, 2]),
        ({"first": [{"path": "a.e"}, {"path": "a.z"}, {"path": "a.n"}]}, 3),
        ({"sum": "list[*].x", "as": "money"}, "3.3"),
        ({"sum": "none[*].x", "as": "money"}, "0"),
        ({"times": [{"path": "a.n"}, {"path": "a.d"}], "as": "money"}, "4.5"),
        ({"minus": [{"const": "10"}, {"path": "a.d"}, {"const": 1}], "as": "money"}, "7.5"),
        ({"minus": [{"const": "10"}, {"path": "a.none"}], "as": "money"}, None),
        ({"if_set": "a.b", "then": {"const": 1}, "else": {"const": 2}}, 1),
        ({"if_set": "a.e", "then": {"const": 1}, "else": {"const": 2}}, 2),
        ({"object": {"x": {"path": "a.b"}, "y": {"path": "a.z"}}}, {"x": "text"}),
        ({"object": {"y": {"path": "a.z"}}}, None),
        ({"list": "list[*].y[*]", "each": {"v": {"path": "v"}, "n": {"position": 1}}},
         [{"v": 1, "n": 1}, {"v": 2, "n": 2}]),
        ({"path": "a.b", "map": {"text": "mapped"}}, "mapped"),
        ({"path": "a.yes", "map": {"true": "on"}}, "on"),
        ({"path": "a.n", "map": {"*": "other"}}, "other"),
        ({"const": 1250, "as": "cents"}, "12.50"),
        ({"const": "866550311766439020", "as": "line_no"}, 439020),
        ({"const": "1", "as": "boolean"}, True),
        ({"const": "2026-03-05T12:00:00-05:00", "as": "time"}, "2026-03-05T17:00:00+00:00"),
        ({"const": "2026-03-05 12:00:00", "as": "time", "format": "%Y-%m-%d %H:%M:%S"},
         "2026-03-05T04:00:00+00:00"),
        ({"const": 1772683200000, "as": "time", "format": "epoch_ms"},
         "2026-03-05T04:00:00+00:00"),
    ],
)  # fmt: skip
def test_an_expression_gives(expression: dict[str, Any], expected: object) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        {"path": "a.b", "as": "money"},
        {"const": "1e5", "as": "money"},
        {"const": "NaN", "as": "money"},
        {"const": "2026-03-05T12:00:00", "as": "time"},
        {"const": 9**30, "as": "time", "format": "epoch_ms"},
        {"const": "1.5", "as": "integer"},
        {"const": "maybe", "as": "boolean"},
        {"path": "a", "as": "text"},
        {"sum": "a.b"},
        {"path": "a.b", "map": {"other": 1}},
    ],
)
def test_a_value_that_is_not_one_is_refused(expression: dict[str, Any]) -> None:
    with pytest.raises(UnmappableError) as refused:
        value(expression)
    assert refused.value.details["at"] == "t.key"


@pytest.mark.parametrize(
    "expression",
    [
        1, {}, {"path": "a..b"}, {"path": "a[0]"}, {"path": 1}, {"path": "a", "const": 1},
        {"path": "a", "as": "float"}, {"path": "a", "more": 1}, {"first": []}, {"first": {}},
        {"list": "a[*]"}, {"object": {}}, {"position": "1"}, {"path": "__class__.x()"},
        {"if_set": "a", "then": 1}, {"path": "a", "map": []},
    ],
)  # fmt: skip
def test_a_mapping_that_means_nothing_is_refused(expression: Any) -> None:
    with pytest.raises(MappingInvalidError):
        value(expression)


def test_a_mapping_nested_too_deeply_is_refused() -> None:
    expression: dict[str, Any] = {"const": 1}
    for _level in range(20):
        expression = {"first": [expression]}
    with pytest.raises(MappingInvalidError):
        value(expression)


@pytest.mark.parametrize("mapping", [None, {}, {"topics": {}}, {"topics": {"t": {}}}, []])
def test_a_mapping_without_topics_is_refused(mapping: object) -> None:
    with pytest.raises(MappingInvalidError):
        language.check(mapping)


@pytest.mark.parametrize("scheme", ["shopify", "youzan", "standard"])
def test_the_shipped_mappings_are_right(scheme: str) -> None:
    language.check(shipped.mapping(scheme))
