"""What a member's own view of referrals says, and what it does not."""

import pytest

from campaigns.models import Referral, ReferralCode
from members.models import Member, MemberStatus
from tests.api.conftest import Caller
from tests.factories import members
from tests.factories import referrals as people

pytestmark = [pytest.mark.django_db, pytest.mark.req("ENG-04")]


def path(member: Member) -> str:
    return f"/members/{member.public_id}/referral"


def test_without_a_programme_there_is_no_code(till: Caller) -> None:
    body = till.get(path(members.member())).body
    assert (body["code"], body["link"], body["offer"]) == (None, None, None)
    assert not ReferralCode.objects.exists()


def test_a_member_sees_the_code_the_offer_and_states_without_names(till: Caller) -> None:
    people.programme(link="https://shop.example/j?c={code}")
    people.subscribe()
    ann = members.member()
    code = till.get(path(ann)).body["code"]
    for number in range(3):
        people.join(code, on=number)
    first, second, third = Referral.objects.order_by("registered_at")
    Referral.objects.filter(pk=second.pk).update(state="held", reasons=["same_device"])
    Referral.objects.filter(pk=third.pk).update(state="refused", reasons=["same_person"])
    answer = till.get(path(ann))
    body = answer.body
    assert body["code"] == code
    assert body["link"] == f"https://shop.example/j?c={code.replace('-', '')}"
    assert (body["offer"]["reward"], body["offer"]["points"]) == ("points", people.POINTS)
    assert body["counts"] == {"joined": 1, "waiting": 1, "rewarded": 0, "over": 1}
    assert [each["state"] for each in body["referrals"]] == ["over", "waiting", "joined"]
    assert b"same_" not in answer.raw
    assert str(first.friend.public_id).encode() not in answer.raw


def test_a_member_that_is_not_active_gets_no_code(till: Caller) -> None:
    people.programme()
    ann = members.member()
    Member.objects.filter(pk=ann.pk).update(status=MemberStatus.FROZEN)
    body = till.get(path(ann)).body
    assert body["code"] is None
    assert body["offer"] is not None


def test_unknown_parameters_are_refused(till: Caller) -> None:
    answer = till.get(f"{path(members.member())}?page=2")
    assert (answer.status, answer.code) == (400, "parameter_invalid")
