"""The console's pages of webhooks: what was sent, and how to send it again."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from members.models import Webhook, WebhookDelivery
from members.services import webhooks
from tests.factories import console, members

pytestmark = [pytest.mark.django_db, pytest.mark.req("INT-02")]


@pytest.fixture
def webhook() -> Webhook:
    made, _secret = webhooks.create(
        touchpoint=members.touchpoint(), url="https://shop.example/<b>", kinds=["tier.*"],
        at=datetime.now(UTC),
    )  # fmt: skip
    return made


def page(name: str, webhook: Webhook) -> str:
    return reverse(f"admin:members_webhook_{name}", args=[webhook.pk])


def test_the_page_shows_no_secret_and_escapes(client: Client, webhook: Webhook) -> None:
    client.force_login(console.staff())
    shown = client.get(page("change", webhook)).text
    assert "whsec_" not in shown
    assert "https://shop.example/<b>" not in shown


def test_a_test_message_is_owed_after_the_question(client: Client, webhook: Webhook) -> None:
    client.force_login(console.staff())
    assert client.get(page("send_test", webhook)).status_code == 200
    assert not WebhookDelivery.objects.exists()
    client.post(page("send_test", webhook))
    assert WebhookDelivery.objects.get().kind == "webhook.test"


def test_failed_messages_are_replayed_one_by_one_and_together(
    client: Client, webhook: Webhook
) -> None:
    client.force_login(console.staff())
    webhooks.send_test(webhook_id=webhook.pk, at=datetime.now(UTC))
    row = WebhookDelivery.objects.get()
    address = reverse("admin:members_webhookdelivery_changelist")
    for replay in (
        lambda: client.post(address, {"action": "replay", "_selected_action": [row.pk]}),
        lambda: client.post(page("replay_missed", webhook)),
    ):
        WebhookDelivery.objects.update(state="failed", attempts=10)
        replay()
        row.refresh_from_db()
        assert (row.state, row.attempts) == ("pending", 0)


def test_a_webhook_is_switched_off_and_on(client: Client, webhook: Webhook) -> None:
    client.force_login(console.staff())
    for state, reason in (("disabled", "requested"), ("active", "")):
        assert client.get(page("switch", webhook)).status_code == 200
        client.post(page("switch", webhook))
        webhook.refresh_from_db()
        assert (webhook.state, webhook.reason) == (state, reason)


def test_who_may_only_look_sends_nothing(client: Client, webhook: Webhook) -> None:
    client.force_login(User.objects.create_user("looker", is_staff=True))
    assert client.post(page("send_test", webhook)).status_code in {302, 403}
    assert not WebhookDelivery.objects.exists()
