"""The summary of a member: one call, few statements, and nothing sent twice."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from config.base import clock
from members.domain.status import Verb
from members.models import Case, Member
from members.services import consents, erasure
from members.services.consents import ConsentDecision
from rewards.models import Coupon, CouponTemplate
from rewards.services import adjustment, membership, reservation
from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import members
from tiers.models import Benefit
from tiers.services import entitlements

pytestmark = pytest.mark.django_db


def buy(till: Caller, member: Member, amount: str, **ago: float) -> None:
    order = bodies.order(
        bodies.line(1, amount), member=str(member.public_id), placed_at=bodies.at(**ago)
    )
    assert till.put(f"/orders/till/{bodies.number()}", order).status == 200


def coupon(member: Member, code: str, **values: object) -> None:
    template, _created = CouponTemplate.objects.get_or_create(
        code="t",
        defaults={"name_zh": "十元券", "name_en": "Ten off", "kind": "amount", "amount": 10},
    )
    Coupon.objects.create(
        public_id=members.member().public_id, template=template, code=code, member=member,
        issued_at=clock.now(), **values,
    )  # fmt: skip


@pytest.mark.req("SVC-01", "ENG-25", "INT-05")
def test_one_call_tells_all_that_a_till_needs(till: Caller) -> None:
    at = clock.now()
    member = members.member(("phone", "13800138000", ""), name="张三", at=at - timedelta(days=30))
    buy(till, member, "1500.00", days=3)
    reservation.hold(member=member.pk, points=200, ttl=timedelta(hours=1), at=at, actor="t")
    benefit = Benefit.objects.create(code="gift_paper", name_zh="礼品包装", name_en="Gift wrap")
    entitlements.grant(
        member=member.pk, benefit=benefit, quota=3, period="year", from_at=at - timedelta(days=1),
        until_at=None, source="test", source_ref="1",
    )  # fmt: skip
    coupon(member, "LATER", expires_at=at + timedelta(days=9))
    coupon(member, "SOON", expires_at=at + timedelta(days=2))
    coupon(member, "OVER", expires_at=at - timedelta(days=2))
    coupon(member, "GONE", expires_at=None, used=1)
    Case.objects.create(member=member, code="over_refunded", opened_at=at)

    body = till.get(f"/members/{member.public_id}/summary", Accept_Language="zh-hans").body

    assert body["member"]["name"] == "张*"
    assert body["member"]["phone_tail"] == "8000"
    tier = till.get(f"/members/{member.public_id}/tier").body
    assert body["tier"] == {key: tier[key] for key in body["tier"]}
    assert body["tier"]["current"]["code"] == "silver"
    assert body["tier"]["opportunities"][0]["tier"] == "gold"
    points = till.get(f"/members/{member.public_id}/points").body
    assert {key: body["points"][key] for key in points} == points
    assert (body["points"]["available"], body["points"]["reserved"]) == (1_300, 200)
    assert body["points"]["next_expiry"] == points["expiring"][0]
    wraps = [each for each in body["benefits"] if each["code"] == "gift_paper"]
    assert [(each["name"], each["left"]) for each in wraps] == [("礼品包装", 3)]
    mine = [each["code"] for each in body["coupons"] if each["template"] == "t"]
    assert mine == ["SOON", "LATER"]
    assert len(body["coupons"]) == 3  # silver brought one
    assert body["open_cases"] == 1
    assert len(body["events"]) == 5
    times = [each["occurred_at"] for each in body["events"]]
    assert times == sorted(times, reverse=True)
    assert [each["code"] for each in body["warnings"]] == ["open_case", "no_marketing"]


def test_what_to_know_first_is_said_first(till: Caller) -> None:
    member, at = members.member(), clock.now()
    path = f"/members/{member.public_id}/summary"
    granted = ConsentDecision(purpose="marketing", channel="sms", granted=True, given_at=at)
    consents.record({member.pk: [granted]}, touchpoint=None, at=at)
    assert till.get(path).body["warnings"] == []
    membership.change_status(
        verb=Verb.FREEZE, member=member.pk, reason="investigation", note="", actor="s", at=at
    )
    assert [each["code"] for each in till.get(path).body["warnings"]] == ["member_frozen"]


def test_points_and_coupons_are_told_to_whom_may_read_them(caller: Callable[..., Caller]) -> None:
    path = f"/members/{members.member().public_id}/summary"
    plain = caller("members:read").get(path).body
    assert not plain.keys() & {"points", "coupons"}
    more = caller("members:read", "points:read", "coupons:read").get(path).body
    assert more.keys() - plain.keys() == {"points", "coupons"}


def test_an_erased_member_is_as_unknown_as_nobody(till: Caller) -> None:
    member = members.member()
    erasure.erase(member=member, at=clock.now(), actor="s", reason="member_request")
    gone = till.get(f"/members/{member.public_id}/summary")
    nobody = till.get("/members/0198c6a2-7d3e-7c41-8a55-2f1d3b9c6e10/summary")
    assert (gone.status, gone.body) == (404, nobody.body)


def test_a_merged_member_is_its_survivor(till: Caller) -> None:
    member, survivor = members.member(), members.member()
    Member.objects.filter(pk=member.pk).update(status="merged", merged_into=survivor)
    body = till.get(f"/members/{member.public_id}/summary").body
    assert body["member"]["id"] == str(survivor.public_id)


@pytest.mark.parametrize("part", ["summary", "tier", "points"])
def test_what_has_not_changed_is_not_sent_again(till: Caller, part: str) -> None:
    member = members.member(at=clock.now() - timedelta(days=30))
    path = f"/members/{member.public_id}/{part}"
    first = till.get(path)
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    assert first.headers["Cache-Control"] == "private, no-cache"
    for sent in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        again = till.get(path, If_None_Match=sent)
        assert (again.status, again.raw, again.headers["ETag"]) == (304, b"", tag)
    assert till.get(path, If_None_Match='W/"other"').status == 200
    buy(till, member, "1500.00", hours=1)
    changed = till.get(path, If_None_Match=tag)
    assert changed.status == 200
    assert changed.headers["ETag"] != tag


@pytest.mark.req("MEM-08")
def test_an_unknown_and_an_erased_identifier_are_answered_alike(till: Caller) -> None:
    phone = members.phone()
    member = members.member(("phone", phone, ""))
    adjustment.adjust(
        member=member.pk, points=5, reason="x", at=clock.now(), actor="s", limit_points=None
    )
    erasure.erase(member=member, at=clock.now(), actor="s", reason="member_request")
    for path in ("/members/lookup",):
        erased = till.post(path, {"kind": "phone", "value": phone})
        unknown = till.post(path, {"kind": "phone", "value": members.phone()})
        assert (erased.status, erased.body) == (404, unknown.body)
        assert erased.headers.keys() == unknown.headers.keys()


def test_a_masked_look_up_tells_no_personal_value(caller: Callable[..., Caller]) -> None:
    phone = members.phone()
    members.member(("phone", phone, ""), ("email", "zhang@example.com", ""), name="张小三")
    answer = caller("members:read").post("/members/lookup", {"kind": "phone", "value": phone})
    text = answer.raw.decode()
    for secret in (phone, phone[3:7], "小三", "zhang@"):
        assert secret not in text
    assert "birthday" not in answer.body
    assert "city" not in answer.body
