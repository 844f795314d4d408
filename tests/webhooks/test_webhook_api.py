"""Subscriptions over the API: one's own only, secrets shown once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.utils import translation

from members.domain import webhooks as standard
from members.models import Webhook, WebhookDelivery
from members.services import webhooks
from tests.api.conftest import Caller, caller, programme, till

__all__ = ["caller", "programme", "till"]

pytestmark = [pytest.mark.django_db, pytest.mark.req("INT-02")]

BODY = {"url": "https://shop.example/loyalty", "kinds": ["tier.changed", "points.*"]}


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    with translation.override(None):
        yield


def made(till: Caller) -> dict[str, str]:
    answer = till.post("/webhooks", BODY, Idempotency_Key=standard.new_secret())
    assert answer.status == 201, answer.body
    body: dict[str, str] = answer.body
    return body


def test_a_secret_is_shown_once_and_stored_sealed(till: Caller) -> None:
    webhook = made(till)
    assert webhook["secret"].startswith("whsec_")
    for path in ("/webhooks", f"/webhooks/{webhook['id']}"):
        assert b"whsec_" not in till.get(path).raw
    stored = bytes(Webhook.objects.get().secret)
    assert webhook["secret"].encode() not in stored
    assert standard.secret_key(webhook["secret"]) not in stored
    row = Webhook.objects.get()
    assert webhooks.secrets_in_force(row, at=datetime.now(UTC)) == [webhook["secret"]]


def test_the_same_call_makes_one_webhook(till: Caller) -> None:
    first = till.post("/webhooks", BODY, Idempotency_Key="k")
    again = till.post("/webhooks", BODY, Idempotency_Key="k")
    assert first.body == again.body
    assert Webhook.objects.count() == 1


def test_another_touchpoint_s_webhook_is_not_there(caller: Callable[..., Caller]) -> None:
    webhook = made(caller())
    other = caller("webhooks:write")
    path = f"/webhooks/{webhook['id']}"
    assert other.get("/webhooks").body == {"items": []}
    for method in ("GET", "PATCH", "DELETE"):
        body = {"state": "disabled"} if method == "PATCH" else None
        answer = other.call(method, path, body)
        assert (answer.status, answer.code) == (404, "webhook_not_found")
    assert Webhook.objects.filter(state="active").count() == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"url": "http://shop.example/"}, 400, "webhook_url_invalid"),
        ({"url": "https://10.0.0.1/"}, 400, "webhook_url_invalid"),
        ({"kinds": ["order.lost"]}, 400, "webhook_kind_unknown"),
        ({"kinds": []}, 400, "request_invalid"),
        ({"more": 1}, 400, "request_invalid"),
    ],
)
def test_what_cannot_be_subscribed_is_refused(
    till: Caller, change: dict[str, object], status: int, code: str
) -> None:
    answer = till.post("/webhooks", {**BODY, **change}, Idempotency_Key="k")
    assert (answer.status, answer.code) == (status, code)
    if code == "webhook_kind_unknown":
        assert "order.recorded" in answer.body["known"]
    assert not Webhook.objects.exists()


def test_a_touchpoint_has_so_many_webhooks_at_most(
    till: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MOST_PER_TOUCHPOINT", 1)
    made(till)
    answer = till.post("/webhooks", BODY, Idempotency_Key="k")
    assert (answer.status, answer.code) == (409, "webhook_limit")


def test_a_webhook_is_changed_tested_rotated_replayed_and_deleted(till: Caller) -> None:
    webhook = made(till)
    path = f"/webhooks/{webhook['id']}"
    changed = till.patch(path, {"kinds": ["order.*"], "url": "https://shop.example/2"})
    assert changed.body["kinds"] == ["order.*"]
    rotated = till.post(f"{path}/rotate", {}, Idempotency_Key="r")
    assert rotated.body["secret"] != webhook["secret"]
    assert rotated.body["old_secret_until"] is not None
    test = till.post(f"{path}/test", {}, Idempotency_Key="t")
    assert (test.status, test.body["kind"], test.body["state"]) == (202, "webhook.test", "pending")
    (logged,) = till.get(f"{path}/deliveries").body["items"]
    assert logged["id"] == test.body["id"]
    WebhookDelivery.objects.update(state="failed", attempts=10, error="http_500", status=500)
    replay = f"{path}/deliveries/{logged['id']}/replay"
    replayed = till.post(replay, {}, Idempotency_Key="p")
    assert (replayed.status, replayed.body["state"], replayed.body["attempts"]) == (
        202, "pending", 0,
    )  # fmt: skip
    assert till.patch(path, {"state": "disabled"}).body["reason"] == "requested"
    assert till.post(replay, {}, Idempotency_Key="q").code == "webhook_disabled"
    assert till.post(f"{path}/test", {}, Idempotency_Key="u").code == "webhook_disabled"
    assert till.call("DELETE", path).body == {"id": webhook["id"], "deleted": True}
    assert not WebhookDelivery.objects.exists()
