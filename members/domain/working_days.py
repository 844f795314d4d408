"""Days on which an office works."""

from datetime import date, timedelta

WORKING_DAYS_A_WEEK = 5


def after(day: date, count: int) -> date:
    """Return the working day that is so many after a day; Saturdays and Sundays are none."""
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < WORKING_DAYS_A_WEEK
    return day
