"""Running the statements of this package."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection

from config.base import clock

INSTANT: Final = timedelta(microseconds=1)


def rows(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return what a statement finds."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def last_day(until: datetime) -> date:
    """Return the programme day that ends with an instant."""
    return clock.local_day(until - INSTANT)


def months_back(until: datetime, count: int) -> list[date]:
    """Return the first days of so many months, the last one that of the instant."""
    this = last_day(until).replace(day=1)
    return [clock.add_months(this, -back) for back in range(count - 1, -1, -1)]


def day_end(day: date) -> datetime:
    """Return the instant at which a programme day is over."""
    return clock.day_start(day + timedelta(days=1))
