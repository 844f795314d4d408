"""What a till does arrives at a subscriber, signed, without anybody's personal values."""

from collections.abc import Iterator
from datetime import UTC, datetime

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
from rewards.services import presets
from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import members
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.req("INT-02")

NAME, PHONE = "欧阳震华", "13800138000"


@pytest.fixture
def till(own_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    monkeypatch.setattr(jobs, "hint", lambda task, *arguments: None)
    monkeypatch.setattr(delivery, "_followers", {})
    delivery.register(Follower(webhooks.FOLLOWER, frozenset(), owe_to_webhooks, chooses=True))
    with transaction.atomic(), translation.override(None):
        presets.load(preset=PRESETS["classic"], at=clock.now())
        touchpoint = members.touchpoint(channel=Channel.POS)
        secret = api_keys.issue(touchpoint, SCOPES, at=clock.now())
    yield Caller(touchpoint, secret)
    translation.activate("zh-hans")


def test_a_day_at_the_till_is_told_to_a_subscriber(till: Caller, receiver: Receiver) -> None:
    body = {"url": receiver.url, "kinds": ["*"]}
    secret = till.post("/webhooks", body, Idempotency_Key="w").body["secret"]
    person = bodies.enrolment(name=NAME, identifiers=[{"kind": "phone", "value": PHONE}])
    member = till.post("/members", person).body["id"]
    order = f"/orders/till/{bodies.number()}"
    assert till.put(order, bodies.order(bodies.line(1, "1500.00"), member=member)).status == 200
    till.post(f"{order}/refunds", bodies.refund(amount="100.00"))

    while delivery.deliver(follower=webhooks.FOLLOWER, at=datetime.now(UTC)):
        pass
    while webhook_sender.send_due(at=datetime.now(UTC)):
        pass

    told = receiver.verified(secret)
    kinds = [each["type"] for each in told]
    for kind in ("member.enrolled", "order.recorded", "tier.changed", "refund.recorded"):
        assert kind in kinds, kinds
    assert {each["data"]["member"] for each in told} == {member}
    assert [each["id"] for each in told] == sorted(each["id"] for each in told), "in order"
    everything = b" ".join(content for _headers, content in receiver.requests).decode()
    for value in (NAME, PHONE, "0138000", "\\u6b27"):
        assert value not in everything
