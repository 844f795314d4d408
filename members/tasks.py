"""Background work about members."""

import time
from datetime import UTC, datetime
from typing import Final

from celery import shared_task

from config.base import clock
from members.services import delivery

# Shorter than the sweep's interval, so that sweeps of a backlog follow each other.
DRAIN_SECONDS: Final = 8.0


@shared_task(name="members.deliver_events", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def deliver_events(follower: str) -> None:
    """Hand a follower what is due, for a while; the next sweep goes on."""
    until = time.monotonic() + DRAIN_SECONDS
    while delivery.deliver(follower=follower, at=_now()) == delivery.BATCH:
        if time.monotonic() > until:
            return


def _now() -> datetime:
    # A programme under the `due` clock stands still, its retries must not.
    return max(clock.now(), datetime.now(UTC))
