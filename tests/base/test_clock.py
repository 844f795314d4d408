"""Programme days, months and anniversaries."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from config.base import clock

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]
INSTANTS = st.datetimes(
    min_value=datetime(1960, 1, 1),  # noqa: DTZ001 (bounds are given bare)
    max_value=datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.parametrize("name", ZONES)
def test_local_day_is_the_zones_own_date(name: str, settings: Settings) -> None:
    settings.LOYALTY_TIME_ZONE = name

    @given(INSTANTS)
    def agrees(at: datetime) -> None:
        assert clock.local_day(at) == at.astimezone(ZoneInfo(name)).date()

    agrees()


@pytest.mark.parametrize("name", ZONES)
def test_day_start_is_the_first_instant_of_its_day(name: str, settings: Settings) -> None:
    settings.LOYALTY_TIME_ZONE = name

    @given(st.dates(min_value=date(1975, 1, 1), max_value=date(2090, 1, 1)))
    def begins(day: date) -> None:
        start = clock.day_start(day)
        assert clock.local_day(start) == day
        assert clock.local_day(start - timedelta(microseconds=1)) < day

    begins()


def test_day_start_when_the_clock_jumps_over_midnight(settings: Settings) -> None:
    settings.LOYALTY_TIME_ZONE = "America/Sao_Paulo"
    assert clock.day_start(date(2018, 11, 4)) == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_local_day_takes_an_instant_with_any_offset() -> None:
    at = datetime(2018, 1, 1, 23, 30, tzinfo=ZoneInfo("America/New_York"))
    assert clock.local_day(at) == date(2018, 1, 2)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 3, 31), 12, date(2027, 3, 31)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_add_months_keeps_to_the_month(day: date, months: int, expected: date) -> None:
    assert clock.add_months(day, months) == expected


def test_month_end() -> None:
    assert clock.month_end(date(2028, 2, 3)) == date(2028, 2, 29)


def test_anniversary_of_a_leap_day(settings: Settings) -> None:
    leap = date(2024, 2, 29)
    assert clock.anniversary(leap, 2025) == date(2025, 2, 28)
    assert clock.anniversary(leap, 2028) == leap.replace(year=2028)
    settings.LOYALTY_LEAP_DAY = "after"
    assert clock.anniversary(leap, 2025) == date(2025, 3, 1)


def test_whole_years_counts_anniversaries_reached() -> None:
    assert clock.whole_years(date(2024, 2, 29), date(2025, 2, 27)) == 0
    assert clock.whole_years(date(2024, 2, 29), date(2025, 2, 28)) == 1
    assert clock.whole_years(date(2020, 5, 5), date(2020, 5, 5)) == 0


def test_next_anniversary_is_always_later() -> None:
    assert clock.next_anniversary(date(2020, 5, 5), date(2020, 5, 5)) == date(2021, 5, 5)
    assert clock.next_anniversary(date(2020, 5, 5), date(2026, 5, 4)) == date(2026, 5, 5)
    assert clock.next_anniversary(date(2020, 5, 5), date(2026, 5, 5)) == date(2027, 5, 5)
    assert clock.next_anniversary(date(2020, 5, 5), date(2018, 1, 1)) == date(2021, 5, 5)


def test_rfc3339_is_in_programme_time() -> None:
    assert clock.rfc3339(datetime(2018, 1, 1, 16, tzinfo=UTC)) == "2018-01-02T00:00:00+08:00"


@pytest.mark.django_db
def test_due_clock_shows_the_latest_run_and_never_goes_back(settings: Settings) -> None:
    settings.LOYALTY_CLOCK = "due"
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    later = datetime(2018, 2, 1, tzinfo=UTC)

    clock.advance_programme_time(later)
    clock.advance_programme_time(datetime(2018, 1, 2, tzinfo=UTC))

    assert clock.now() == later


@pytest.mark.django_db
def test_wall_clock_ignores_how_far_the_programme_was_run() -> None:
    clock.advance_programme_time(datetime(2018, 2, 1, tzinfo=UTC))
    assert clock.now().year >= 2026
