"""What waits for somebody, counted for the start page. Every look is a few index reads."""

from datetime import date, datetime, timedelta
from typing import Final

from campaigns.kpis import reading

SOON: Final = timedelta(days=30)

# The accounts that have something due soon lead to their lots.
_EXPIRING: Final = """
SELECT coalesce(sum(l.remaining), 0)
FROM rewards_pointsaccount a
JOIN rewards_lot l ON l.account_id = a.id AND l.remaining > 0
WHERE a.next_due_at <= %(soon)s AND l.expires_at <= %(soon)s
"""

_JOBS: Final = """
SELECT count(*) FROM (
    SELECT DISTINCT ON (name) state FROM config_jobrun
    WHERE finished_at IS NOT NULL ORDER BY name, finished_at DESC
) last WHERE state = 'failed'
"""

_WEBHOOKS: Final = """
SELECT count(*) FROM members_webhook
WHERE (failing_since IS NOT NULL AND state = 'active')
   OR (state = 'disabled' AND reason <> 'requested')
"""

_APPROVALS: Final = """
SELECT count(*) FROM members_approval
WHERE requested_at < %(at)s AND (decided_at IS NULL OR decided_at >= %(at)s)
"""

# A limit of one's own counts, else the highest of one's roles.
_BUDGETS: Final = """
SELECT count(*) FROM rewards_staffbudget b
LEFT JOIN members_staffauthority a ON a.user_id = b.user_id
CROSS JOIN LATERAL (
    SELECT max(r.adjustment_daily_limit_points) AS points
    FROM auth_user_groups g JOIN members_roleauthority r ON r.group_id = g.group_id
    WHERE g.user_id = b.user_id
) roles
WHERE b.period = %(today)s AND b.member_id IS NULL
  AND b.points * 10 >= coalesce(a.adjustment_daily_limit_points, roles.points, 0) * 9
  AND b.points > 0
"""


def budgets_nearly_used(today: date) -> int:
    """Return how many staff have moved or asked for nine tenths of what a day allows them."""
    return _count(_BUDGETS, {"today": today.isoformat()})


def points_expiring(at: datetime) -> int:
    """Return the points that end within the next days."""
    return _count(_EXPIRING, {"soon": at + SOON})


def jobs_failed() -> int:
    """Return how many jobs failed when they last ended."""
    return _count(_JOBS, {})


def webhooks_failing() -> int:
    """Return how many receivers do not take what they are sent."""
    return _count(_WEBHOOKS, {})


def approvals_at(at: datetime) -> int:
    """Return how many requests were waiting at an instant."""
    return _count(_APPROVALS, {"at": at})


def _count(statement: str, values: dict[str, object]) -> int:
    ((count,),) = reading.rows(statement, values)
    return int(count)
