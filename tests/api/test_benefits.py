"""Benefits, gifts and paid memberships as touchpoints see them."""

import uuid
from decimal import Decimal

import pytest

from rewards.models import Coupon
from tests.api import bodies
from tests.api.conftest import Answer, Caller
from tiers.models import MembershipPlan, Tier

pytestmark = pytest.mark.django_db


def enrolled(till: Caller) -> str:
    return str(till.post("/members", bodies.enrolment()).body["id"])


def spend(till: Caller, member: str, amount: str) -> Answer:
    line = {"line_no": 1, "sku": "A", "quantity": 1, "amount": amount}
    body = bodies.order(member=member, lines=[line])
    return till.put(f"/orders/till/{bodies.number()}", body)


def use(till: Caller, member: str, code: str, key: str, uses: int = 1) -> Answer:
    path = f"/members/{member}/benefits/{code}/use"
    return till.post(path, {"uses": uses}, Idempotency_Key=key)


def left(till: Caller, member: str) -> dict[str, object]:
    found = till.get(f"/members/{member}/benefits").body["benefits"]
    return {benefit["code"]: benefit["left"] for benefit in found}


@pytest.mark.req("ENG-06", "BEN-17")
def test_the_till_prints_the_pack_of_the_order_that_earned_silver(till: Caller) -> None:
    member = enrolled(till)
    answer = spend(till, member, "1000.00")
    assert answer.status == 200, answer.body
    assert answer.body["tier"]["after"] == "silver"
    coupon, delivery = answer.body["issued"]
    assert (coupon["kind"], coupon["template"]) == ("coupon", "upgrade_silver_10")
    assert Coupon.objects.get().member_id is not None
    assert (delivery["kind"], delivery["code"], delivery["quota"]) == (
        "benefit", "free_delivery", 2,
    )  # fmt: skip
    assert left(till, member) == {
        "birthday_gift": None, "easy_returns": None, "event_invitation": None,
        "expert_advice": None, "free_delivery": 2, "points_redemption": None,
        "priority_service": None, "purchase_reminder": None,
    }  # fmt: skip


@pytest.mark.req("BEN-08", "BEN-14")
def test_a_benefit_is_used_up_and_given_back(till: Caller) -> None:
    member = enrolled(till)
    spend(till, member, "1000.00")
    first = use(till, member, "free_delivery", "a")
    assert (first.status, first.body["benefit"]["left"]) == (201, 1)
    assert use(till, member, "free_delivery", "a").body == first.body
    refused = use(till, member, "free_delivery", "b", 2)
    assert (refused.status, refused.code, refused.body["left"]) == (409, "benefit_exhausted", 1)
    assert use(till, member, "free_delivery", "c").status == 201
    (used,) = first.body["uses"]
    for key in ("d", "e"):
        back = till.post(f"/benefits/uses/{used['id']}/give-back", {}, Idempotency_Key=key)
        assert (back.status, back.body["status"]) == (200, "returned")
    assert left(till, member)["free_delivery"] == 1


@pytest.mark.req("BEN-14")
def test_what_a_member_does_not_have_is_refused(till: Caller) -> None:
    member = enrolled(till)
    assert use(till, member, "free_delivery", "a").code == "benefit_not_granted"
    assert use(till, member, "nothing", "b").code == "benefit_not_found"
    assert use(till, str(uuid.uuid4()), "free_delivery", "c").code == "member_not_found"
    no_key = till.post(f"/members/{member}/benefits/expert_advice/use", {})
    assert no_key.code == "idempotency_key_required"


def test_the_tier_tells_the_benefits_too(till: Caller) -> None:
    member = enrolled(till)
    found = till.get(f"/members/{member}/tier").body["benefits"]
    assert found[0] == {"code": "points_multiplier", "value": "1"}
    assert {"birthday_gift", "expert_advice"} <= {benefit["code"] for benefit in found}


@pytest.mark.req("BEN-16")
def test_a_membership_is_bought_renewed_and_refunded(till: Caller) -> None:
    MembershipPlan.objects.create(
        code="gold_plus", name_zh="付费金卡", name_en="Gold Plus", price=Decimal(199),
        tier=Tier.objects.get(code="gold"),
    )  # fmt: skip
    member = enrolled(till)
    assert till.get("/memberships/plans").body["plans"][0]["price"] == "199.00"
    body = {"plan": "gold_plus", "purchase_ref": "W-1"}
    bought = till.post(f"/members/{member}/memberships", body, Idempotency_Key="a")
    assert (bought.status, bought.body["tier"], bought.body["status"]) == (201, "gold", "active")
    assert {item["kind"] for item in bought.body["issued"]} == {"coupon", "benefit"}
    again = till.post(f"/members/{member}/memberships", body, Idempotency_Key="b")
    assert (again.status, again.body["id"]) == (200, bought.body["id"])
    assert till.get(f"/members/{member}/tier").body["current"]["code"] == "gold"
    path = f"/memberships/{bought.body['id']}"
    renewed = till.post(f"{path}/renew", {"purchase_ref": "W-2"}, Idempotency_Key="c")
    assert (renewed.status, renewed.body["from"]) == (201, bought.body["until"])
    assert till.post(f"{path}/refund", {}, Idempotency_Key="d").code == "membership_renewed"
    for number, row in enumerate((renewed, bought)):
        refunded = till.post(
            f"/memberships/{row.body['id']}/refund", {}, Idempotency_Key=f"e{number}"
        )
        assert (refunded.status, refunded.body["refunded"]) == (200, "199.00")
    assert till.get(f"/members/{member}/tier").body["current"]["code"] == "basic"
    rows = till.get(f"/members/{member}/memberships").body["memberships"]
    assert [row["status"] for row in rows] == ["refunded", "refunded"]
