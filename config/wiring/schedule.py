"""What the scheduler starts, and how often: one table, kept in the database for the console.

The rows that the table names follow it; whether one is enabled is the operator's to say. Rows of
the operator's own are left alone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from campaigns.kpis.registry import MEASURE_SECONDS
from campaigns.services import triggering
from campaigns.tasks import react, send_messages, send_reports
from config.base import job_runs
from config.base.settings.jobs import PROMPT
from config.wiring import followers
from config.wiring.tasks import WORKER, measure_start_page, prove_invariants, run_due_now
from members.services import delivery, webhooks
from members.tasks import deliver_events, send_webhooks

OURS: Final = "loyalty"
SCHEDULER: Final = "scheduler"
SINCE: Final = "installed"
DUE_SECONDS: Final = 60
DELIVERY_SECONDS: Final = 10
# What campaigns say to an event has to be said at once (CMP-05): by a worker of its own.
PROMPT_SECONDS: Final = 1
# Looked for so often; it runs once a day.
AUDIT_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class Row:
    """One task to start every so many seconds. A message that waited longer is stale."""

    name: str
    task: str
    seconds: int
    arguments: tuple[str, ...] = ()
    queue: str | None = None

    def values(self) -> dict[str, object]:
        """Return what the scheduler's row holds."""
        interval, _created = IntervalSchedule.objects.get_or_create(
            every=self.seconds, period=IntervalSchedule.SECONDS
        )
        return {
            "task": self.task,
            "interval": interval,
            "args": json.dumps(self.arguments),
            "expire_seconds": self.seconds,
            "queue": self.queue,
            "description": OURS,
        }


def rows() -> Iterator[Row]:
    """Return the table."""
    yield Row("run_due", run_due_now.name, DUE_SECONDS)
    yield Row("react", react.name, PROMPT_SECONDS, queue=PROMPT)
    for follower in delivery.registered():
        if follower.name != triggering.FOLLOWER:
            name = f"deliver {follower.name}"
            yield Row(name, deliver_events.name, DELIVERY_SECONDS, (follower.name,))
    yield Row("send webhooks", send_webhooks.name, DELIVERY_SECONDS)
    yield Row("send messages", send_messages.name, DELIVERY_SECONDS)
    yield Row("send reports", send_reports.name, DUE_SECONDS)
    yield Row("start page", measure_start_page.name, MEASURE_SECONDS)
    yield Row("self-audit", prove_invariants.name, AUDIT_SECONDS)


@transaction.atomic
def sync() -> None:
    """Make subscriptions and schedule what the wiring says; a second time changes nothing.

    From now on the scheduler and the worker are expected to be seen.
    """
    followers.install()
    delivery.sync_subscriptions()
    webhooks.follow_wanted()
    triggering.follow_wanted()
    wanted = {row.name: row for row in rows()}
    PeriodicTask.objects.filter(description=OURS).exclude(name__in=wanted).delete()
    for name, row in wanted.items():
        _write(name, row.values())
    for process in (SINCE, SCHEDULER, WORKER):
        job_runs.expect(process)


def _write(name: str, values: dict[str, object]) -> None:
    """Save a row only where it differs: saving makes the scheduler start its intervals anew."""
    stored = PeriodicTask.objects.filter(name=name).first()
    if stored is None:
        PeriodicTask.objects.create(name=name, **values)
        return
    changed = [key for key, value in values.items() if getattr(stored, key) != value]
    if changed:
        for key in changed:
            setattr(stored, key, values[key])
        stored.save()
