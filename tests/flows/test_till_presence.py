"""A member shows a code at the till and pays with points; a till that was offline catches up."""

from datetime import timedelta
from typing import Any

import pytest

from config.base import clock
from members.models import Member, MemberCode, ReceivedFact
from rewards.models import Redemption, Reservation
from rewards.services import adjustment
from tests.api import bodies
from tests.api.conftest import Answer, Caller, caller, programme  # noqa: F401 - fixtures
from tests.factories import catalogue, members

pytestmark = pytest.mark.django_db

CARD_POINTS, FREE = 3_000, 2_000


@pytest.fixture
def till(caller: Any) -> Caller:  # noqa: F811
    return caller(spend_needs="member_code", spend_free_points=FREE)  # type: ignore[no-any-return]


@pytest.fixture
def rich(programme: None) -> Member:  # noqa: F811
    member = members.member(at=clock.now() - timedelta(days=1))
    adjustment.adjust(
        member=member.pk, points=9_000, reason="x", at=clock.now(), actor="s", limit_points=None
    )
    return member


def code_of(till: Caller, member: Member) -> str:
    return str(till.post(f"/members/{member.public_id}/code", {}).body["code"])


def reserve(till: Caller, member: Member, points: int, **proof: str) -> Answer:
    body = {"member": str(member.public_id), "points": points, **proof}
    return till.post("/reservations", body, Idempotency_Key=bodies.number("K"))


def redeem(till: Caller, member: Member, reward: str, **proof: str) -> Answer:
    body = {"member": str(member.public_id), "reward": reward, **proof}
    return till.post("/redemptions", body, Idempotency_Key=bodies.number("K"))


@pytest.mark.req("MEM-15", "INT-01")
def test_a_till_reserves_many_points_only_with_a_code(till: Caller, rich: Member) -> None:
    assert reserve(till, rich, FREE).status == 201
    refused = reserve(till, rich, FREE + 1)
    assert (refused.status, refused.code) == (403, "presence_required")
    assert refused.body["needs"] == "member_code"
    code = code_of(till, rich)
    assert reserve(till, rich, FREE + 1, member_code=code).status == 201
    assert reserve(till, rich, FREE + 1, member_code=code).code == "member_code_invalid"
    assert Reservation.objects.count() == 2


@pytest.mark.req("MEM-15")
def test_a_refused_redemption_leaves_the_code_for_the_next_try(till: Caller, rich: Member) -> None:
    catalogue.reward("gone", CARD_POINTS, pieces=0)
    catalogue.reward("here", CARD_POINTS, pieces=1)
    code = code_of(till, rich)
    assert redeem(till, rich, "gone", member_code=code).code == "out_of_stock"
    assert MemberCode.objects.get().used_at is None
    assert redeem(till, rich, "here").code == "presence_required"
    assert redeem(till, rich, "here", member_code=code).status == 201
    assert Redemption.objects.count() == 1


def test_a_retry_of_what_was_paid_with_a_code_is_answered_again(till: Caller, rich: Member) -> None:
    catalogue.reward("here", CARD_POINTS, pieces=2)
    body = {"member": str(rich.public_id), "reward": "here", "member_code": code_of(till, rich)}
    first, again = (till.post("/redemptions", body, Idempotency_Key="same") for _turn in range(2))
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert Redemption.objects.count() == 1


def test_a_member_reserves_captures_and_redeems_with_a_token(till: Caller, rich: Member) -> None:
    catalogue.reward("mug", 100, pieces=3)
    made = till.post(f"/members/{rich.public_id}/token", {}).body
    shopper = Caller(till.touchpoint, made["token"])
    held = reserve(shopper, rich, 300)
    assert held.status == 201
    captured = shopper.post(
        f"/reservations/{held.body['id']}/capture", {}, Idempotency_Key=bodies.number("K")
    )
    assert (captured.status, captured.body["status"]) == (200, "captured")
    redeemed = redeem(shopper, rich, "mug")
    assert redeemed.status == 201
    cancelled = shopper.post(
        f"/redemptions/{redeemed.body['id']}/cancel", {}, Idempotency_Key=bodies.number("K")
    )
    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")


@pytest.mark.req("INT-01")
def test_a_till_that_was_offline_sends_its_queue_until_it_is_heard(till: Caller) -> None:
    """Every fact has its reference: what was sent before the line broke counts once."""
    member = members.member(at=clock.now() - timedelta(days=9))
    queue = [
        {"type": "order", "source": "till", "order_no": f"Q{number}",
         **bodies.order(member=str(member.public_id), placed_at=bodies.at(hours=20 - number))}
        for number in range(10)
    ]  # fmt: skip
    queue.append(
        {"type": "refund", "source": "till", "order_no": "Q3",
         **bodies.refund(amount="40.00", refunded_at=bodies.at(minutes=30))}
    )  # fmt: skip
    # The line breaks: the first answer was lost, then another part came through, out of order.
    till.post("/facts/batch", {"facts": queue[:4]})
    till.post("/facts/batch", {"facts": queue[8:10]}, Idempotency_Key="queue-2")
    till.put("/orders/till/Q5", {k: v for k, v in queue[5].items() if k not in _PLACE})

    first = till.post("/facts/batch", {"facts": queue}, Idempotency_Key="queue-3").body["results"]
    again = till.post("/facts/batch", {"facts": queue}, Idempotency_Key="queue-4").body["results"]

    assert {result["status"] for result in first + again} == {200}
    assert [result["replayed"] for result in first] == [
        number in {0, 1, 2, 3, 5, 8, 9} for number in range(11)
    ]
    assert all(result["replayed"] for result in again)
    assert ReceivedFact.objects.count() == 11
    points = till.get(f"/members/{member.public_id}/points").body
    assert points["available"] == 960


_PLACE = {"type", "source", "order_no"}
