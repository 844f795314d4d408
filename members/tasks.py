"""Background work about members."""

import time
from datetime import UTC, datetime
from typing import Final

from celery import shared_task

from config.base import clock, jobs
from members.services import delivery, webhook_sender, webhooks
from members.services.events import Delivery

# Shorter than the sweep's interval, so that sweeps of a backlog follow each other.
DRAIN_SECONDS: Final = 8.0


@shared_task(name="members.deliver_events", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def deliver_events(follower: str) -> None:
    """Hand a follower what is due, for a while; the next sweep goes on."""
    until = time.monotonic() + DRAIN_SECONDS
    while delivery.deliver(follower=follower, at=_now()) == delivery.BATCH:
        if time.monotonic() > until:
            return


@shared_task(name="members.send_webhooks", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def send_webhooks() -> None:
    """Send what is owed to webhooks, for a while; the next sweep goes on."""
    until = time.monotonic() + DRAIN_SECONDS
    while webhook_sender.send_due(at=datetime.now(UTC)):
        if time.monotonic() > until:
            return


def owe_to_webhooks(delivery: Delivery) -> None:
    """Owe an event to the webhooks that want it, and have it sent soon."""
    if webhooks.fan_out(event_id=delivery.event_id, at=datetime.now(UTC)):
        jobs.hint(send_webhooks)


def _now() -> datetime:
    # A programme under the `due` clock stands still, its retries must not.
    return max(clock.now(), datetime.now(UTC))
