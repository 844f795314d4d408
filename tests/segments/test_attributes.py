"""Attributes that were declared hold what was declared, wherever they are written."""

from typing import Any

import pytest

from members.domain.attributes import Declared, is_valid
from members.models import AttributeDefinition, MemberProfile
from members.services import profile
from members.services.attributes import AttributeInvalidError
from tests.factories import members as people


@pytest.mark.req("MEM-06")
@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        (Declared("string"), ["x", None], ["", 1, "y" * 201, True]),
        (Declared("number"), [1, 2.5, -3], [True, "1", float("nan"), float("inf")]),
        (Declared("date"), ["2024-02-29"], ["2023-02-29", "20240229", 20240229, "2024-2-9"]),
        (Declared("bool"), [True, False], [1, "yes"]),
        (Declared("choice", ("a", "b")), ["a"], ["c", ["a"]]),
        (Declared("multi", ("a", "b")), [["a", "b"], []], ["a", ["c"], [1]]),
    ],
)
def test_values_are_of_the_declared_type(
    declared: Declared, good: list[Any], bad: list[Any]
) -> None:
    assert all(is_valid(declared, value) for value in good)
    assert not any(is_valid(declared, value) for value in bad)


@pytest.mark.req("MEM-06")
@pytest.mark.django_db
def test_what_is_not_of_its_type_is_refused_on_enrolment_and_on_change() -> None:
    AttributeDefinition.objects.create(code="shoe", name_zh="鞋码", type="number")
    member = people.member(attributes={"shoe": 39, "free": "text"})
    people.basic_tier()
    (refused,) = people.enrol(people.request(attributes={"shoe": "39"}))
    assert (refused.code, refused.member_id) == ("attribute_invalid", None)
    with pytest.raises(AttributeInvalidError) as caught:
        profile.update(member_id=member.pk, at=people.AT, actor="eve", attributes={"shoe": "x"})
    assert caught.value.details == {"field": "attributes.shoe", "expected": "number"}
    profile.update(member_id=member.pk, at=people.AT, actor="eve", attributes={"shoe": None})
    kept = MemberProfile.objects.get(member=member).attributes
    assert kept == {"free": "text"}
