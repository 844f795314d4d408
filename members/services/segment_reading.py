"""Asking the database who meets conditions, and why: counts, members, facts.

Source: SEG-03, SEG-04, SEG-05, SEG-20.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.base import clock, money
from config.base import conditions as language
from config.base.conditions import ConditionError, LeafResult, Node, Statement, leaves, sources
from members.models import Segment, SegmentKind

SCOPES: Final = ("customer",)

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether a member meets conditions, with every test and the fact that it met."""

    matched: bool
    leaves: tuple[LeafResult, ...]

    def to_json(self) -> dict[str, object]:
        """Return it as JSON: field, op, value, actual and met of every test."""
        tests = [
            {**each.to_json(), "met": each.matched is not each.negated} for each in self.leaves
        ]
        return {"matched": self.matched, "tests": tests}


def parse(data: object) -> Node:
    """Read the conditions of a segment.

    Raises: ConditionError.
    """
    node = language.parse(data, SCOPES)
    for leaf in leaves(node):
        if not sources.knows(leaf.field):
            raise ConditionError("unknown_field", "", _("There is no such field."))
    return node


def problem(segment: Segment) -> str:
    """Say why the conditions of a segment mean nothing any more; empty where they do, or are none.

    An attribute that they ask for has got another type, or is gone.
    """
    if segment.conditions is None:
        return ""
    try:
        parse(segment.conditions)
    except ConditionError as error:
        return str(error.message)
    return ""


def broken() -> dict[int, str]:
    """Return the segments that are not counted as their conditions mean nothing, with why."""
    rows = Segment.objects.filter(kind=SegmentKind.DYNAMIC, retired_at=None)
    return {segment.pk: why for segment in rows if (why := problem(segment))}


def count(conditions: Data, *, at: datetime) -> int:
    """Return how many members meet conditions at an instant.

    Raises: ConditionError.
    """
    statement = conditions_sql(conditions, at=at)
    found = _rows(f"SELECT count(*) FROM ({statement.sql}) found", statement.parameters)  # noqa: S608
    return int(found[0][0])


def matching(conditions: Data, *, at: datetime, after: int = 0, limit: int) -> list[int]:
    """Return the next members that meet conditions, by id.

    Raises: ConditionError.
    """
    statement = conditions_sql(
        conditions, at=at, only="member_id > %(after)s", parameters={"after": after}
    )
    parameters = {**statement.parameters, "limit": limit}
    found = _rows(f"{statement.sql}\nORDER BY m.member_id LIMIT %(limit)s", parameters)
    return [member for (member,) in found]


def member_ids_sql(conditions: Data, *, at: datetime) -> tuple[str, dict[str, Any]]:
    """Return the SELECT of the ids (`member_id`) of all who meet conditions, to be built upon.

    Its parameters are named at, today, zone, minor_units and v0, v1, …
    Raises: ConditionError.
    """
    statement = conditions_sql(conditions, at=at)
    return statement.sql, dict(statement.parameters)


def facts_of(
    member_ids: Collection[int], conditions: Data, *, at: datetime
) -> dict[int, dict[str, object]]:
    """Return what conditions ask about members; closed, erased and merged ones are left out.

    Raises: ConditionError.
    """
    return _facts(member_ids, parse(conditions), at)


def explain(*, member_id: int, conditions: Data, at: datetime) -> Explanation:
    """Say why a member meets conditions or does not.

    Raises: ConditionError.
    Source: SEG-20.
    """
    return explain_many([member_id], conditions, at=at)[member_id]


def explain_many(
    member_ids: Collection[int], conditions: Data, *, at: datetime
) -> dict[int, Explanation]:
    """Say of each of some members why conditions hold or do not."""
    node = parse(conditions)
    facts = _facts(member_ids, node, at)
    return {
        member: _explanation(node, facts.get(member), is_known=member in facts)
        for member in member_ids
    }


def explain_facts(
    data: Data, facts: Mapping[str, object] | None, *, is_known: bool = True
) -> Explanation:
    """Say why conditions hold or do not, from the facts; who is gone meets none."""
    return _explanation(parse(data), facts, is_known=is_known)


def conditions_sql(
    data: Data, *, at: datetime, only: str = "", parameters: Data | None = None
) -> Statement:
    """Return the statement that finds who meets conditions.

    Raises: ConditionError.
    """
    given = {**_parameters(at), **(parameters or {})}
    return language.select_members(parse(data), given, only=only)


def conditions_facts(node: Node, *, at: datetime, only: str, parameters: Data) -> Statement:
    """Return the statement that reads what conditions ask about some members."""
    return language.select_facts(node, {**_parameters(at), **parameters}, only=only)


def _facts(member_ids: Collection[int], node: Node, at: datetime) -> dict[int, dict[str, object]]:
    if not member_ids:
        return {}
    statement = conditions_facts(
        node, at=at, only="member_id = ANY(%(members)s)",
        parameters={"members": sorted(member_ids)},
    )  # fmt: skip
    return {row[0]: statement.facts(row) for row in _rows(statement.sql, statement.parameters)}


def _explanation(node: Node, facts: Mapping[str, object] | None, *, is_known: bool) -> Explanation:
    known = facts or {}
    return Explanation(is_known and language.holds(node, known), language.explain(node, known))


def _parameters(at: datetime) -> dict[str, Any]:
    return {
        "at": at,
        "today": clock.local_day(at),
        "zone": settings.LOYALTY_TIME_ZONE,
        "minor_units": 10 ** money.exponent(),
    }


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, dict(parameters))
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
