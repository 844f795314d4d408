"""What is watched on a running site: jobs, deliveries, holds, calls, worker and scheduler.

Each look is a few index reads, since `/readyz` is asked often. A site in trouble is degraded and
goes on serving.

Source: ORG-06, design §9.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection

from campaigns.admin.today import AUDIT_JOB
from config.base import clock, jobs, monitors
from config.base.monitors import Reading
from config.wiring import due, followers, schedule, tasks

DELIVERY_LATE_SECONDS: Final = 120
WEBHOOK_LATE_SECONDS: Final = 600
HEARTBEAT_LATE_SECONDS: Final = 120
STUCK_SECONDS: Final = 300
SUCCESS_LATE_SECONDS: Final = 26 * 3600
HOLD_LATE: Final = timedelta(minutes=5)

# Per follower, known or not, the delivery that has been due longest: one step in the index each.
_DELIVERIES = """
WITH RECURSIVE followers AS (
    (SELECT follower FROM members_eventdelivery WHERE state = 'pending' ORDER BY follower LIMIT 1)
    UNION ALL
    SELECT (SELECT d.follower FROM members_eventdelivery d
            WHERE d.state = 'pending' AND d.follower > f.follower ORDER BY d.follower LIMIT 1)
    FROM followers f WHERE f.follower IS NOT NULL
)
SELECT min((SELECT min(d.due_at) FROM members_eventdelivery d
            WHERE d.state = 'pending' AND d.follower = f.follower)),
       (SELECT count(*) FROM members_eventdelivery WHERE state = 'failed')
FROM followers f
"""

_STUCK = """
SELECT count(*), string_agg(DISTINCT name, ' ' ORDER BY name) FROM config_jobrun
WHERE state = 'running' AND heartbeat_at < clock_timestamp() - make_interval(secs => %s)
"""

_LAST = """
SELECT j.name,
       extract(epoch FROM clock_timestamp() - greatest(
           (SELECT max(r.finished_at) FROM config_jobrun r
            WHERE r.name = j.name AND r.state = 'finished'),
           (SELECT at FROM config_heartbeat WHERE name = %s)))::float,
       (SELECT r.error_code FROM config_jobrun r
        WHERE r.name = j.name AND r.finished_at IS NOT NULL
        ORDER BY r.finished_at DESC LIMIT 1)
FROM unnest(%s::text[]) WITH ORDINALITY AS j (name, place)
ORDER BY j.place
"""

_HEARTBEAT = """
SELECT extract(epoch FROM clock_timestamp() - at)::float FROM config_heartbeat WHERE name = %s
"""

_HOLDS = "SELECT count(*) FROM rewards_reservation WHERE status = 'held' AND expires_at <= %s"

# Messages of webhooks that are switched off are not due.
_WEBHOOKS = """
SELECT (SELECT min(d.due_at) FROM members_webhookdelivery d WHERE d.state = 'pending'),
       (SELECT count(*) FROM members_webhook WHERE failing_since IS NOT NULL AND state = 'active'),
       (SELECT count(*) FROM members_webhook WHERE state = 'disabled' AND reason <> 'requested')
"""

# A call under an Idempotency-Key holds a lock of one number for as long as it is in progress.
_CALLS = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0)::float
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def install() -> None:
    """Register the monitors; doing it again changes nothing."""
    due.install()
    followers.install()
    monitors.register("jobs", watch_jobs)
    monitors.register("deliveries", watch_deliveries)
    monitors.register("holds", watch_holds)
    monitors.register("calls", watch_calls)
    monitors.register("webhooks", watch_webhooks)
    monitors.register("worker", watch_worker)
    monitors.register("scheduler", watch_scheduler)


def watch_jobs() -> Reading:
    """Tell which jobs hang, fail, or have not succeeded for more than a day."""
    stuck, stuck_names = _row(_STUCK, [STUCK_SECONDS])
    names = [*(job.name for job in jobs.registered()), AUDIT_JOB]
    rows = _rows(_LAST, [schedule.SINCE, names])
    failing = [name for name, _age, code in rows if code]
    late = [name for name, age, _code in rows if age is None or age > SUCCESS_LATE_SECONDS]
    values: dict[str, float] = {"stuck": stuck, "failing": len(failing), "late": len(late)}
    values |= {f"{name}_age_seconds": round(age, 1) for name, age, _code in rows if age is not None}
    troubles = {"stuck": stuck_names or "", "failing": " ".join(failing), "late": " ".join(late)}
    detail = "; ".join(f"{trouble}: {names}" for trouble, names in troubles.items() if names)
    return Reading(values, not detail, detail)


def watch_deliveries() -> Reading:
    """Tell for how long the oldest delivery has been due, and how many are parked."""
    oldest, parked = _row(_DELIVERIES, [])
    overdue = 0.0
    if oldest is not None:
        overdue = max(0.0, (clock.now() - oldest).total_seconds())
    is_healthy = overdue <= DELIVERY_LATE_SECONDS and not parked
    return Reading({"oldest_overdue_seconds": round(overdue, 1), "parked": parked}, is_healthy)


def watch_holds() -> Reading:
    """Count reservations that are held though their time was over minutes ago."""
    (past,) = _row(_HOLDS, [clock.now() - HOLD_LATE])
    return Reading({"past_expiry": past}, not past)


def watch_calls() -> Reading:
    """Tell for how long the oldest call under an Idempotency-Key has been in progress."""
    (longest,) = _row(_CALLS, [])
    return Reading({"longest_seconds": round(longest, 1)}, longest <= STUCK_SECONDS)


def watch_webhooks() -> Reading:
    """Tell for how long the oldest message has been due, and how many receivers are in trouble.

    A receiver that fails is its owner's trouble; messages that nobody tries to send are the site's.
    """
    oldest, failing, disabled = _row(_WEBHOOKS, [])
    overdue = 0.0
    if oldest is not None:
        overdue = max(0.0, (datetime.now(UTC) - oldest).total_seconds())
    values = {
        "oldest_overdue_seconds": round(overdue, 1), "failing": failing, "disabled": disabled,
    }  # fmt: skip
    return Reading(values, overdue <= WEBHOOK_LATE_SECONDS)


def watch_worker() -> Reading:
    """Tell when a worker was last seen doing something."""
    return _watch_process(tasks.WORKER)


def watch_scheduler() -> Reading:
    """Tell when the scheduler was last seen turning."""
    return _watch_process(schedule.SCHEDULER)


def _watch_process(process: str) -> Reading:
    rows = _rows(_HEARTBEAT, [process])
    if not rows:
        return Reading({}, is_healthy=False, detail="never seen")
    (age,) = rows[0]
    return Reading({"age_seconds": round(age, 1)}, age <= HEARTBEAT_LATE_SECONDS)


def _row(statement: str, parameters: list[Any]) -> Any:
    return _rows(statement, parameters)[0]


def _rows(statement: str, parameters: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[Any] = cursor.fetchall()
    return found
