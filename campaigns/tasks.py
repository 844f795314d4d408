"""Background work about reports, messages and campaigns."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from celery import shared_task
from django.conf import settings

from campaigns.services import report_mail, sending, triggering
from config.base import clock
from members.services import delivery
from members.services.events import Delivery

# Short, so that what is new is claimed in batches again.
REACT_SECONDS: Final = 8.0
# Shorter than the sweep's interval, so that sweeps of a backlog follow each other.
SEND_SECONDS: Final = 45.0


@shared_task(name="campaigns.send_reports", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def send_reports() -> None:
    """Mail what is due, for a while; the next sweep goes on."""
    until = time.monotonic() + SEND_SECONDS
    while report_mail.send_due(at=datetime.now(UTC)):
        if time.monotonic() > until:
            return


@shared_task(name="campaigns.send_messages", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def send_messages() -> None:
    """Send what is due, for a while; what is left is claimed by the next run."""
    until = time.monotonic() + SEND_SECONDS
    as_of_due = settings.LOYALTY_CLOCK == "due"
    while sending.send_due(at=clock.now(), as_of_due=as_of_due):
        if time.monotonic() > until:
            return


@shared_task(name="campaigns.react", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def react() -> None:
    """Let campaigns act on what has just happened and send what they say, in turns, for a while.

    Source: CMP-05.
    """
    until = time.monotonic() + REACT_SECONDS
    as_of_due = settings.LOYALTY_CLOCK == "due"
    while time.monotonic() < until:
        # A programme under the `due` clock stands still, its retries must not.
        at = max(clock.now(), datetime.now(UTC))
        followed = delivery.deliver(follower=triggering.FOLLOWER, at=at)
        sent = sending.send_due(at=clock.now(), as_of_due=as_of_due)
        if followed < delivery.BATCH and sent < sending.BATCH:
            return


def follow_triggers(events: Sequence[Delivery]) -> None:
    """Let campaigns act on events that start them; none acts before its event was recorded."""
    now = clock.now()
    ordered = sorted(events, key=lambda event: max(now, event.recorded_at))
    for at, those in groupby(ordered, key=lambda event: max(now, event.recorded_at)):
        triggering.follow(list(those), at=at)


def follow_trigger(event: Delivery) -> None:
    """Let campaigns act on one event."""
    follow_triggers([event])
