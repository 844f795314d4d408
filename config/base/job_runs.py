"""Running jobs: once per period whoever tries, recorded, and never one in the way of another.

Who runs a job holds a lock of the database session, so a run whose process has died is known for
dead the moment the lock can be taken. Times here are the database's own.

Source: design §9, ORG-06.
"""

import contextlib
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db import connection

from config.base.errors import DomainError
from config.base.jobs import Job, Turn

# Two numbers: locks of one number are others' (calls under an Idempotency-Key, migrations).
LOCK_CLASS: Final = 0x4A_4F_42_53
PULSE_SECONDS: Final = 5.0
MAX_ERROR_LENGTH: Final = 80
DIED, INTERRUPTED = "died", "interrupted"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_ABANDON = """
UPDATE config_jobrun
SET state = 'failed', error_code = %s, finished_at = clock_timestamp()
WHERE name = %s AND state = 'running'
"""

# A run that was cut off goes on in its own period; one that failed waits for the next.
_CLAIM = """
INSERT INTO config_jobrun AS r
    (name, period, state, started_at, heartbeat_at, finished_at, done, error_code)
VALUES (%s, %s, 'running', clock_timestamp(), clock_timestamp(), NULL, 0, '')
ON CONFLICT (name, period) DO UPDATE
SET state = 'running', started_at = EXCLUDED.started_at, heartbeat_at = EXCLUDED.heartbeat_at,
    finished_at = NULL, done = 0, error_code = ''
WHERE %s OR r.error_code = ANY(%s)
RETURNING id
"""

_PULSE = "UPDATE config_jobrun SET heartbeat_at = clock_timestamp(), done = %s WHERE id = %s"

_END = """
UPDATE config_jobrun
SET state = %s, error_code = %s, done = %s, heartbeat_at = clock_timestamp(),
    finished_at = clock_timestamp()
WHERE id = %s
"""

logger = logging.getLogger(__name__)


class Ending(StrEnum):
    """What came of trying to run a job."""

    FINISHED = "finished"
    FAILED = "failed"
    BUSY = "busy"
    DONE_BEFORE = "done_before"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of trying to run a job, and how much it found to do."""

    job: str
    ending: Ending
    done: int = 0
    error_code: str = ""
    seconds: float = 0.0


Watch = Callable[[str, int, int], None]
"""Called with a job's name, what it has done and how much there is."""


def run_scheduled(job: Job, *, at: datetime, recorded_at: datetime) -> Report:
    """Run the job up to an instant unless it has been run in this period, or is running."""
    period = period_of(job.every, datetime.now(UTC))
    with _lock(job.name, wait=False) as is_ours:
        if not is_ours:
            return Report(job.name, Ending.BUSY)
        return _run(job, period, Turn(at, recorded_at, _ignore), again=False)


def run_again(job: Job, *, at: datetime, recorded_at: datetime, watch: Watch) -> Report:
    """Run the job up to an instant, though it was before; wait for whoever runs it now."""
    with _lock(job.name, wait=True):
        turn = Turn(at, recorded_at, lambda done, total: watch(job.name, done, total))
        return _run(job, f"at {at.astimezone(UTC).isoformat()}", turn, again=True)


def period_of(every: timedelta, now: datetime) -> str:
    """Return the name of the period that the instant falls into."""
    return (_EPOCH + (now - _EPOCH) // every * every).isoformat()


def forget_old(*, before: datetime, limit: int) -> int:
    """Delete runs that ended before an instant, but the last that succeeded; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM config_jobrun WHERE id IN (SELECT id FROM config_jobrun r"
            " WHERE finished_at < %s AND EXISTS (SELECT FROM config_jobrun n"
            " WHERE n.name = r.name AND n.state = 'finished' AND n.finished_at > r.finished_at)"
            " LIMIT %s)",
            [before, limit],
        )
        count: int = cursor.rowcount
    return count


def beat(process: str) -> None:
    """Remember that a process has just been seen running."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO config_heartbeat (name, at) VALUES (%s, clock_timestamp())"
            " ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at",
            [process],
        )


def expect(process: str) -> None:
    """Expect to see a process from now on, unless it has been seen already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO config_heartbeat (name, at) VALUES (%s, clock_timestamp())"
            " ON CONFLICT (name) DO NOTHING",
            [process],
        )


def _ignore(done: int, total: int) -> None:
    """Nobody watches."""


@contextlib.contextmanager
def _lock(name: str, *, wait: bool) -> Iterator[bool]:
    """Hold the job's lock of this database session; without `wait`, tell whether it was free."""
    key = (LOCK_CLASS, name)
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_lock(%s, hashtext(%s)), true", key)
            is_ours = True
        else:
            cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", key)
            (is_ours,) = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", key)


def _run(job: Job, period: str, turn: Turn, *, again: bool) -> Report:
    """Run the job and record how it went. The caller holds its lock."""
    with connection.cursor() as cursor:
        cursor.execute(_ABANDON, [DIED, job.name])
        cursor.execute(_CLAIM, [job.name, period, again, [DIED, INTERRUPTED]])
        row = cursor.fetchone()
    if row is None:
        return Report(job.name, Ending.DONE_BEFORE)
    pulse = _Pulse(row[0], turn.progress)
    started = time.monotonic()
    try:
        done = job.work(Turn(turn.at, turn.recorded_at, pulse))
    except Exception as error:  # whatever a job does, the others run
        code = _code(error)
        logger.error("job %s failed: %s at %s", job.name, code, _place(error))  # noqa: TRY400
        _drop_broken_connection()
        _end(row[0], Ending.FAILED, code, pulse.done)
        return Report(job.name, Ending.FAILED, pulse.done, code, time.monotonic() - started)
    except BaseException:
        _drop_broken_connection()
        _end(row[0], Ending.FAILED, INTERRUPTED, pulse.done)
        raise
    _end(row[0], Ending.FINISHED, "", done)
    return Report(job.name, Ending.FINISHED, done, "", time.monotonic() - started)


class _Pulse:
    """A run's progress: passed on at once, written down every few seconds."""

    def __init__(self, run_id: int, watch: Callable[[int, int], None]) -> None:
        self.run_id = run_id
        self.watch = watch
        self.done = 0
        self.next_at = time.monotonic() + PULSE_SECONDS

    def __call__(self, done: int, total: int) -> None:
        self.done = done
        self.watch(done, total)
        if time.monotonic() >= self.next_at:
            self.next_at = time.monotonic() + PULSE_SECONDS
            with connection.cursor() as cursor:
                cursor.execute(_PULSE, [done, self.run_id])


def _drop_broken_connection() -> None:
    """Let the next statement log in anew where the job has lost the database."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _end(run_id: int, ending: Ending, error_code: str, done: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_END, [ending.value, error_code[:MAX_ERROR_LENGTH], done, run_id])


def _code(error: Exception) -> str:
    return error.code if isinstance(error, DomainError) else type(error).__name__


def _place(error: Exception) -> str:
    """Return where an error was raised. Its text is left out: it may quote stored values."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"
