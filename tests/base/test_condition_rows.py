"""Conditions become rows of a form and come back as they were."""

from typing import Any

import pytest

from config.base.conditions import rows
from config.base.conditions.rows import Group, Match, Row, Rows
from rewards.programme_words import BIRTHDAY_MONTH

SHORT = {"order.birthday_month": BIRTHDAY_MONTH}


def leaf(field: str, value: Any = "x", op: str = "eq") -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


A, B, C = leaf("order.day", 8), leaf("member.tier", ["gold"], "in"), leaf("order.channel")

SHOWN = [
    A,
    {"all": [A, B]},
    {"any": [A, B]},
    {"not": A},
    {"not": {"any": [A, B]}},
    {"all": [A, {"any": [B, C]}]},
    {"all": [{"any": [A, B]}, {"not": C}]},
    {"any": [A, {"all": [B, C]}]},
    dict(BIRTHDAY_MONTH),
    {"all": [B, dict(BIRTHDAY_MONTH)]},
]


@pytest.mark.parametrize("data", SHOWN, ids=str)
def test_a_condition_of_two_levels_comes_back_as_it_was(data: dict[str, Any]) -> None:
    found = rows.to_rows(data, SHORT)
    assert found is not None
    assert rows.from_rows(found, SHORT) == data


@pytest.mark.parametrize(
    "data",
    [
        {"all": [A, {"any": [B, {"all": [A, C]}]}]},
        {"not": {"all": [A, B]}},
        {"not": {"not": {"all": [A, B]}}},
    ],
    ids=str,
)
def test_what_goes_deeper_has_no_rows(data: dict[str, Any]) -> None:
    assert rows.to_rows(data) is None


def test_nothing_said_is_no_condition() -> None:
    assert rows.to_rows(None) == Rows(Match.ALL, ())
    assert rows.from_rows(Rows(Match.ALL, (Group(Match.ANY, ()),))) is None


def test_the_month_of_the_birthday_is_one_row() -> None:
    found = rows.to_rows(BIRTHDAY_MONTH, SHORT)
    assert found == Rows(Match.ALL, (Group(Match.ALL, (Row("order.birthday_month", "eq", True),)),))
    assert rows.to_rows(BIRTHDAY_MONTH) is not None, "without the shorthand it is many groups"
