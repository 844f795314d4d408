"""Enrolments that come too fast: one member of staff, many new members within an hour.

Source: STF-04.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from config.base import clock
from members.models import Case

CODE: Final = "enrolment_burst"
WINDOW: Final = timedelta(hours=1)
# A run that is late finds what has happened since; one that is this late is another matter.
LOOKED_BACK: Final = timedelta(days=7)

_BURSTS: Final = """
SELECT staff, day, max(within) FROM (
    SELECT enrolled_by AS staff, to_char(joined_at AT TIME ZONE %(zone)s, 'YYYY-MM-DD') AS day,
           count(*) OVER (PARTITION BY enrolled_by ORDER BY joined_at
                          RANGE BETWEEN %(window)s PRECEDING AND CURRENT ROW) AS within
    FROM members_member
    WHERE joined_at > %(since)s AND joined_at <= %(until)s AND enrolled_by <> ''
) counted
WHERE within > %(most)s
GROUP BY staff, day
ORDER BY day, staff
"""


def open_bursts(*, most: int, until: datetime, at: datetime) -> int:
    """Open a case for each member of staff and day with more enrolments in an hour than `most`.

    Once, however often it is looked for. Returns how many were opened.
    Source: STF-04.
    """
    bursts = _bursts(most, until)
    if not bursts:
        return 0
    rows = Case.objects.filter(code=CODE, details__day__in=sorted({day for _s, day, _n in bursts}))
    known = set(rows.values_list("details__staff", "details__day"))
    found = [
        Case(code=CODE, details={"staff": staff, "day": day, "members": number}, opened_at=at)
        for staff, day, number in bursts
        if (staff, day) not in known
    ]
    return len(Case.objects.bulk_create(found))


def _bursts(most: int, until: datetime) -> list[tuple[str, str, int]]:
    parameters: dict[str, Any] = {
        "zone": str(clock.zone()),
        "window": WINDOW,
        "since": until - LOOKED_BACK,
        "until": until,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BURSTS, parameters)
        return [(staff, day, number) for staff, day, number in cursor.fetchall()]
