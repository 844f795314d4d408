"""Time as the programme sees it: instants in UTC, days and midnights in its own time zone.

A programme day runs from local midnight to local midnight. Everything that needs one asks
here, so that no two parts disagree about it.
"""

import functools
from calendar import isleap, monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection


def now() -> datetime:
    """Return the present instant: the wall's, or the programme's under the `due` clock."""
    if settings.LOYALTY_CLOCK == "due":
        return programme_time() or datetime.now(UTC)
    return datetime.now(UTC)


def programme_time() -> datetime | None:
    """Return the instant up to which the programme has been run, if it ever was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT at FROM config_programmeclock WHERE id = 1")
        row = cursor.fetchone()
    if row is None:
        return None
    at: datetime = row[0]
    return at.astimezone(UTC)


def advance_programme_time(at: datetime) -> None:
    """Remember that the programme has been run up to the instant. It never goes back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO config_programmeclock (id, at) VALUES (1, %s)"
            " ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at"
            " WHERE config_programmeclock.at < EXCLUDED.at",
            [at],
        )


@functools.lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def zone() -> ZoneInfo:
    """Return the programme's time zone."""
    return _zone(settings.LOYALTY_TIME_ZONE)


def local_day(at: datetime) -> date:
    """Return the programme day that the instant falls on."""
    return at.astimezone(_zone(settings.LOYALTY_TIME_ZONE)).date()


def local(at: datetime) -> datetime:
    """Return the instant with the programme's own hands of the clock."""
    return at.astimezone(zone())


@functools.lru_cache(maxsize=20_000)
def _day_start(day: date, zone_name: str) -> datetime:
    midnight = datetime(day.year, day.month, day.day, tzinfo=_zone(zone_name))
    at = midnight.astimezone(UTC)
    # Where the clock jumps over midnight the day begins with the first instant after the jump.
    while at.astimezone(_zone(zone_name)).date() < day:
        at += timedelta(minutes=15)
    return at


def day_start(day: date) -> datetime:
    """Return the first instant of the programme day, in UTC."""
    return _day_start(day, settings.LOYALTY_TIME_ZONE)


def add_months(day: date, count: int) -> date:
    """Return the same day of another month, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def month_end(day: date) -> date:
    """Return the last day of the day's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def anniversary(day: date, year: int) -> date:
    """Return the day's anniversary in the year.

    29 February falls on 28 February in other years, or on 1 March where `LOYALTY_LEAP_DAY` is
    `after`.
    """
    if (day.month, day.day) == (2, 29) and not isleap(year):
        return date(year, 3, 1) if settings.LOYALTY_LEAP_DAY == "after" else date(year, 2, 28)
    return day.replace(year=year)


def next_anniversary(day: date, after: date) -> date:
    """Return the first anniversary of the day that comes after another day."""
    this_year = anniversary(day, max(after.year, day.year + 1))
    return this_year if this_year > after else anniversary(day, this_year.year + 1)


def whole_years(since: date, on: date) -> int:
    """Return how many anniversaries have been reached."""
    years = on.year - since.year
    return years if anniversary(since, on.year) <= on else years - 1


def rfc3339(at: datetime) -> str:
    """Return the instant as the API writes it: in programme time, with its offset."""
    return local(at).isoformat()
