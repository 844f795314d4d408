"""What `/readyz` and `/metrics` say about work that hangs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from campaigns.admin.today import AUDIT_JOB
from config.base import job_runs, jobs
from config.models import Heartbeat, JobRun
from config.wiring import due, health, monitors, schedule
from members.models import EventDelivery
from members.models.event import DeliveryState
from members.services import events
from members.services.events import NewEvent
from tests.engine.shop import Shop
from tests.factories import members as make

pytestmark = [pytest.mark.django_db, pytest.mark.req("ORG-06")]


@pytest.fixture(autouse=True)
def watched(no_monitors: None, no_jobs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch a site whose processes have just been seen, and whose broker answers."""
    monkeypatch.setattr(health, "broker_state", lambda: "ok")
    monitors.install()
    for process in (schedule.SINCE, schedule.SCHEDULER, "worker"):
        job_runs.beat(process)


def now() -> datetime:
    return datetime.now(UTC)


def ran(name: str, *, ago: timedelta, state: str = "finished", error_code: str = "") -> None:
    at = now() - ago
    JobRun.objects.create(
        name=name, period=str(ago), state=state, started_at=at, heartbeat_at=at,
        finished_at=None if state == "running" else at, error_code=error_code,
    )  # fmt: skip


def shown(client: Client) -> dict[str, Any]:
    answer = client.get("/readyz")
    assert answer.status_code == 200, "trouble degrades the site, it does not take it out"
    body: dict[str, Any] = answer.json()
    return body


def test_a_site_on_which_all_is_well(client: Client) -> None:
    due.run_scheduled()
    body = shown(client)
    assert body["status"] == "ok", body
    assert set(body["checks"]) == {
        "database", "broker", "jobs", "deliveries", "holds", "calls", "webhooks", "worker",
        "scheduler",
    }  # fmt: skip


def test_a_job_that_shows_no_sign_of_life_is_stuck(client: Client) -> None:
    ran("settle_due", ago=timedelta(minutes=6), state="running")
    body = shown(client)
    assert body["status"] == "degraded"
    assert body["checks"]["jobs"]["stuck"] == 1
    assert body["checks"]["jobs"]["detail"] == "stuck: settle_due"


def test_a_job_that_works_is_not_stuck(client: Client) -> None:
    ran("settle_due", ago=timedelta(minutes=4), state="running")
    assert shown(client)["checks"]["jobs"]["status"] == "ok"


def test_a_job_that_fails_shows_until_it_succeeds(client: Client) -> None:
    ran("settle_due", ago=timedelta(hours=1), state="failed", error_code="KeyError")
    assert shown(client)["checks"]["jobs"]["detail"] == "failing: settle_due"
    ran("settle_due", ago=timedelta(minutes=1))
    assert shown(client)["status"] == "ok"


@pytest.mark.parametrize(("hours", "status"), [(25, "ok"), (27, "degraded")])
def test_a_day_without_success_is_too_long(client: Client, hours: int, status: str) -> None:
    Heartbeat.objects.filter(name=schedule.SINCE).update(at=now() - timedelta(days=9))
    for name in (*(job.name for job in jobs.registered()), AUDIT_JOB):
        ran(name, ago=timedelta(hours=hours))
    jobs_shown = shown(client)["checks"]["jobs"]
    assert jobs_shown["status"] == status
    assert abs(jobs_shown["settle_due_age_seconds"] - hours * 3600) < 60


def announce(*, ago: timedelta) -> None:
    events.sync_subscriptions({"a": ["x"], "b": ["x"]})
    at = now() - ago
    events.append([NewEvent(make.member().pk, "x", at, at)])


def test_deliveries_that_nobody_takes_show(client: Client) -> None:
    announce(ago=timedelta(seconds=30))
    assert shown(client)["checks"]["deliveries"]["status"] == "ok"
    announce(ago=timedelta(minutes=5))
    deliveries = shown(client)["checks"]["deliveries"]
    assert deliveries["status"] == "degraded"
    assert 300 <= deliveries["oldest_overdue_seconds"] < 360


def test_parked_deliveries_show(client: Client) -> None:
    announce(ago=timedelta(seconds=1))
    EventDelivery.objects.filter(follower="a").update(state=DeliveryState.FAILED)
    deliveries = shown(client)["checks"]["deliveries"]
    assert (deliveries["status"], deliveries["parked"]) == ("degraded", 1)


def test_holds_that_nobody_lets_lapse_show(client: Client) -> None:
    shop = Shop()
    member = shop.join("m")
    shop.buy(member, "A", 500, on=1)
    shop.hold(member, 100, on=2)
    holds = shown(client)["checks"]["holds"]
    assert (holds["status"], holds["past_expiry"]) == ("degraded", 1)
    due.run_scheduled()
    assert shown(client)["checks"]["holds"]["past_expiry"] == 0


@pytest.mark.parametrize("process", ["worker", "scheduler"])
def test_processes_that_are_not_seen_any_more_show(client: Client, process: str) -> None:
    Heartbeat.objects.filter(name=process).update(at=now() - timedelta(minutes=3))
    shown_process = shown(client)["checks"][process]
    assert shown_process["status"] == "degraded"
    assert 180 <= shown_process["age_seconds"] < 240
    Heartbeat.objects.filter(name=process).delete()
    assert shown(client)["checks"][process]["detail"] == "never seen"


def test_metrics_carry_the_numbers_and_no_personal_data(client: Client) -> None:
    make.member(("phone", "13912345678", ""), name="张伟")
    page = client.get("/metrics").content.decode()
    assert 'loyalty_monitor_healthy{monitor="jobs"} 1.0' in page
    assert 'loyalty_monitor_value{monitor="deliveries",name="parked"} 0.0' in page
    assert "13912345678" not in page
    assert "张伟" not in page


def test_a_call_in_progress_is_timed_and_a_job_is_none() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        assert monitors.watch_calls().values == {"longest_seconds": 0.0}
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 1)", [job_runs.LOCK_CLASS])
        assert monitors.watch_calls().values == {"longest_seconds": 0.0}
        cursor.execute("SELECT pg_advisory_xact_lock(77)")
        cursor.execute("SELECT pg_sleep(0.2)")
        assert monitors.watch_calls().values["longest_seconds"] >= 0.2
