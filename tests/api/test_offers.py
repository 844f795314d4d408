"""What a touchpoint, or the member, is told to be recommended."""

import pytest

from members.models import Member, MemberStatus
from rewards.services import adjustment
from tests.api.conftest import Caller
from tests.factories import catalogue, members

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-07")]


def path(member: Member) -> str:
    return f"/members/{member.public_id}/offers"


@pytest.fixture
def ann(till: Caller) -> Member:
    made = members.member()
    adjustment.adjust(
        member=made.pk, points=200, reason="sorry", at=members.AT, actor="staff:eve",
        limit_points=None,
    )  # fmt: skip
    catalogue.reward("mug", 100, name_zh="马克杯", name_en="Mug")
    catalogue.reward("dear", 300)
    return made


@pytest.mark.parametrize(
    ("language", "name", "why"),
    [
        ("zh-CN", "马克杯", "需要 100 积分，您有 200 积分可用"),
        ("en", "Mug", "it takes 100 of your 200 points"),
    ],
)
def test_an_offer_says_why_in_the_language_of_the_caller(
    till: Caller, ann: Member, language: str, name: str, why: str
) -> None:
    assert till.get(path(ann), ACCEPT_LANGUAGE=language).body == {
        "personalised": True,
        "offers": [
            {
                "reward": "mug", "kind": "goods", "name": name, "points": 100, "score": 5,
                "reasons": [{"code": "reach", "score": 5, "text": why}],
            }
        ],
    }  # fmt: skip


def test_a_refusal_by_the_consents_is_honoured_and_shown_among_them(
    till: Caller, ann: Member
) -> None:
    said = {"purpose": "personalisation", "granted": False, "source": "app"}
    answer = till.put(f"/members/{ann.public_id}/consents", {"consents": [said]})
    (consent,) = answer.body["consents"]
    assert (consent["purpose"], consent["granted"]) == ("personalisation", False)
    body = till.get(path(ann)).body
    assert body["personalised"] is False
    (offer,) = body["offers"]
    assert [(each["code"], each["score"]) for each in offer["reasons"]] == [("neutral", 0)]


def test_who_is_not_active_is_offered_nothing(till: Caller, ann: Member) -> None:
    Member.objects.filter(pk=ann.pk).update(status=MemberStatus.FROZEN)
    assert till.get(path(ann)).body == {"personalised": False, "offers": []}


def test_unknown_parameters_are_refused(till: Caller, ann: Member) -> None:
    answer = till.get(f"{path(ann)}?page=2")
    assert (answer.status, answer.code) == (400, "parameter_invalid")
