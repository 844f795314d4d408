"""`run_due` and what the scheduler runs in its place."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from config.base import clock, job_runs, jobs
from config.base.jobs import Turn
from config.models import Heartbeat, JobRun
from config.wiring import due, tasks
from members.models import Member
from rewards.models import Entry
from rewards.services.due import settle_members
from tests.engine.shop import Shop, day

ORDER = [
    "settle_due", "warn_of_lapses", "follow_overrides", "sync_benefits", "memberships",
    "calendar_gifts", "waiting_gifts", "look_at_customers", "count_segments", "follow_triggers",
    "waiting_triggers", "calendar_triggers", "watch_multipliers", "keep_campaigns",
    "settle_referrals", "open_cases",
    "escalate_cases", "hand_over_members", "watch_enrolments", "measure_figures", "make_reports",
    "send_messages", "address_prospects", "forget_prospects", "forget_messages", "forget_content",
    "forget_idempotency_keys",
    "forget_deliveries", "forget_webhook_deliveries", "forget_shop_messages", "forget_presence",
    "forget_coupon_misses", "work_on_files", "give_in_bulk", "forget_files", "anchor_staff_acts",
    "forget_job_runs",
]  # fmt: skip
LATER_DAYS, LONG_AGO = 501, -1000
LATER = day(500)


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


@pytest.fixture
def old_shop(db: None) -> Shop:
    """Return a shop whose day is years ago, with a member who bought then."""
    shop = Shop()
    shop.now = day(LONG_AGO)
    shop.buy(shop.join("m", at=LONG_AGO), "A", 2000, on=LONG_AGO)
    return shop


def run_due(at: datetime | str) -> str:
    said = StringIO()
    call_command("run_due", at=at if isinstance(at, str) else at.isoformat(), stdout=said)
    return said.getvalue()


@pytest.mark.req("ORG-06", "PTS-07")
def test_run_due_does_everything_in_order_and_says_what(
    shop: Shop, no_jobs: None, no_monitors: None
) -> None:
    for number in range(3):
        shop.buy(shop.join(f"m{number}"), f"A{number}", 2000, on=1)
    said = run_due(LATER)
    assert [each.name for each in jobs.registered()] == ORDER
    assert Entry.objects.filter(target="expired").count() == 3
    for row in ("settle_due 3", "expired 3", "6,000", "3"):
        assert all(word in said for word in row.split()), said
    runs = JobRun.objects.order_by("id").values_list("name", "state", "error_code")
    assert list(runs) == [(name, "finished", "") for name in ORDER]
    assert clock.programme_time() == LATER


def test_run_due_again_finds_nothing(shop: Shop) -> None:
    member = shop.join("m")
    shop.buy(member, "A", 2000, on=1)
    run_due(LATER)
    before = list(Entry.objects.order_by("id").values_list("id", "hash"))
    for at in (LATER, day(1), LATER):
        run_due(at)
    assert list(Entry.objects.order_by("id").values_list("id", "hash")) == before
    assert clock.programme_time() == LATER, "an earlier instant does not turn time back"


def test_time_in_one_step_and_in_many_come_to_the_same(shop: Shop) -> None:
    one, many = shop.join("one"), shop.join("many")
    for number in range(4):
        for member in (one, many):
            shop.buy(member, f"{member.pk}-{number}", 900, on=60 * number)
    for number in range(200, 900, 25):
        settle_members(members=[many.pk], at=day(number), recorded_at=day(number))
    assert shop.balance(one) != shop.balance(many) == (0, 0, 0, 0)
    run_due(day(900))
    assert shop.balance(one) == shop.balance(many)
    assert shop.standings(one) == shop.standings(many)
    assert shop.tier(one) == "silver", "gold at the fourth order, one rank less a year later"


def test_what_is_due_is_recorded_now_or_with_the_due_clock_then(
    shop: Shop, settings: Settings
) -> None:
    shop.buy(shop.join("wall"), "A", 2000, on=1)
    run_due(LATER)
    expired = Entry.objects.filter(target="expired")
    recorded = set(expired.values_list("recorded_at", flat=True))
    assert all(abs(at - datetime.now(UTC)) < timedelta(minutes=5) for at in recorded)

    settings.LOYALTY_CLOCK = "due"
    shop.buy(shop.join("due"), "B", 2000, on=LATER_DAYS)
    later = day(LATER_DAYS + 500)
    run_due(later)
    assert set(expired.exclude(recorded_at__in=recorded).values_list("recorded_at", flat=True)) == {
        later
    }
    assert clock.now() == later


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["2018-01-02", "2018-01-02T00:00:00", "yesterday", ""])
def test_an_instant_without_offset_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="2026-01-02T00:00:00"):
        run_due(text)
    assert clock.programme_time() is None


@pytest.mark.django_db
def test_production_does_not_run_ahead_of_time(settings: Settings) -> None:
    settings.LOYALTY_IS_PRODUCTION = True
    with pytest.raises(CommandError):
        run_due(datetime.now(UTC) + timedelta(days=1))
    assert not JobRun.objects.exists()
    run_due(datetime.now(UTC))


@pytest.mark.django_db
def test_a_failing_job_does_not_keep_the_others_from_running(no_jobs: None) -> None:
    def broken(turn: Turn) -> int:
        raise ZeroDivisionError

    jobs.register("broken", broken, every=timedelta(minutes=1))
    with pytest.raises(CommandError, match="broken: ZeroDivisionError"):
        run_due("2018-01-02T00:00:00+08:00")
    states = dict(JobRun.objects.values_list("name", "state"))
    assert states == {"broken": "failed"} | dict.fromkeys(ORDER, "finished")
    assert clock.programme_time() is None, "time has not been run up to there"


def test_the_scheduler_runs_the_same_list(old_shop: Shop, no_jobs: None) -> None:
    tasks.run_due_now()
    tasks.run_due_now()
    assert [each.name for each in jobs.registered()] == ORDER
    assert set(JobRun.objects.values_list("name", "state")) == {(n, "finished") for n in ORDER}
    assert Entry.objects.filter(target="expired").count() == 1
    assert Heartbeat.objects.filter(name=tasks.WORKER).exists()
    assert clock.programme_time() is None, "only run_due moves a due clock"


def test_periods_that_were_missed_are_caught_up_at_once(old_shop: Shop) -> None:
    member = Member.objects.get()
    tasks.run_due_now()
    assert old_shop.balance(member) == (0, 0, 0, 0)
    assert [tier for tier, _since, _reason in old_shop.standings(member)] == [
        "basic", "silver", "basic",
    ]  # fmt: skip
    assert JobRun.objects.filter(name=due.SETTLE).count() == 1


def test_the_scheduler_leaves_a_due_clock_alone(old_shop: Shop, settings: Settings) -> None:
    settings.LOYALTY_CLOCK = "due"
    member = Member.objects.get()
    tasks.run_due_now()
    assert not JobRun.objects.exists(), "the year that was loaded is not over yet"
    soon = day(LONG_AGO + 10)
    run_due(soon)
    tasks.run_due_now()
    assert old_shop.balance(member) == (0, 2000, 0, 0)
    assert clock.now() == soon


def test_settling_keeps_its_heart_beating(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewards.services.expiry.SLICE", 2)
    monkeypatch.setattr(job_runs, "PULSE_SECONDS", 0.0)
    for number in range(5):
        shop.buy(shop.join(f"m{number}"), f"A{number}", 10, on=1)
    ran: list[tuple[str, int, int]] = []
    due.run_up_to(LATER, watch=lambda job, done, total: ran.append((job, done, total)))
    seen = [(done, total) for job, done, total in ran if job == due.SETTLE]
    assert seen == [(2, 5), (4, 5), (5, 5)]
