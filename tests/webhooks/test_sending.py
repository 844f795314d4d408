"""Every message arrives, signed, at least once and under one id, whatever the receiver does."""

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from pytest_django import Settings

from config.base import jobs
from config.wiring import monitors
from members import words
from members.domain import webhooks as standard
from members.models import (
    Case,
    Channel,
    DisabledReason,
    EventDelivery,
    Member,
    SendState,
    Subscription,
    Webhook,
    WebhookDelivery,
    WebhookState,
)
from members.services import delivery, events, sending, webhook_sender, webhooks
from members.services.events import NewEvent
from members.tasks import owe_to_webhooks
from tests import databases
from tests.factories import members as make
from tests.webhooks.receiver import Receiver, parsed

pytestmark = pytest.mark.req("INT-02")

ROOT = Path(__file__).resolve().parents[2]
KIND = "order.recorded"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def member(own_database: str, no_followers: None, monkeypatch: pytest.MonkeyPatch) -> Member:
    # Nobody is told that there is something to send: the sweep finds it.
    monkeypatch.setattr(jobs, "hint", lambda task, *arguments: None)
    with transaction.atomic():
        found = make.member()
    delivery.register(
        delivery.Follower(webhooks.FOLLOWER, frozenset(), owe_to_webhooks, chooses=True)
    )
    return found


@pytest.fixture
def no_followers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_followers", {})


def subscribe(receiver: Receiver, *kinds: str, path: str = "") -> tuple[Webhook, str]:
    touchpoint = make.touchpoint(channel=Channel.WEB)
    return webhooks.create(
        touchpoint=touchpoint, url=receiver.url + path, kinds=kinds or (KIND,), at=now()
    )


def happen(member: Member, count: int = 1, kind: str = KIND) -> None:
    """Let events happen and be handed to the webhooks that want them."""
    at = now()
    events.append([NewEvent(member.pk, kind, at, at, {"n": n}) for n in range(count)])
    while delivery.deliver(follower=webhooks.FOLLOWER, at=now()):
        pass


def send(after: timedelta = timedelta()) -> int:
    return webhook_sender.send_due(at=now() + after)


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("id").values_list("state", flat=True))


def test_events_of_the_kinds_arrive_signed(member: Member, receiver: Receiver) -> None:
    _webhook, secret = subscribe(receiver, "order.*", "tier.changed")
    happen(member, 2)
    happen(member, 1, "tier.changed")
    happen(member, 1, "coupon.issued")
    assert send() == 3
    told = receiver.verified(secret)
    assert [each["type"] for each in told] == [KIND, KIND, "tier.changed"]
    assert [each["data"]["n"] for each in told] == [0, 1, 0]
    assert {each["data"]["member"] for each in told} == {str(member.public_id)}
    assert states() == ["delivered"] * 3
    assert send() == 0


def test_the_library_refuses_what_was_signed_under_another_secret(
    member: Member, receiver: Receiver
) -> None:
    subscribe(receiver)
    happen(member)
    send()
    with pytest.raises(Exception, match="No matching signature"):
        receiver.verified(standard.new_secret())


def test_what_failed_is_tried_again_under_the_same_id(member: Member, receiver: Receiver) -> None:
    _webhook, secret = subscribe(receiver)
    receiver.answers = [500, 503]
    happen(member)
    send()
    (row,) = WebhookDelivery.objects.all()
    assert (row.state, row.attempts, row.status, row.error) == ("pending", 1, 500, "http_500")
    assert timedelta(seconds=4) < row.due_at - now() < timedelta(seconds=7)
    assert send() == 0, "not before its time"
    assert Webhook.objects.get().failing_since is not None
    send(timedelta(minutes=1))
    send(timedelta(minutes=10))
    assert states() == ["delivered"]
    assert len(set(receiver.ids())) == 1
    assert len(receiver.verified(secret)) == 3
    bodies = {body for _headers, body in receiver.requests}
    assert len(bodies) == 1, "a repetition says the same"
    assert Webhook.objects.get().failing_since is None


def test_it_is_given_up_after_the_last_attempt(member: Member, receiver: Receiver) -> None:
    subscribe(receiver)
    receiver.answers = [500] * 20
    happen(member)
    for _attempt in range(len(standard.WAITS) + 1):
        assert states() == ["pending"]
        send(timedelta(days=2))
    assert states() == ["failed"]
    assert len(receiver.requests) == 10


def test_410_switches_the_webhook_off(member: Member, receiver: Receiver) -> None:
    webhook, _secret = subscribe(receiver)
    receiver.answers = [410]
    happen(member, 2)
    send()
    webhook.refresh_from_db()
    assert (webhook.state, webhook.reason) == (WebhookState.DISABLED, DisabledReason.GONE)
    assert set(states()) == {"skipped"}
    assert Case.objects.get(code="webhook_disabled").details["webhook"] == str(webhook.public_id)
    happen(member)
    assert send(timedelta(days=1)) == 0
    assert len(receiver.requests) == 1
    assert states() == ["skipped"] * 3, "what came after is kept to be replayed"


def test_a_receiver_that_fails_for_days_is_switched_off(member: Member, receiver: Receiver) -> None:
    webhook, _secret = subscribe(receiver)
    receiver.answers = [500, 500]
    happen(member)
    send()
    Webhook.objects.update(failing_since=now() - webhook_sender.FAILING_FOR)
    send(timedelta(minutes=1))
    webhook.refresh_from_db()
    assert (webhook.state, webhook.reason) == (WebhookState.DISABLED, DisabledReason.FAILING)
    assert Case.objects.filter(code="webhook_disabled").count() == 1


def test_redirects_are_not_followed(member: Member, receiver: Receiver) -> None:
    subscribe(receiver)
    receiver.answers = [302]
    happen(member)
    send()
    assert len(receiver.requests) == 1
    assert WebhookDelivery.objects.get().error == "http_302"


@pytest.mark.parametrize("fault", ["delay", "dribble"])
def test_a_slow_receiver_times_out(
    member: Member, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def hasty(*arguments: Any, **_named: Any) -> Any:
        return post(*arguments, seconds=0.5)

    post = sending.post
    monkeypatch.setattr(sending, "post", hasty)
    receiver.delay_seconds = 3.0 if fault == "delay" else 0.0
    receiver.dribbles = fault == "dribble"
    subscribe(receiver)
    happen(member)
    begun = now()
    send()
    assert now() - begun < timedelta(seconds=2)
    assert WebhookDelivery.objects.get().error == "timeout"


def test_a_failing_receiver_does_not_keep_others_waiting(
    member: Member, receiver: Receiver
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/"
    subscribe(receiver)
    webhooks.create(touchpoint=make.touchpoint(), url=closed, kinds=[KIND], at=now())
    happen(member, 3)
    send()
    assert [state for state in states() if state == "delivered"] == ["delivered"] * 3
    lost = WebhookDelivery.objects.filter(state=SendState.PENDING).order_by("id")
    assert [(row.attempts, row.error) for row in lost] == [
        (1, "connection_failed"), (0, ""), (0, ""),
    ]  # fmt: skip


def test_both_secrets_sign_until_the_old_one_ends(member: Member, receiver: Receiver) -> None:
    webhook, old = subscribe(receiver)
    _webhook, new = webhooks.rotate(webhook_id=webhook.pk, at=now())
    happen(member)
    send()
    assert len(receiver.verified(old, new)) == 2
    receiver.requests.clear()
    Webhook.objects.update(old_secret_until=now())
    happen(member)
    send()
    assert receiver.verified(new)
    with pytest.raises(Exception, match="No matching signature"):
        receiver.verified(old)


def test_messages_are_replayed_under_their_ids(member: Member, receiver: Receiver) -> None:
    webhook, _secret = subscribe(receiver)
    receiver.answers = [200, 410]
    happen(member, 3)
    send()
    webhooks.change(webhook_id=webhook.pk, changes=webhooks.Changes(is_active=True))
    since = now() - timedelta(hours=1)
    assert webhooks.replay_missed(webhook_id=webhook.pk, since=since, at=now()) == 2
    send()
    assert states() == ["delivered"] * 3
    one = WebhookDelivery.objects.filter(pk=WebhookDelivery.objects.earliest("id").pk)
    assert webhooks.replay(deliveries=one, at=now()) == 1
    send()
    assert len(receiver.ids()) == 5
    assert len(set(receiver.ids())) == 3


def test_an_event_is_owed_once_however_often_it_is_handed_over(
    member: Member, receiver: Receiver
) -> None:
    subscribe(receiver)
    happen(member)
    event = WebhookDelivery.objects.get().event_id
    assert event is not None
    assert webhooks.fan_out(event_id=event, at=now()) == 0
    assert WebhookDelivery.objects.count() == 1


PROGRAM = """
import django
django.setup()
from datetime import UTC, datetime, timedelta
from members.services import webhook_sender
webhook_sender.send_due(at=datetime.now(UTC) + timedelta(minutes={minutes}))
"""


def sender(minutes: int = 0) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(minutes=minutes)],
        cwd=ROOT,
        env=databases.environment(databases.current())
        | {
            "DJANGO_SETTINGS_MODULE": "config.base.settings",
            "LOYALTY_WEBHOOK_ALLOW_PRIVATE": "true",
        },
        stderr=subprocess.PIPE,
    )


def test_a_sender_that_is_killed_while_sending_loses_nothing(
    member: Member, receiver: Receiver
) -> None:
    _webhook, secret = subscribe(receiver)
    happen(member, 3)
    receiver.delay_seconds = 1.0
    child = sender()
    receiver.wait_for(2)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    receiver.delay_seconds = 0.0
    assert send() == 0, "claimed until the lease ends"
    send(webhook_sender.LEASE + timedelta(seconds=1))
    assert states() == ["delivered"] * 3
    told = [parsed(body)["data"]["n"] for _headers, body in receiver.requests]
    assert set(told) == {0, 1, 2}
    assert len(set(receiver.ids())) == 3, "a repetition carries the id of the first attempt"
    assert len(receiver.verified(secret)) == len(told)


def _claimed_by_two() -> tuple[set[int], set[int]]:
    """Claim in two transactions at once; the second begins before the first has committed."""
    second: set[int] = set()

    def other() -> None:
        try:
            second.update(message.id for message in webhook_sender.claim(at=at))
        finally:
            connections.close_all()

    at = now()
    thread = threading.Thread(target=other)
    with transaction.atomic():
        first = {message.id for message in webhook_sender.claim(at=at)}
        thread.start()
        thread.join(timeout=1.0)
    thread.join()
    return first, second


def test_two_senders_never_claim_one_message(member: Member, receiver: Receiver) -> None:
    subscribe(receiver)
    happen(member, 5)
    first, second = _claimed_by_two()
    assert len(first) == 5
    assert not second


@pytest.mark.chance
def test_without_the_lock_two_senders_claim_the_same(
    member: Member, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_sender, "_LOCK", "")
    subscribe(receiver)
    happen(member, 5)
    first, second = _claimed_by_two()
    assert first == second


def test_senders_side_by_side_send_each_message_once(member: Member, receiver: Receiver) -> None:
    for _number in range(4):
        subscribe(receiver)
    happen(member, 10)
    receiver.delay_seconds = 0.02
    children = [sender() for _number in range(3)]
    for child in children:
        _out, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors.decode()
    assert len(receiver.ids()) == len(set(receiver.ids())) == 40
    assert receiver.most_running > 1, "they did work side by side"
    assert set(states()) == {"delivered"}


def test_kinds_that_nobody_wants_cost_nothing(member: Member, receiver: Receiver) -> None:
    subscribe(receiver, "tier.changed")
    happen(member)
    owed = EventDelivery.objects.filter(follower=webhooks.FOLLOWER)
    assert not owed.exists()
    happen(member, 1, "tier.changed")
    assert owed.count() == 1


def test_following_survives_the_wiring_s_own_subscriptions(
    member: Member, receiver: Receiver
) -> None:
    subscribe(receiver, "points.*")
    delivery.sync_subscriptions()
    followed = set(Subscription.objects.values_list("follower", "kind"))
    assert followed == {
        (webhooks.FOLLOWER, kind) for kind in words.EVENTS if kind.startswith("points.")
    }
    Subscription.objects.all().delete()
    webhooks.follow_wanted()
    assert Subscription.objects.count() == len(followed)


def test_old_messages_are_forgotten_and_owed_ones_are_not(
    member: Member, receiver: Receiver
) -> None:
    subscribe(receiver)
    happen(member, 2)
    WebhookDelivery.objects.filter(pk=WebhookDelivery.objects.earliest("pk").pk).update(
        state=SendState.FAILED
    )
    WebhookDelivery.objects.update(created_at=now() - webhooks.KEPT_FOR - timedelta(days=1))
    assert webhooks.forget_old(before=now() - webhooks.KEPT_FOR, limit=9) == 1
    assert states() == ["pending"]


def test_secrets_survive_a_rotation_of_the_installation_s_keys(
    member: Member, receiver: Receiver, settings: Settings
) -> None:
    webhook, secret = subscribe(receiver)
    old = settings.LOYALTY_KEYS
    new = "2:" + base64.b64encode(bytes(range(32))).decode()
    settings.LOYALTY_KEYS = f"{old},{new}"
    assert webhooks.reseal() == 1
    assert webhooks.reseal() == 0
    settings.LOYALTY_KEYS = new
    webhook.refresh_from_db()
    assert webhooks.secrets_in_force(webhook, at=now()) == [secret]


def test_overdue_messages_degrade_the_site(member: Member, receiver: Receiver) -> None:
    webhook, _secret = subscribe(receiver)
    happen(member)
    assert monitors.watch_webhooks().is_healthy
    WebhookDelivery.objects.update(due_at=now() - timedelta(minutes=11))
    reading = monitors.watch_webhooks()
    assert not reading.is_healthy
    assert reading.values["oldest_overdue_seconds"] > 600
    webhooks.change(webhook_id=webhook.pk, changes=webhooks.Changes(is_active=False))
    assert monitors.watch_webhooks().is_healthy, "what is switched off is not due"


def test_a_long_backlog_keeps_no_other_webhook_waiting(member: Member, receiver: Receiver) -> None:
    busy, _secret = subscribe(receiver)
    happen(member, 3 * webhook_sender.PER_WEBHOOK)
    late, _secret = subscribe(receiver, "tier.changed")
    happen(member, 1, "tier.changed")
    claimed = webhook_sender.claim(at=now())
    assert [message.webhook_id for message in claimed].count(late.pk) == 1
    assert [message.webhook_id for message in claimed].count(busy.pk) == webhook_sender.PER_WEBHOOK
