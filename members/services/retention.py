"""Letting go of what interactions carried, once it has been kept for as long as its kind says.

That something happened stays: points and tiers may rest on it, and a reference is received once for
ever. What it said (pages, searches, answers) goes, from the interaction and from the fact.

Source: MEM-17.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from config.base import clock
from members.models import InteractionKind

SLICE: Final = 1_000

# Rows that an erasure holds are being wiped anyway: skipping them avoids waiting crosswise.
_WIPE = """
WITH old AS (
    SELECT fact_id FROM members_interaction
    WHERE kind = %(kind)s AND occurred_at < %(before)s AND data <> '{}'
    ORDER BY occurred_at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), wiped AS (
    UPDATE members_interaction i SET data = '{}' FROM old WHERE i.fact_id = old.fact_id
)
UPDATE members_receivedfact f SET body = jsonb_set(f.body, '{data}', '{}')
FROM old WHERE f.id = old.fact_id
"""

_WIPE_WAITING = """
UPDATE members_receivedfact SET body = jsonb_set(body, '{data}', '{}')
WHERE state = 'awaiting_member' AND kind = 'interaction' AND acts_at < %(before)s
  AND body ->> 'kind' = %(kind)s AND body -> 'data' <> '{}'
"""


def forget_content(*, at: datetime, progress: Callable[[int, int], None]) -> int:
    """Wipe what interactions carried whose full days of keeping are over; return how many.

    Each slice is a transaction of its own.
    """
    done = 0
    for kind, before in _limits(at):
        values: dict[str, str | int | datetime] = {"kind": kind, "before": before, "limit": SLICE}
        done += _execute(_WIPE_WAITING, values)
        while count := _execute(_WIPE, values):
            done += count
            progress(done, done)
    return done


def _limits(at: datetime) -> list[tuple[str, datetime]]:
    """Return per kind the instant before which nothing is kept."""
    today = clock.local_day(at)
    kinds = InteractionKind.objects.filter(keep_days__isnull=False).order_by("code")
    return [
        (code, clock.day_start(today - timedelta(days=days or 0)))
        for code, days in kinds.values_list("code", "keep_days")
    ]


def _execute(statement: str, values: dict[str, str | int | datetime]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        count: int = cursor.rowcount
    return count
