"""A shop whose members differ in everything that segments can ask about."""

from typing import Any

from members.models import Member
from members.services import segments
from members.services.segments import Content
from rewards.domain.cart import Line
from tests.engine.shop import Shop, day, minor


def leaf(field: str, op: str, value: object) -> dict[str, Any]:
    return {"field": f"customer.{field}", "op": op, "value": value}


def sold(number: int, amount: int, category: str, brand: str = "") -> Line:
    """Return a line of one piece, of a category and brand."""
    return Line(number, f"sku-{number}", "goods", category, brand or None, 1000, minor(amount))


def found(
    shop: Shop, conditions: dict[str, Any], *among: Member, on: float | None = None
) -> list[int]:
    """Return the places of the members who meet conditions; count and matching agree on them."""
    at = shop.now if on is None else day(on)
    ids = segments.matching(conditions, at=at, limit=1000)
    assert segments.count(conditions, at=at) == len(ids)
    every = [member.pk for member in among]
    facts = segments.facts_of(every, conditions, at=at)
    assert {m for m in facts if segments.explain_facts(conditions, facts[m]).matched} == set(
        ids
    ) & set(every)
    return sorted(every.index(member) for member in ids if member in every)


def content(conditions: dict[str, Any], **values: Any) -> Content:
    defaults: dict[str, Any] = {"name_zh": "人群", "name_en": "Segment", "description": ""}
    return Content(**{**defaults, "conditions": conditions, **values})
