"""Jobs: once per period, recorded, and none in the way of another."""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections

from config.base import job_runs, jobs
from config.base.job_runs import Ending, Report
from config.base.jobs import Job, Turn, Work
from config.models import JobRun

AT = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def periods(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the period that it is, to be changed by the test."""
    current = ["first"]
    monkeypatch.setattr(job_runs, "period_of", lambda every, now: current[-1])
    return current


def job(work: Work, name: str = "job") -> Job:
    return Job(name, work, HOUR)


def scheduled(made: Job) -> Report:
    return job_runs.run_scheduled(made, at=AT, recorded_at=AT)


def again(made: Job) -> Report:
    return job_runs.run_again(made, at=AT, recorded_at=AT, watch=lambda *progress: None)


def nothing(turn: Turn) -> int:
    return 0


def test_jobs_run_in_the_order_in_which_they_are_listed(no_jobs: None) -> None:
    for name in ("b", "a", "b"):
        jobs.register(name, nothing, every=HOUR)
    assert [each.name for each in jobs.registered()] == ["b", "a"]
    with pytest.raises(ValueError, match="named a"):
        jobs.register("a", nothing, every=2 * HOUR)


def test_a_period_begins_at_a_whole_multiple() -> None:
    at = datetime(2026, 3, 10, 4, 59, 59, tzinfo=UTC)
    assert job_runs.period_of(HOUR, at) == "2026-03-10T04:00:00+00:00"
    assert job_runs.period_of(timedelta(days=1), at) == "2026-03-10T00:00:00+00:00"
    assert job_runs.period_of(timedelta(minutes=1), at) == "2026-03-10T04:59:00+00:00"


@pytest.mark.django_db
def test_a_job_runs_once_in_a_period_and_again_in_the_next(periods: list[str]) -> None:
    turns: list[Turn] = []

    def work(turn: Turn) -> int:
        turns.append(turn)
        return 7

    first, second = scheduled(job(work)), scheduled(job(work))
    assert (first.ending, first.done) == (Ending.FINISHED, 7)
    assert second.ending is Ending.DONE_BEFORE
    periods.append("second")
    assert scheduled(job(work)).ending is Ending.FINISHED
    assert [(turn.at, turn.recorded_at) for turn in turns] == [(AT, AT)] * 2
    runs = JobRun.objects.order_by("period").values_list("name", "period", "state", "done")
    assert list(runs) == [("job", "first", "finished", 7), ("job", "second", "finished", 7)]


@pytest.mark.django_db
def test_a_job_that_is_asked_for_runs_every_time() -> None:
    assert [again(job(nothing)).ending for _ in range(2)] == [Ending.FINISHED] * 2
    assert JobRun.objects.get().period == f"at {AT.isoformat()}"


@pytest.mark.django_db
def test_a_failing_job_is_recorded_and_retried_in_the_next_period(
    periods: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    def work(turn: Turn) -> int:
        turn.progress(3, 10)
        raise LookupError("13900000000")

    report = scheduled(job(work))

    assert (report.ending, report.done, report.error_code) == (Ending.FAILED, 3, "LookupError")
    run = JobRun.objects.get()
    assert (run.state, run.error_code, run.done) == ("failed", "LookupError", 3)
    assert run.finished_at is not None
    assert "LookupError" in caplog.text
    assert "13900000000" not in caplog.text
    assert scheduled(job(work)).ending is Ending.DONE_BEFORE
    periods.append("second")
    assert scheduled(job(nothing)).ending is Ending.FINISHED


@pytest.mark.django_db
@pytest.mark.parametrize("code", [job_runs.DIED, job_runs.INTERRUPTED])
def test_a_run_that_was_cut_off_goes_on_in_its_own_period(periods: list[str], code: str) -> None:
    if code == job_runs.INTERRUPTED:
        with pytest.raises(KeyboardInterrupt):
            scheduled(job(interrupted))
        assert JobRun.objects.get().error_code == code
    else:
        # What a process that was killed leaves: the row of a run, and no lock.
        JobRun.objects.create(name="job", period="first", started_at=AT, heartbeat_at=AT)
    assert scheduled(job(nothing)).ending is Ending.FINISHED
    assert JobRun.objects.get().error_code == ""


def interrupted(turn: Turn) -> int:
    raise KeyboardInterrupt


@pytest.mark.django_db
def test_a_run_that_died_is_closed_when_the_job_runs_next(periods: list[str]) -> None:
    JobRun.objects.create(name="job", period="earlier", started_at=AT, heartbeat_at=AT)
    JobRun.objects.create(name="other", period="earlier", started_at=AT, heartbeat_at=AT)
    scheduled(job(nothing))
    states = dict(JobRun.objects.values_list("period", "error_code").filter(name="job"))
    assert states == {"earlier": "died", "first": ""}
    assert JobRun.objects.get(name="other").state == "running"


@pytest.mark.django_db
def test_progress_is_passed_on_at_once_and_written_down_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_runs, "PULSE_SECONDS", 0.05)
    seen: list[tuple[str, int, int]] = []
    kept: list[int] = []

    def work(turn: Turn) -> int:
        turn.progress(1, 9)
        kept.append(JobRun.objects.get().done)
        time.sleep(0.06)
        turn.progress(2, 9)
        kept.append(JobRun.objects.get().done)
        return 9

    job_runs.run_again(job(work), at=AT, recorded_at=AT, watch=lambda *told: seen.append(told))
    assert seen == [("job", 1, 9), ("job", 2, 9)]
    assert kept == [0, 2]


@pytest.mark.django_db
def test_old_runs_are_forgotten_but_not_the_last_success() -> None:
    for number, state in enumerate(("finished", "finished", "failed", "running")):
        over = None if state == "running" else AT + number * HOUR
        JobRun.objects.create(
            name="job", period=str(number), state=state, started_at=AT, heartbeat_at=AT,
            finished_at=over, error_code="X" if state == "failed" else "",
        )  # fmt: skip
    assert job_runs.forget_old(before=AT + 9 * HOUR, limit=10) == 1
    assert set(JobRun.objects.values_list("period", flat=True)) == {"1", "2", "3"}


class Race:
    """Schedulers on connections of their own that try the same job at the same moment."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.barrier = threading.Barrier(count)
        self.runs: list[int] = []

    def work(self, turn: Turn) -> int:
        self.runs.append(threading.get_ident())
        time.sleep(0.2)
        return 1

    def run(self) -> list[Report]:
        def scheduler(_number: int) -> Report:
            try:
                self.barrier.wait(timeout=30)
                return scheduled(job(self.work))
            finally:
                connections.close_all()

        with ThreadPoolExecutor(self.count) as pool:
            return list(pool.map(scheduler, range(self.count)))


def test_schedulers_at_the_same_moment_run_a_job_once(own_database: str) -> None:
    race = Race(6)
    endings = [report.ending for report in race.run()]
    assert len(race.runs) == 1
    assert endings.count(Ending.FINISHED) == 1
    assert set(endings) <= {Ending.FINISHED, Ending.BUSY, Ending.DONE_BEFORE}


def test_schedulers_double_a_job_without_lock_and_period(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def open_door(name: str, *, wait: bool) -> Iterator[bool]:
        yield True

    monkeypatch.setattr(job_runs, "_lock", open_door)
    monkeypatch.setattr(job_runs, "period_of", lambda every, now: str(threading.get_ident()))
    race = Race(6)
    race.run()
    assert len(race.runs) > 1


def test_a_job_that_runs_into_the_next_period_is_not_started_beside_itself(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_runs, "period_of", lambda every, now: str(threading.get_ident()))
    race = Race(4)
    endings = [report.ending for report in race.run()]
    assert len(race.runs) == 1
    assert endings.count(Ending.BUSY) == 3


def test_who_asks_for_a_job_waits_for_the_one_that_runs(own_database: str) -> None:
    running, steps = threading.Event(), list[str]()

    def slow(turn: Turn) -> int:
        running.set()
        time.sleep(0.3)
        steps.append("scheduled")
        return 1

    def asked(turn: Turn) -> int:
        steps.append("asked")
        return 0

    def scheduler() -> None:
        try:
            scheduled(job(slow))
        finally:
            connections.close_all()

    thread = threading.Thread(target=scheduler)
    thread.start()
    running.wait(timeout=30)
    report = again(job(asked))
    thread.join(timeout=30)
    assert report.ending is Ending.FINISHED
    assert steps == ["scheduled", "asked"]


def test_the_lock_is_given_back_however_the_job_ends(own_database: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        again(job(interrupted))
    again(job(nothing))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE l.locktype = 'advisory' AND d.datname = current_database()"
        )
        assert cursor.fetchone() == (0,)
