"""A shop's own webhooks become facts: once, signed, and never lost."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation
from standardwebhooks.webhooks import Webhook as Signer

from config.base import clock
from members.domain import webhooks as standard
from members.models import Case, Channel, Member, MemberStatus, Order, ReceivedFact, Refund
from rewards.api import parsing
from rewards.models import Entry, InboundDelivery, InboundHook, InboundScheme, PointsAccount
from rewards.presets import PRESETS
from rewards.presets import inbound as shipped
from rewards.services import inbound, presets
from tests.factories import console, members
from tests.inbound import payloads
from tests.inbound.payloads import SHOPIFY_ORDER, SHOPIFY_REFUND, YOUZAN_PAID, changed

pytestmark = [pytest.mark.django_db, pytest.mark.req("INT-02", "INT-10")]

SECRET = "hush-" * 5
YOUZAN_SECRET = "0123456789abcdef:" + "s" * 32
JOINED = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def programme() -> Iterator[None]:
    presets.load(preset=PRESETS["classic"], at=JOINED)
    with translation.override(None):
        yield


def connected(scheme: str, secret: str, code: str = "shop") -> InboundHook:
    return inbound.connect(
        code=code,
        touchpoint=members.touchpoint(channel=Channel.WEB),
        scheme=InboundScheme(scheme),
        secret=secret,
        mapping=shipped.mapping(scheme),
        at=JOINED,
    )


@pytest.fixture
def shopify() -> InboundHook:
    return connected("shopify", SECRET)


@pytest.fixture
def youzan() -> InboundHook:
    return connected("youzan", YOUZAN_SECRET)


def post(hook: InboundHook, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = Client().post(
        f"/api/v1/inbound/{hook.code}",
        request["data"],
        content_type=request.get("content_type", "application/json"),
        headers=request["headers"],
    )
    return answer.status_code, answer.json()


def told(hook: InboundHook, topic: str, body: Any, **more: Any) -> dict[str, Any]:
    sign = payloads.shopify if hook.scheme == "shopify" else payloads.youzan
    secret = SECRET if hook.scheme == "shopify" else YOUZAN_SECRET
    status, answer = post(hook, sign(secret, topic, body, **more))
    assert status == 200, answer
    return answer


def shopper(phone: str = "13800138000") -> Member:
    return members.member(("phone", f"+86{phone}", ""), at=JOINED)


def available(member: Member) -> int:
    return PointsAccount.objects.get(member=member).available


def test_a_shopify_order_earns_for_its_member(shopify: InboundHook) -> None:
    member = shopper()
    answer = told(shopify, "orders/create", SHOPIFY_ORDER)
    assert answer["status"] == "done", answer
    order = Order.objects.get()
    assert (order.source, order.order_no) == ("shop", "820982911946154508")
    assert order.placed_at == datetime(2026, 3, 5, 17, tzinfo=UTC)
    lines = {line.sku: (line.kind, line.brand, str(line.amount)) for line in order.lines.all()}
    assert lines == {
        "IPOD2008PINK": ("goods", "Apple", "382.9500"),
        "632910393": ("goods", "", "16.0000"),
        "SHIPPING": ("shipping", "", "10.0000"),
    }
    assert available(member) == 398, "382.95 + 16.00, shipping earns nothing"


def test_a_shopify_order_is_updated_refunded_and_cancelled(shopify: InboundHook) -> None:
    member = shopper()
    told(shopify, "orders/create", SHOPIFY_ORDER)
    told(shopify, "refunds/create", SHOPIFY_REFUND)
    assert available(member) == 207, "398.95 − 191.47"
    again = changed(SHOPIFY_ORDER, updated_at="2026-03-06T10:00:01-05:00")
    again["financial_status"] = "partially_refunded"
    told(shopify, "orders/updated", again)
    assert available(member) == 207, "the refund is of the order, whatever its version"
    over = changed(again, updated_at="2026-03-07T10:00:00-05:00", financial_status="refunded")
    over["cancelled_at"] = "2026-03-07T10:00:00-05:00"
    told(shopify, "orders/cancelled", over)
    assert available(member) == 0
    assert Order.objects.get().status == "cancelled"


def test_shopify_messages_out_of_order_come_to_the_same(shopify: InboundHook) -> None:
    member = shopper()
    later = changed(SHOPIFY_ORDER, updated_at="2026-03-06T10:00:01-05:00")
    later["line_items"] = later["line_items"][:1]
    assert told(shopify, "refunds/create", SHOPIFY_REFUND)["status"] == "done"
    told(shopify, "orders/updated", later)
    told(shopify, "orders/create", SHOPIFY_ORDER)
    assert available(member) == 191, "382.95 − 191.47"


def test_a_refund_without_lines_is_of_its_amount(shopify: InboundHook) -> None:
    member = shopper()
    told(shopify, "orders/create", SHOPIFY_ORDER)
    told(shopify, "refunds/create", changed(SHOPIFY_REFUND, refund_line_items=[]))
    assert Refund.objects.get().amount is not None
    assert 200 < available(member) < 398


def test_who_is_not_known_yet_is_waited_for(shopify: InboundHook) -> None:
    answer = told(shopify, "orders/create", SHOPIFY_ORDER)
    assert answer["facts"] == [{"status": 202, "code": None}]
    assert ReceivedFact.objects.get().state == "awaiting_member"


@pytest.mark.parametrize(
    ("customer", "kind"),
    [
        ({"id": 7, "email": "a@example.com", "phone": None}, "email"),
        ({"id": 7, "email": None, "phone": ""}, "external"),
    ],
)
def test_the_best_identifier_names_the_shopper(
    shopify: InboundHook, customer: dict[str, Any], kind: str
) -> None:
    told(shopify, "orders/create", changed(SHOPIFY_ORDER, customer=customer))
    assert ReceivedFact.objects.get().awaits_kind == kind


def test_what_is_not_paid_is_of_no_interest(shopify: InboundHook) -> None:
    pending = changed(SHOPIFY_ORDER, financial_status="pending")
    answer = told(shopify, "orders/create", pending)
    assert (answer["status"], answer["reason"]) == ("ignored", "not_of_interest")
    assert told(shopify, "products/update", {"id": 1})["reason"] == "topic_unknown"
    assert not ReceivedFact.objects.exists()


def test_the_same_message_is_done_once(shopify: InboundHook) -> None:
    shopper()
    request = payloads.shopify(SECRET, "orders/create", SHOPIFY_ORDER)
    first, second = post(shopify, request), post(shopify, request)
    assert second == (200, {**first[1], "replayed": True})
    assert Entry.objects.count() == 1
    assert InboundDelivery.objects.count() == 1


def test_the_same_id_for_another_message_is_refused(shopify: InboundHook) -> None:
    request = payloads.shopify(SECRET, "orders/create", SHOPIFY_ORDER)
    post(shopify, request)
    other = payloads.shopify(SECRET, "orders/create", changed(SHOPIFY_ORDER, currency="EUR"))
    same = {"X-Shopify-Webhook-Id": request["headers"]["X-Shopify-Webhook-Id"]}
    other["headers"] |= same
    status, answer = post(shopify, other)
    assert (status, answer["code"]) == (409, "inbound_differs")


@pytest.mark.parametrize("fault", ["secret", "body", "missing", "empty"])
def test_what_is_not_signed_is_refused(shopify: InboundHook, fault: str) -> None:
    secret = "x" * 30 if fault == "secret" else SECRET
    request = payloads.shopify(secret, "orders/create", SHOPIFY_ORDER)
    if fault == "body":
        request["data"] = request["data"].replace(b"199.00", b"999.00")
    elif fault == "missing":
        del request["headers"]["X-Shopify-Hmac-Sha256"]
    elif fault == "empty":
        request["headers"]["X-Shopify-Hmac-Sha256"] = ""
    status, answer = post(shopify, request)
    assert (status, answer["code"]) == (401, "signature_invalid")
    assert not InboundDelivery.objects.exists()


def test_bad_requests_have_their_codes(shopify: InboundHook) -> None:
    def code_of(**changes: Any) -> tuple[int, str]:
        request = payloads.shopify(SECRET, "orders/create", SHOPIFY_ORDER)
        status, answer = post(shopify, {**request, **changes})
        return status, answer["code"]

    nameless = payloads.shopify(SECRET, "orders/create", SHOPIFY_ORDER, **{"X-Shopify-Topic": ""})
    assert post(shopify, nameless)[1]["code"] == "inbound_envelope_invalid"
    assert code_of(content_type="text/plain") == (415, "unsupported_media_type")
    assert code_of(data=b" " * (1 << 20) + b"  ") == (413, "body_too_large")
    raw = b'{"id": NaN}'
    signed = payloads.shopify(SECRET, "orders/create", {})["headers"]
    assert post(shopify, {"data": raw, "headers": signed})[0] == 401
    InboundHook.objects.update(is_active=False)
    assert code_of() == (404, "inbound_unknown")


def test_what_cannot_be_read_is_parked_sealed_and_replayed(shopify: InboundHook) -> None:
    member = shopper()
    strange = changed(SHOPIFY_ORDER, created_at="yesterday")
    answer = told(shopify, "orders/create", strange)
    assert (answer["status"], answer["reason"]) == ("parked", "inbound_unmappable")
    parked = InboundDelivery.objects.get()
    assert parked.body is not None
    assert b"13800138000" not in bytes(parked.body)
    case = Case.objects.get(code="inbound_unmappable")
    assert case.details["at"] == "orders/create.placed_at"
    assert "13800138000" not in json.dumps(case.details)

    mapping = shipped.mapping("shopify")
    mapping["topics"]["orders/create"]["fields"]["placed_at"] = {
        "const": "2026-03-05T17:00:00+00:00"
    }
    InboundHook.objects.update(mapping=mapping)
    done = inbound.replay(delivery_id=parked.pk, at=clock.now(), read=parsing.batch_fact)
    assert (done.state, done.body) == ("done", None)
    assert available(member) == 398
    case.refresh_from_db()
    assert case.state == "closed"
    with pytest.raises(inbound.NotParkedError):
        inbound.replay(delivery_id=parked.pk, at=clock.now(), read=parsing.batch_fact)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"currency": "EUR"}, "currency_not_accepted"),
        ({"created_at": "2099-01-01T00:00:00Z"}, "placed_in_future"),
        ({"currency": "yuan"}, "request_invalid"),
        ({"line_items": [{"id": 1, "price": "x", "quantity": 1}]}, "inbound_unmappable"),
    ],
)
def test_what_intake_refuses_is_parked_too(
    shopify: InboundHook, change: dict[str, Any], reason: str
) -> None:
    shopper()
    answer = told(shopify, "orders/create", changed(SHOPIFY_ORDER, **change))
    assert (answer["status"], answer["reason"]) == ("parked", reason)
    assert Case.objects.get().code == "inbound_unmappable"


def test_bodies_are_forgotten_in_time(shopify: InboundHook) -> None:
    told(shopify, "orders/create", changed(SHOPIFY_ORDER, created_at="yesterday"))
    soon = clock.now() + timedelta(days=1)
    assert inbound.forget_bodies(before=soon - timedelta(days=2), limit=9) == 0
    assert inbound.forget_bodies(before=soon, limit=9) == 1
    assert InboundDelivery.objects.get().body is None


@pytest.mark.parametrize("is_in_body", [False, True])
def test_a_youzan_trade_earns_is_refunded_and_closed(youzan: InboundHook, is_in_body: bool) -> None:
    member = shopper("13800138001")
    answer = told(youzan, "trade_TradePaid", YOUZAN_PAID, is_in_body=is_in_body)
    assert (answer["code"], answer["msg"], answer["status"]) == (0, "success", "done"), answer
    order = Order.objects.get()
    assert order.placed_at == datetime(2026, 3, 5, 4, tzinfo=UTC), "programme time"
    assert {line.sku for line in order.lines.all()} == {"TEA-250", "CUP"}
    assert available(member) == 290
    tid = YOUZAN_PAID["full_order_info"]["order_info"]["tid"]
    refund = {
        "tid": tid, "refund_id": "202603061200000001", "refunded_fee": "90.00",
        "update_time": "2026-03-06 12:00:00",
    }  # fmt: skip
    told(youzan, "trade_refund_RefundSuccess", refund, is_in_body=is_in_body)
    assert available(member) == 200
    unpaid = {"tid": "E2", "close_type": 1, "update_time": "2026-03-06 12:00:00"}
    assert told(youzan, "trade_TradeClose", unpaid)["status"] == "ignored"
    close = {"tid": tid, "close_type": 2, "update_time": "2026-03-07 12:00:00"}
    told(youzan, "trade_TradeClose", close, is_in_body=is_in_body)
    assert available(member) == 0


@pytest.mark.parametrize("is_in_body", [False, True])
def test_a_forged_youzan_message_is_refused(youzan: InboundHook, is_in_body: bool) -> None:
    wrong = "0123456789abcdef:" + "t" * 32
    request = payloads.youzan(wrong, "trade_TradePaid", YOUZAN_PAID, is_in_body=is_in_body)
    assert post(youzan, request)[1]["code"] == "signature_invalid"


def standard_request(secret: str, body: Any, at: datetime, message_id: str) -> dict[str, Any]:
    raw = json.dumps(body)
    return {
        "data": raw.encode(),
        "headers": {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Signer(secret).sign(message_id, at, raw),
        },
    }


def test_anybody_may_send_facts_as_standard_webhooks() -> None:
    secret = standard.new_secret()
    hook = connected("standard", secret)
    member = shopper()
    fact = {
        "order_no": "1", "status": "paid", "placed_at": "2026-03-05T12:00:00+08:00",
        "currency": "CNY", "identifier": {"kind": "phone", "value": "13800138000"},
        "lines": [{"line_no": 1, "sku": "A", "quantity": 1, "amount": "30.00"}],
    }  # fmt: skip
    body, now = {"type": "order", "data": fact}, datetime.now(UTC)
    status, answer = post(hook, standard_request(secret, body, now, "msg_1"))
    assert (status, answer["status"]) == (200, "done"), answer
    assert available(member) == 30
    for at in (now - timedelta(minutes=6), now + timedelta(minutes=6)):
        status, answer = post(hook, standard_request(secret, body, at, "msg_2"))
        assert (status, answer["code"]) == (401, "signature_invalid")


def test_the_command_connects_a_shop() -> None:
    out = io.StringIO()
    call_command("inbound", "myshop", "--touchpoint", "web", "--scheme", "shopify", stdout=out)
    path, secret = (line.partition(": ")[2] for line in out.getvalue().splitlines())
    assert path == "/api/v1/inbound/myshop"
    hook = InboundHook.objects.get(code="myshop")
    assert inbound.secret_of(hook) == secret
    status, _answer = post(hook, payloads.shopify(secret, "orders/create", SHOPIFY_ORDER))
    assert status == 200
    with pytest.raises(CommandError, match="client id"):
        call_command("inbound", "yz", "--touchpoint", "web", "--scheme", "youzan")


def test_the_console_shows_and_replays(client: Client, shopify: InboundHook) -> None:
    member = shopper()
    told(shopify, "orders/create", changed(SHOPIFY_ORDER, updated_at="?"))
    parked = InboundDelivery.objects.get()
    client.force_login(console.staff())
    page = client.get(reverse("admin:rewards_inboundhook_change", args=[shopify.pk]))
    assert page.status_code == 200
    assert "/api/v1/inbound/shop" in page.text
    broken = {"touchpoint": shopify.touchpoint_id, "mapping": '{"topics": {}}', "is_active": "on"}
    address = reverse("admin:rewards_inboundhook_change", args=[shopify.pk])
    assert client.post(address, broken).status_code == 200, "refused, shown again"
    mapping = shipped.mapping("shopify")
    del mapping["topics"]["orders/create"]["fields"]["changed_at"]
    client.post(address, {**broken, "mapping": json.dumps(mapping)})
    shopify.refresh_from_db()
    assert shopify.mapping == mapping
    replay = reverse("admin:rewards_inbounddelivery_replay", args=[parked.pk])
    assert client.get(replay).status_code == 200
    client.post(replay)
    assert available(member) == 398
    assert member.status == MemberStatus.ACTIVE
