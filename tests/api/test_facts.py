"""Orders, refunds, claims, interactions and batches over the API."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from config.base import clock
from members.models import Order, OrderLine, ReceivedFact, Source
from rewards.models import Entry, PointsAccount
from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import members

pytestmark = pytest.mark.django_db


@pytest.mark.req("PTS-09", "PTS-10", "TIR-05")
def test_order_earns_and_raises_the_tier_at_once(caller: Callable[..., Caller]) -> None:
    till, web = caller(), caller(channel="web")
    member = members.member()

    answer = till.put(
        f"/orders/till/{bodies.number()}",
        bodies.order(bodies.line(amount="1000.50"), member=str(member.public_id)),
    )

    assert answer.status == 200
    assert answer.body["points"] == {"earned": 1000, "delta": 1000, "base": 1000, "bonus": []}
    assert answer.body["balance"]["available"] == 1000
    assert answer.body["tier"] == {"before": "basic", "after": "silver", "changed": True}
    assert answer.body["replayed"] is False
    for touchpoint in (till, web):
        read = touchpoint.get(f"/members/{member.public_id}/points").body
        assert read["available"] == 1000
        tier = touchpoint.get(f"/members/{member.public_id}/tier").body
        assert tier["current"]["code"] == "silver"


def test_same_order_again_is_answered_again(till: Caller) -> None:
    member = members.member()
    path, body = f"/orders/till/{bodies.number()}", bodies.order(member=str(member.public_id))

    first, second = till.put(path, body), till.put(path, body)

    assert (second.status, second.body["replayed"]) == (200, True)
    assert second.body["points"]["earned"] == first.body["points"]["earned"]
    assert Entry.objects.count() == 1


def test_other_content_under_the_same_version_is_a_conflict(till: Caller) -> None:
    member = members.member()
    path = f"/orders/till/{bodies.number()}"
    body = bodies.order(member=str(member.public_id))
    till.put(path, body)

    answer = till.put(path, {**body, "lines": [bodies.line(amount="1.00")]})

    assert (answer.status, answer.code) == (409, "fact_conflict")
    assert Entry.objects.count() == 1


def test_source_belongs_to_the_touchpoint_that_first_used_it(
    caller: Callable[..., Caller],
) -> None:
    member = members.member()
    body = bodies.order(member=str(member.public_id))
    caller().put(f"/orders/mine/{bodies.number()}", body)

    answer = caller().put(f"/orders/mine/{bodies.number()}", body)

    assert (answer.status, answer.code) == (403, "source_not_owned")
    assert Source.objects.count() == 1


def test_order_in_the_future_is_refused(till: Caller) -> None:
    member = members.member()
    for placed_at in (bodies.at(minutes=-10), "9990-01-01T00:00:00Z"):
        answer = till.put(
            f"/orders/till/{bodies.number()}",
            bodies.order(member=str(member.public_id), placed_at=placed_at),
        )
        assert (answer.status, answer.code) == (422, "placed_in_future")
    assert ReceivedFact.objects.count() == 0


def test_unknown_member_id_is_not_found(till: Caller) -> None:
    answer = till.put(
        f"/orders/till/{bodies.number()}",
        bodies.order(member="0198c6a2-7d3e-7c41-8a55-2f1d3b9c6e10"),
    )
    assert (answer.status, answer.code) == (404, "member_not_found")


def test_order_of_a_stranger_waits_for_enrolment(till: Caller) -> None:
    phone = {"kind": "phone", "value": members.phone()}
    path = f"/orders/till/{bodies.number()}"

    kept = till.put(path, bodies.order(identifier=phone))
    made = till.post("/members", bodies.enrolment(identifiers=[phone]))

    assert (kept.status, kept.body["code"]) == (202, "awaiting_member")
    points = till.get(f"/members/{made.body['id']}/points").body
    assert points["available"] == 100


def test_order_reads_back_as_it_stands(till: Caller) -> None:
    member = members.member()
    path = f"/orders/till/{bodies.number('a/b 中-')}"
    till.put(
        path,
        bodies.order(
            bodies.line(2, "20.00", kind="shipping"),
            bodies.line(1, "80.00", quantity="1.5", category="coffee"),
            member=str(member.public_id),
            store="SH-1",
        ),
    )
    till.post(f"{path}/refunds", bodies.refund(amount="10.00"))

    order = till.get(path).body["order"]

    assert (order["net_amount"], order["sold_amount"]) == ("90.00", "100.00")
    assert [(x["line_no"], x["quantity"], x["amount"]) for x in order["lines"]] == [
        (1, "1.5", "80.00"),
        (2, "1", "20.00"),
    ]
    assert order["refunds"][0]["amount"] == "10.00"
    assert order["member"] == str(member.public_id)
    assert till.get("/orders/till/none").code == "order_not_found"


@pytest.mark.req("PTS-12")
def test_refund_takes_points_back_once(till: Caller) -> None:
    member = members.member()
    path = f"/orders/till/{bodies.number()}"
    till.put(path, bodies.order(member=str(member.public_id)))
    body = bodies.refund(lines=[{"line_no": 1, "quantity": 0, "amount": "40.00"}])

    first, second = till.post(f"{path}/refunds", body), till.post(f"{path}/refunds", body)

    assert first.body["points"]["delta"] == -40
    assert second.body["replayed"] is True
    assert PointsAccount.objects.get(member=member).available == 60


def test_refund_before_its_order_is_kept(till: Caller) -> None:
    member = members.member()
    path = f"/orders/till/{bodies.number()}"

    kept = till.post(f"{path}/refunds", bodies.refund(amount="40.00"))
    again = till.post(f"{path}/refunds", bodies.refund(refund_no="R0", amount="1.00"))
    till.put(path, bodies.order(member=str(member.public_id)))

    assert (kept.status, again.status) == (202, 202)
    assert PointsAccount.objects.get(member=member).available == 59


def test_order_without_a_member_can_be_claimed(caller: Callable[..., Caller]) -> None:
    till, other, desk = caller(), caller(), caller(channel="cs")
    member = members.member()
    paths = [f"/orders/till/{bodies.number()}" for _ in range(2)]
    for path in paths:
        assert till.put(path, bodies.order()).status == 202
    body = {"member": str(member.public_id)}

    assert other.post(f"{paths[0]}/claim", body).code == "source_not_owned"
    assert till.post(f"{paths[0]}/claim", body).body["points"]["earned"] == 100
    assert desk.post(f"{paths[1]}/claim", body).body["points"]["earned"] == 100
    assert desk.post(f"{paths[1]}/claim", body).code == "order_already_claimed"
    assert desk.post("/orders/till/none/claim", body).code == "order_not_found"
    assert desk.post(f"{paths[1]}/claim", {}).status == 400
    assert PointsAccount.objects.get(member=member).available == 200


@pytest.mark.req("MEM-17")
def test_interactions_are_received_once(till: Caller) -> None:
    member = members.member()
    body = bodies.interaction(member=str(member.public_id))

    first, second = till.post("/interactions", body), till.post("/interactions", body)

    assert first.status == 200
    assert second.body["replayed"] is True
    assert ReceivedFact.objects.count() == 1


def test_batch_is_as_one_by_one(till: Caller) -> None:
    member = str(members.member().public_id)
    number = bodies.number()
    future = bodies.order(member=member, placed_at=bodies.at(minutes=-9))
    facts = [
        {"type": "refund", "source": "till", "order_no": number, **bodies.refund(amount="10.00")},
        {"type": "order", "source": "till", "order_no": number, **bodies.order(member=member)},
        {"type": "order", "source": "till"},
        {"type": "wish"},
        7,
        {"type": "interaction", **bodies.interaction(member=member)},
        {"type": "order", "source": "till", "order_no": bodies.number(), **future},
    ]  # fmt: skip

    results = till.post("/facts/batch", {"facts": facts}).body["results"]

    assert [result["status"] for result in results[2:5]] == [400, 400, 400]
    assert {error["pointer"] for error in results[2]["errors"]} >= {"/order_no", "/status"}
    assert results[6]["code"] == "placed_in_future"
    assert all(result["status"] < 300 for result in (*results[:2], results[5]))
    assert PointsAccount.objects.get(member__public_id=member).available >= 90


def test_batch_of_too_many_facts_is_refused_whole(till: Caller) -> None:
    answer = till.post("/facts/batch", {"facts": [{}] * 1_001})
    assert (answer.status, answer.body["errors"][0]["code"]) == (400, "too_many")
    assert till.post("/facts/batch", {"facts": []}).status == 400


def test_batch_needs_the_scope_of_each_fact(caller: Callable[..., Caller]) -> None:
    till = caller("orders:write")
    member = str(members.member().public_id)
    facts = [
        {"type": "interaction", **bodies.interaction(member=member)},
        {"type": "order", "source": "till", "order_no": "1", **bodies.order(member=member)},
    ]
    results = till.post("/facts/batch", {"facts": facts}).body["results"]
    assert [result["status"] for result in results] == [403, 200]


def test_malformed_order_leaves_nothing_behind(till: Caller) -> None:
    member = str(members.member().public_id)
    facts, orders = ReceivedFact.objects.count(), Order.objects.count()

    for body in (
        bodies.order(member=member, lines=[{**bodies.line(), "amount": 1}]),
        bodies.order(member=member, placed_at=clock.now().replace(tzinfo=None).isoformat()),
        bodies.order(member=member, colour="red"),
    ):
        assert till.put(f"/orders/till/{bodies.number()}", body).status == 400

    assert (ReceivedFact.objects.count(), Order.objects.count()) == (facts, orders)
    assert OrderLine.objects.count() == 0
    assert Source.objects.count() == 0


def test_coupon_that_was_never_given_out_is_an_issue(till: Caller) -> None:
    member = str(members.member().public_id)
    answer = till.put(
        f"/orders/till/{bodies.number()}", bodies.order(member=member, coupons=["C-1"])
    )
    assert answer.status == 200
    assert {"code": "coupon_unknown", "coupon": "C-1"} in answer.body["issues"]


def test_late_order_is_taken(till: Caller) -> None:
    member = members.member(at=clock.now() - timedelta(days=60))
    answer = till.put(
        f"/orders/till/{bodies.number()}",
        bodies.order(member=str(member.public_id), placed_at=bodies.at(days=50)),
    )
    assert answer.status == 200
