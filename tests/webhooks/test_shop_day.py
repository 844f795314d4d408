"""A shop's day over HTTP: enrol, quote, pay with points and a coupon, rise, refund, redeem.

And what was told of it to a subscriber, signed, without anybody's personal values.
"""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.utils import translation

from config.base import clock, jobs
from members.domain.scopes import SCOPES
from members.models import Channel
from members.services import api_keys, delivery, webhook_sender, webhooks
from members.services.delivery import Follower
from members.tasks import owe_to_webhooks
from rewards.presets import PRESETS
from rewards.services import preset_catalogue, presets
from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import members
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.req("INT-01", "INT-02", "PTS-02", "PTS-03", "ENG-06", "BEN-17", "RWD-10")

NAME, PHONE = "欧阳震华", "13800138000"
ADDRESS = {"name": NAME, "phone": PHONE, "line": "淮海中路 1 号"}

_keys = itertools.count(1)


@pytest.fixture
def till(own_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    monkeypatch.setattr(jobs, "hint", lambda task, *arguments: None)
    monkeypatch.setattr(delivery, "_followers", {})
    delivery.register(Follower(webhooks.FOLLOWER, frozenset(), owe_to_webhooks, chooses=True))
    with transaction.atomic(), translation.override(None):
        presets.load(preset=PRESETS["classic"], at=clock.now())
        preset_catalogue.load(at=clock.now())
        touchpoint = members.touchpoint(channel=Channel.POS)
        secret = api_keys.issue(touchpoint, SCOPES, at=clock.now())
    yield Caller(touchpoint, secret)
    translation.activate("zh-hans")


def done(till: Caller, path: str, body: dict[str, Any]) -> Any:
    """Give a command and return what it answers; it must be done."""
    answer = till.post(path, body, Idempotency_Key=f"day-{next(_keys)}")
    assert answer.status < 300, answer.body
    return answer.body


def enrol(till: Caller) -> str:
    person = bodies.enrolment(name=NAME, identifiers=[{"kind": "phone", "value": PHONE}])
    member = str(till.post("/members", person).body["id"])
    bought = bodies.order(bodies.line(1, "900.00"), member=member)
    assert till.put(f"/orders/till/{bodies.number()}", bought).status == 200
    return member


def test_a_shops_day(till: Caller, receiver: Receiver) -> None:
    subscribed = done(till, "/webhooks", {"url": receiver.url, "kinds": ["*"]})
    member = enrol(till)

    # 900 points so far. 400.00 less a coupon of 20.00, 3.00 of it in points: 377.00 earn.
    code = done(till, f"/members/{member}/coupons", {"template": "birthday_20"})
    code = code["issued"][0]["code"]
    cart = {
        "member": member, "currency": "CNY", "lines": [bodies.line(1, "400.00")],
        "coupons": [code], "points": 300,
    }  # fmt: skip
    quote = till.post("/quotes", cart).body
    assert quote["amounts"] == {
        "list": "400.00", "tier_discount": "0.00", "coupons": "20.00", "net": "380.00",
        "paid_in_points": "3.00", "to_pay": "377.00",
    }  # fmt: skip
    assert (quote["points"]["earned"], quote["tier"]["after"]) == (377, "silver")

    # Points and coupon are set aside while the customer pays the rest.
    held = done(till, "/reservations", {"member": member, "points": 300, "coupons": [code]})
    order = f"/orders/till/{bodies.number()}"
    body = {
        **bodies.order(), **quote["order"], "placed_at": bodies.at(), "member": member,
        "quote": quote["quote"], "reservation": held["id"],
    }  # fmt: skip
    answer = till.put(order, body).body
    assert answer["issues"] == []
    assert answer["points"]["earned"] == 377
    assert (answer["tier"]["before"], answer["tier"]["after"]) == ("basic", "silver")
    assert answer["balance"]["available"] == 900 - 300 + 377
    # The till can print the gift pack: a coupon of 10.00 and two free deliveries.
    given = {(item["kind"], item.get("template") or item.get("code")) for item in answer["issued"]}
    assert given == {("coupon", "upgrade_silver_10"), ("benefit", "free_delivery")}

    # 100.00 of 380.00 comes back: 280.00 × 377/380 leave 277 points, and 78 of the 300 return.
    refund = till.post(f"{order}/refunds", bodies.refund(refunded_at=bodies.at(), amount="100.00"))
    assert (refund.body["points"]["earned"], refund.body["points"]["delta"]) == (277, -100)
    assert refund.body["balance"]["available"] == 977 - 100 + 78
    assert refund.body["tier"]["after"] == "silver"

    mug = {"member": member, "reward": "member_mug", "address": ADDRESS}
    redeemed = done(till, "/redemptions", mug)
    assert balance(till, member) == 955 - 300
    done(till, f"/redemptions/{redeemed['id']}/cancel", {})
    assert balance(till, member) == 955

    tell(receiver, subscribed["secret"], member)


def balance(till: Caller, member: str) -> int:
    return int(till.get(f"/members/{member}/points").body["available"])


def tell(receiver: Receiver, secret: str, member: str) -> None:
    """Deliver what is owed, and hold what came in against what happened."""
    while delivery.deliver(follower=webhooks.FOLLOWER, at=datetime.now(UTC)):
        pass
    while webhook_sender.send_due(at=datetime.now(UTC)):
        pass
    told = receiver.verified(secret)
    kinds = {each["type"] for each in told}
    assert kinds >= {
        "member.enrolled", "order.recorded", "coupon.issued", "points.reserved", "coupon.redeemed",
        "tier.changed", "grant.given", "refund.recorded", "redemption.requested",
        "redemption.cancelled",
    }  # fmt: skip
    assert {each["data"]["member"] for each in told} == {member}
    assert [each["id"] for each in told] == sorted(each["id"] for each in told), "in order"
    everything = b" ".join(content for _headers, content in receiver.requests).decode()
    for value in (NAME, PHONE, "0138000", "淮海", "\\u6b27"):
        assert value not in everything
