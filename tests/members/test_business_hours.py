"""Time of the desk: what passes while it is there, and nothing else."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.domain.business_hours import Calendar, Hours, add, between

pytestmark = pytest.mark.req("SVC-02")

OFFICE = Hours(time(9), time(18))
WEEK = Calendar(
    dict.fromkeys(range(1, 6), OFFICE),
    {date(2026, 10, 1): None, date(2026, 10, 10): Hours(time(10), time(16))},
)
"""Monday to Friday; 1 October is a holiday, Saturday the 10th is worked for it."""


def shanghai(day: int, hour: float, month: int = 9) -> datetime:
    local = datetime(2026, month, day, tzinfo=UTC) + timedelta(hours=hour)
    return local - timedelta(hours=8)


@pytest.mark.parametrize(
    ("since", "hours", "due"),
    [
        (shanghai(29, 10), 2, shanghai(29, 12)),
        (shanghai(29, 7), 1, shanghai(29, 10)),
        (shanghai(29, 17), 1, shanghai(29, 18)),
        (shanghai(29, 17), 2, shanghai(30, 10)),
        (shanghai(30, 17), 2, shanghai(2, 10, 10)),
        (shanghai(9, 17, 10), 7, shanghai(10, 16, 10)),
        (shanghai(9, 17, 10), 8, shanghai(12, 10, 10)),
    ],
)
def test_examples(since: datetime, hours: int, due: datetime) -> None:
    assert add(WEEK, since, timedelta(hours=hours)) == due
    assert between(WEEK, since, due) == timedelta(hours=hours)


def test_without_hours_the_desk_is_always_there() -> None:
    since = shanghai(26, 3)
    assert add(Calendar(), since, timedelta(hours=5)) == since + timedelta(hours=5)
    closed = Calendar({}, {date(2026, 9, 26): None})
    assert between(closed, since, since + timedelta(hours=5)) == timedelta(hours=5)
    assert between(Calendar(), since, since - timedelta(hours=1)) == timedelta()


HOURS = st.builds(
    lambda opens, length: Hours(
        time(opens // 60, opens % 60), time((opens + length) // 60, (opens + length) % 60)
    ),
    st.integers(0, 720),
    st.integers(60, 719),
)
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
CALENDARS = st.builds(
    Calendar,
    st.dictionaries(st.integers(1, 7), HOURS, min_size=1),
    st.dictionaries(DAYS, st.none() | HOURS, max_size=5),
)
INSTANTS = st.timedeltas(timedelta(0), timedelta(days=360)).map(
    lambda later: datetime(2026, 1, 1, tzinfo=UTC) + later
)
LENGTHS = st.timedeltas(timedelta(0), timedelta(minutes=1_200))


@given(calendar=CALENDARS, since=INSTANTS, worked=LENGTHS)
def test_what_is_due_lies_so_much_desk_time_away(
    calendar: Calendar, since: datetime, worked: timedelta
) -> None:
    due = add(calendar, since, worked)
    assert due >= since
    assert between(calendar, since, due) == worked


@given(calendar=CALENDARS, since=INSTANTS, first=LENGTHS, second=LENGTHS)
def test_time_of_the_desk_adds_up(
    calendar: Calendar, since: datetime, first: timedelta, second: timedelta
) -> None:
    in_two = add(calendar, add(calendar, since, first), second)
    assert add(calendar, since, first + second) == in_two


@given(calendar=CALENDARS, instants=st.lists(INSTANTS, min_size=3, max_size=3))
def test_time_between_is_the_sum_of_its_parts(calendar: Calendar, instants: list[datetime]) -> None:
    first, middle, last = sorted(instants)
    parts = between(calendar, first, middle) + between(calendar, middle, last)
    assert between(calendar, first, last) == parts


def test_a_change_of_the_clock_moves_no_opening(settings: object) -> None:
    settings.LOYALTY_TIME_ZONE = "America/New_York"  # type: ignore[attr-defined]
    night = Calendar({day: Hours(time(0), time(12)) for day in range(1, 8)})
    midnight = datetime(2026, 3, 8, 5, tzinfo=UTC)
    # On 8 March the hour from two to three does not exist: noon comes after eleven hours.
    assert between(night, midnight, midnight + timedelta(hours=23)) == timedelta(hours=11)
