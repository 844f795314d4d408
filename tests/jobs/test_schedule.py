"""The schedule in the database follows the table, and leaves the operator's choices alone."""

from datetime import timedelta

import pytest
from celery.schedules import schedule as interval
from django.core.management import call_command
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from config.base import job_runs
from config.models import Heartbeat
from config.wiring import beat, celery, followers, schedule, tasks
from members.models import Subscription
from members.services.delivery import Follower
from members.services.events import Delivery


def ignore(each: Delivery) -> None:
    """Do nothing with it."""


@pytest.fixture
def follower(no_followers: None, monkeypatch: pytest.MonkeyPatch) -> Follower:
    made = Follower("mailer", frozenset({"tier.changed"}), ignore)
    monkeypatch.setattr(followers, "FOLLOWERS", (made,))
    return made


def ours() -> dict[str, PeriodicTask]:
    return {row.name: row for row in PeriodicTask.objects.filter(description=schedule.OURS)}


@pytest.mark.django_db
def test_syncing_writes_the_schedule() -> None:
    schedule.sync()
    assert set(ours()) == {
        "run_due", "react", "deliver prospects", "deliver referrals", "deliver webhooks",
        "send webhooks", "send messages", "send reports", "start page", "self-audit",
    }  # fmt: skip
    row = ours()["run_due"]
    assert (row.task, row.interval.every, row.interval.period) == (
        "config.run_due_now", 60, IntervalSchedule.SECONDS,
    )  # fmt: skip
    assert row.enabled
    processes = set(Heartbeat.objects.values_list("name", flat=True))
    assert processes == {schedule.SINCE, schedule.SCHEDULER, tasks.WORKER}


@pytest.mark.django_db
def test_followers_are_subscribed_and_swept(follower: Follower) -> None:
    schedule.sync()
    assert list(Subscription.objects.values_list("follower", "kind")) == [
        ("mailer", "tier.changed")
    ]
    row = ours()["deliver mailer"]
    assert (row.task, row.args, row.interval.every) == ("members.deliver_events", '["mailer"]', 10)


@pytest.mark.django_db
def test_a_second_sync_changes_nothing(follower: Follower) -> None:
    schedule.sync()
    changed = PeriodicTasks.last_change()
    dates = {name: row.date_changed for name, row in ours().items()}
    schedule.sync()
    assert PeriodicTasks.last_change() == changed, "the scheduler need not read it again"
    assert {name: row.date_changed for name, row in ours().items()} == dates


@pytest.mark.django_db
def test_what_left_the_table_leaves_the_schedule(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule.sync()
    own = IntervalSchedule.objects.get(every=60)
    PeriodicTask.objects.create(name="operator's own", task="x", interval=own)
    monkeypatch.setattr(followers, "FOLLOWERS", ())
    monkeypatch.setattr("members.services.delivery._followers", {})
    schedule.sync()
    assert set(ours()) == {
        "run_due",
        "react",
        "send webhooks",
        "send messages",
        "send reports",
        "start page",
        "self-audit",
    }
    assert PeriodicTask.objects.filter(name="operator's own").exists()
    assert not Subscription.objects.exists()


@pytest.mark.django_db
def test_a_task_that_the_operator_stopped_stays_stopped() -> None:
    schedule.sync()
    PeriodicTask.objects.filter(name="run_due").update(enabled=False, task="old.name")
    schedule.sync()
    row = ours()["run_due"]
    assert (row.enabled, row.task) == (False, "config.run_due_now")


@pytest.mark.django_db
def test_the_scheduler_knows_every_task_of_the_table(follower: Follower) -> None:
    celery.app.loader.import_default_modules()
    assert {row.task for row in schedule.rows()} <= set(celery.app.tasks)


def test_the_scheduler_reads_the_table_and_leaves_a_heartbeat(own_database: str) -> None:
    schedule.sync()
    Heartbeat.objects.all().delete()
    scheduler = beat.WatchedScheduler(app=celery.app, lazy=True)
    scheduler.schedule_changed()
    assert scheduler.schedule["run_due"].schedule == interval(timedelta(seconds=60))
    scheduler._beat()
    first = Heartbeat.objects.get(name=schedule.SCHEDULER).at
    job_runs.expect(schedule.SCHEDULER)
    assert Heartbeat.objects.get(name=schedule.SCHEDULER).at == first


def test_migrating_all_writes_the_schedule_and_one_app_does_not(own_database: str) -> None:
    PeriodicTask.objects.filter(description=schedule.OURS).delete()
    call_command("migrate", "config", verbosity=0)
    assert ours() == {}
    call_command("migrate", verbosity=0)
    assert set(ours()) == {
        "run_due", "react", "deliver prospects", "deliver referrals", "deliver webhooks",
        "send webhooks", "send messages", "send reports", "start page", "self-audit",
    }  # fmt: skip
