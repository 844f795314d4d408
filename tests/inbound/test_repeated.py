"""The same message from many connections at once is done once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client

from members.models import Channel, ReceivedFact
from rewards.models import Entry, InboundDelivery, InboundScheme, PointsAccount
from rewards.presets import PRESETS
from rewards.presets import inbound as shipped
from rewards.services import inbound, presets
from tests.factories import members
from tests.inbound import payloads

pytestmark = pytest.mark.req("INT-02")

SECRET = "hush-" * 5
JOINED = datetime(2026, 3, 1, tzinfo=UTC)
AT_ONCE = 8


@pytest.fixture
def shop(own_database: str) -> None:
    with transaction.atomic():
        presets.load(preset=PRESETS["classic"], at=JOINED)
        members.member(("phone", "+8613800138000", ""), at=JOINED)
        inbound.connect(
            code="shop",
            touchpoint=members.touchpoint(channel=Channel.WEB),
            scheme=InboundScheme.SHOPIFY,
            secret=SECRET,
            mapping=shipped.mapping("shopify"),
            at=JOINED,
        )


def at_once(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    def send(request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = Client().post(
                "/api/v1/inbound/shop",
                request["data"],
                content_type="application/json",
                headers=request["headers"],
            )
            assert answer.status_code == 200, answer.content
            body: dict[str, Any] = answer.json()
            return body
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def _same_id() -> list[dict[str, Any]]:
    return [payloads.shopify(SECRET, "orders/create", payloads.SHOPIFY_ORDER)] * AT_ONCE


def _same_order() -> list[dict[str, Any]]:
    return [
        payloads.shopify(SECRET, topic, payloads.SHOPIFY_ORDER)
        for topic in ("orders/create", "orders/paid", "orders/updated", "orders/create")
    ]


@pytest.mark.parametrize(("make", "kept"), [(_same_id, 1), (_same_order, 4)])
def test_it_is_done_once(shop: None, make: Callable[[], list[dict[str, Any]]], kept: int) -> None:
    answers = at_once(*make())
    assert {answer["status"] for answer in answers} == {"done"}
    assert InboundDelivery.objects.count() == kept
    assert [answer["replayed"] for answer in answers].count(False) == kept
    assert ReceivedFact.objects.filter(kind="order").count() == 1
    assert Entry.objects.count() == 1
    assert PointsAccount.objects.get().available == 398
