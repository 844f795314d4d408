"""The catalogue, redemptions and reservations over HTTP."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest
import time_machine
from django.test import Client

from config.base import clock
from config.bench.statements import counted
from members.models import Member
from rewards.models import Redemption, Reservation
from tests import databases
from tests.api import bodies
from tests.api.conftest import Answer, Caller
from tests.api.test_statement_count import MOST
from tests.factories import catalogue, members

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(till: Caller) -> str:
    """A member with 500 points."""
    phone = {"kind": "phone", "value": members.phone()}
    member = till.post("/members", bodies.enrolment(identifiers=[phone])).body["id"]
    till.put(
        f"/orders/till/{bodies.number()}", bodies.order(bodies.line(1, "500.00"), member=member)
    )
    return str(member)


def redeem(till: Caller, member: str, reward: str, key: str = "", **more: Any) -> Any:
    body = {"member": member, "reward": reward, **more}
    return till.post("/redemptions", body, Idempotency_Key=key or bodies.number())


@pytest.mark.req("RWD-08", "BEN-12")
def test_the_catalogue_says_what_may_be_had_and_why_not(till: Caller, ann: str) -> None:
    catalogue.reward("mug", 300, pieces=3, low_stock_at=5)
    catalogue.reward("bag", 900, pieces=3)
    catalogue.reward("gift", 0, is_listed=False)
    catalogue.reward("cup", 10, tracks_stock=True)

    answer = till.get(f"/rewards?member={ann}", Accept_Language="en")

    items = {item["code"]: item for item in answer.body["items"]}
    assert list(items) == ["mug", "bag", "cup"]
    assert (items["mug"]["redeemable"], items["mug"]["stock"]) == (True, "low")
    assert (items["bag"]["redeemable"], items["bag"]["reachable"]) == (False, True)
    assert items["bag"]["reasons"] == [
        {"code": "insufficient_points", "needed": 900, "available": 500,
         "text": "400 points are missing."}
    ]  # fmt: skip
    assert (items["cup"]["stock"], items["cup"]["reachable"]) == ("out", False)
    assert "reasons" not in till.get("/rewards/mug").body
    assert till.get("/rewards/gift").code == "reward_not_found"


def test_the_catalogue_is_paged(till: Caller) -> None:
    for number in range(3):
        catalogue.reward(f"r{number}", 10)

    first = till.get("/rewards?limit=2").body
    second = till.get(f"/rewards?limit=2&cursor={first['next_cursor']}").body

    codes = [[item["code"] for item in page["items"]] for page in (first, second)]
    assert codes == [["r0", "r1"], ["r2"]]
    assert second["next_cursor"] is None


@pytest.mark.req("PTS-03", "RWD-03")
def test_a_redemption_is_made_once_however_often_it_is_sent(till: Caller, ann: str) -> None:
    mug = catalogue.reward("mug", 300, pieces=1)

    answers = [redeem(till, ann, "mug", key="k") for _again in range(2)]
    other = redeem(till, ann, "mug", key="k", quantity=2)

    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].raw == answers[1].raw
    assert answers[0].body["balance"] == {
        "pending": 0, "available": 200, "reserved": 0, "debt": 0,
    }  # fmt: skip
    assert other.code == "idempotency_key_reused"
    assert catalogue.left(mug) == (0, 0)
    refused = redeem(till, ann, "mug")
    assert (refused.status, refused.code) == (409, "out_of_stock")


def test_a_redemption_is_read_listed_and_cancelled(till: Caller, ann: str) -> None:
    catalogue.reward("mug", 300, pieces=1, needs_address=True)
    assert redeem(till, ann, "mug").code == "address_required"
    made = redeem(till, ann, "mug", address={"name": "安", "line": "南京路"}).body

    path = f"/redemptions/{made['id']}"
    assert till.get(path).body == {key: made[key] for key in made if key != "balance"}
    assert [row["id"] for row in till.get(f"/members/{ann}/redemptions").body["items"]] == [
        made["id"]
    ]
    cancelled = till.post(f"{path}/cancel", {}, Idempotency_Key="c")
    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert cancelled.body["balance"]["available"] == 500


@pytest.mark.req("PTS-02", "INT-01")
def test_a_reservation_is_held_captured_and_not_released(till: Caller, ann: str) -> None:
    catalogue.reward("mug", 100, pieces=1)
    body = {"member": ann, "points": 200, "rewards": [{"reward": "mug"}]}
    held = till.post("/reservations", body, Idempotency_Key="a")
    path = f"/reservations/{held.body['id']}"

    assert (held.status, held.body["status"]) == (201, "held")
    assert till.get(path).body == held.body
    captured = till.post(f"{path}/capture", {"points": 50}, Idempotency_Key="b")
    again = till.post(f"{path}/capture", {}, Idempotency_Key="c")
    released = till.post(f"{path}/release", {}, Idempotency_Key="d")

    assert captured.body == again.body
    assert (captured.body["status"], captured.body["captured_points"]) == ("captured", 50)
    assert captured.body["rewards"][0]["status"] == "requested"
    assert (released.status, released.code) == (409, "reservation_closed")


def test_a_reservation_has_lapsed_at_its_time_and_not_when_that_is_settled(
    till: Caller, ann: str
) -> None:
    catalogue.reward("mug", 100, pieces=1)
    body = {"member": ann, "rewards": [{"reward": "mug"}], "ttl_seconds": 1}
    path = f"/reservations/{till.post('/reservations', body, Idempotency_Key='a').body['id']}"
    assert till.get(path).body["status"] == "held"

    with time_machine.travel(clock.now() + timedelta(seconds=2)):
        seen = till.get(path).body

    assert (seen["status"], seen["closed_at"]) == ("lapsed", seen["expires_at"])
    assert [reward["status"] for reward in seen["rewards"]] == ["cancelled"]


def test_malformed_reservations_are_refused_with_their_fields(till: Caller, ann: str) -> None:
    body = {
        "member": ann, "points": -1, "ttl_seconds": 86_401, "rewards": [{"reward": "a"}] * 2,
        "benefits": [{"code": "x", "uses": 0}], "coupons": "c", "more": 1,
    }  # fmt: skip
    answer = till.post("/reservations", body, Idempotency_Key="a")

    assert answer.status == 400
    assert {error["pointer"] for error in answer.body["errors"]} == {
        "/points", "/ttl_seconds", "/rewards", "/benefits/0/uses", "/coupons", "/more",
    }  # fmt: skip
    nothing = till.post("/reservations", {"member": ann}, Idempotency_Key="b")
    assert nothing.code == "reservation_empty"
    assert not Reservation.objects.exists()


def test_a_frozen_member_cannot_redeem_or_reserve(till: Caller, ann: str) -> None:
    catalogue.reward("mug", 100, pieces=1)
    Member.objects.filter(public_id=ann).update(status="frozen")

    assert redeem(till, ann, "mug").code == "member_frozen"
    held = till.post("/reservations", {"member": ann, "points": 1}, Idempotency_Key="a")
    assert held.code == "member_frozen"
    assert not Redemption.objects.exists()


@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the server's statistics are not ours")
@pytest.mark.parametrize("what", ["redeem", "redeem_limited", "reserve"])
def test_a_command_takes_few_statements(till: Caller, ann: str, what: str) -> None:
    catalogue.reward("mug", 10, pieces=9, needs_address=True)
    catalogue.reward("few", 10, pieces=9, member_limit=5)
    work: dict[str, Callable[[], Any]] = {
        "redeem": lambda: redeem(till, ann, "mug", address={"name": "a", "line": "b"}),
        "redeem_limited": lambda: redeem(till, ann, "few"),
        "reserve": lambda: till.post(
            "/reservations", {"member": ann, "points": 10}, Idempotency_Key=bodies.number()
        ),
    }  # fmt: skip
    assert work[what]().status == 201

    count = counted(databases.current(), work[what])

    assert 0 < count <= MOST


def test_answers_keep_to_the_description(till: Caller, ann: str) -> None:
    described = Description()
    catalogue.reward("mug", 100, pieces=9, min_tier=None, market_value="39.00")
    tea = catalogue.reward("tea", 50, kind="experience", tracks_stock=True)
    catalogue.slot(tea, "may", members.AT + timedelta(days=36_500), 5)
    described.keeps("/rewards", till.get(f"/rewards?member={ann}"))
    described.keeps("/rewards/{code}", till.get("/rewards/tea"))
    made = described.keeps("/redemptions", redeem(till, ann, "tea", slot="may"), "post")
    described.keeps("/redemptions", redeem(till, ann, "hat"), "post")
    described.keeps("/redemptions", redeem(till, ann, "mug", quantity=10), "post")
    place = f"/redemptions/{made.body['id']}"
    described.keeps("/redemptions/{redemption_id}", till.get(place))
    cancelled = till.post(f"{place}/cancel", {}, Idempotency_Key="x")
    described.keeps("/redemptions/{redemption_id}/cancel", cancelled, "post")
    listed = till.get(f"/members/{ann}/redemptions")
    described.keeps("/members/{public_id}/redemptions", listed)
    body = {"member": ann, "points": 10, "rewards": [{"reward": "tea", "slot": "may"}]}
    held = till.post("/reservations", body, Idempotency_Key="y")
    described.keeps("/reservations", held, "post")
    place = f"/reservations/{held.body['id']}"
    described.keeps("/reservations/{reservation_id}", till.get(place))
    for verb in ("release", "capture"):
        answer = till.post(f"{place}/{verb}", {}, Idempotency_Key=verb)
        described.keeps(f"/reservations/{{reservation_id}}/{verb}", answer, "post")


class Description:
    """The served description, to hold answers against."""

    def __init__(self) -> None:
        self.schema = orjson.loads(Client().get("/api/v1/schema").content)

    def keeps(self, route: str, answer: Answer, method: str = "get") -> Answer:
        """Check an answer against the description of its route."""
        operation = self.schema["paths"][f"/api/v1{route}"][method]
        response = operation["responses"][str(answer.status)]
        part = response["content"][answer.headers["Content-Type"]]["schema"]
        whole = {**part, "components": self.schema["components"]}
        jsonschema.Draft202012Validator(whole).validate(orjson.loads(answer.raw))
        return answer
