"""First days of windows, tenure, and where a local midnight makes the difference."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from tests.tiers.ladders import JOINED_AT, TIERS, Player, classic_ladder, entry, spend
from tiers.domain.ladder import Criterion, Ladder, Metric
from tiers.domain.windows import (
    CALENDAR_YEAR,
    CURRENT_STANDING,
    LIFETIME,
    MEMBERSHIP_YEAR,
    Anchors,
    TenureUnit,
    Window,
    rolling,
    tenure_day,
    tenure_length,
)

DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))


def ordinal(year: int, month: int, day: int) -> int:
    return date(year, month, day).toordinal()


@pytest.mark.parametrize(
    ("window", "first"),
    [
        (rolling(1), (2026, 6, 15)),
        (rolling(365), (2025, 6, 16)),
        (CALENDAR_YEAR, (2026, 1, 1)),
        (MEMBERSHIP_YEAR, (2025, 9, 30)),
        (CURRENT_STANDING, (2026, 5, 1)),
    ],
)
@pytest.mark.req("TIR-04")
def test_first_day_of_each_window(window: Window, first: tuple[int, int, int]) -> None:
    anchors = Anchors(ordinal(2020, 9, 30), ordinal(2026, 5, 1))
    assert anchors.first_day(window, ordinal(2026, 6, 15)) == ordinal(*first)
    assert anchors.first_day(LIFETIME, ordinal(2026, 6, 15)) == 0


@pytest.mark.req("TIR-04")
def test_years_change_on_their_first_day() -> None:
    anchors = Anchors(ordinal(2020, 9, 30), ordinal(2020, 9, 30))
    assert anchors.first_day(MEMBERSHIP_YEAR, ordinal(2026, 9, 29)) == ordinal(2025, 9, 30)
    assert anchors.first_day(MEMBERSHIP_YEAR, ordinal(2026, 9, 30)) == ordinal(2026, 9, 30)
    assert anchors.first_day(CALENDAR_YEAR, ordinal(2026, 12, 31)) == ordinal(2026, 1, 1)
    assert anchors.first_day(CALENDAR_YEAR, ordinal(2027, 1, 1)) == ordinal(2027, 1, 1)


def test_a_day_before_enrolment_has_a_membership_year() -> None:
    anchors = Anchors(ordinal(2026, 9, 30), ordinal(2025, 1, 1))
    assert anchors.first_day(MEMBERSHIP_YEAR, ordinal(2025, 10, 1)) == ordinal(2025, 9, 30)


@given(joined=DAYS, day=DAYS)
def test_a_membership_year_holds_its_day(joined: date, day: date) -> None:
    anchors = Anchors(joined.toordinal(), joined.toordinal())
    first, following = anchors.membership_year(day.toordinal())
    assert first <= day.toordinal() < following
    assert 365 <= following - first <= 366


@given(joined=DAYS, length=st.integers(1, 400), unit=st.sampled_from(list(TenureUnit)))
@pytest.mark.req("TIR-12")
def test_tenure_is_reached_on_its_day_and_not_before(
    joined: date, length: int, unit: TenureUnit
) -> None:
    day = tenure_day(joined.toordinal(), unit, length)
    assert tenure_length(joined.toordinal(), unit, day) >= length
    assert tenure_length(joined.toordinal(), unit, day - 1) < length


@pytest.mark.parametrize(("rule", "day"), [("before", (2027, 2, 28)), ("after", (2027, 3, 1))])
@pytest.mark.req("TIR-12")
def test_a_leap_day_anniversary_follows_the_programme(
    rule: str, day: tuple[int, int, int], settings: Settings
) -> None:
    settings.LOYALTY_LEAP_DAY = rule
    joined = ordinal(2024, 2, 29)
    assert tenure_day(joined, TenureUnit.MONTHS, 36) == ordinal(*day)
    assert tenure_length(joined, TenureUnit.MONTHS, ordinal(*day)) == 36
    assert tenure_length(joined, TenureUnit.MONTHS, ordinal(*day) - 1) == 35
    anchors = Anchors(joined, joined)
    assert anchors.membership_year(ordinal(*day))[0] == ordinal(*day)


@pytest.mark.parametrize(
    "window", [rolling(30), CALENDAR_YEAR, MEMBERSHIP_YEAR, LIFETIME, CURRENT_STANDING]
)
def test_the_text_form_reads_back(window: Window) -> None:
    assert Window.parse(window.code) == window


@pytest.mark.parametrize("code", ["fortnight", "rolling_days:many"])
def test_an_unknown_text_form_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match=r"fortnight|many"):
        Window.parse(code)


@pytest.mark.parametrize(
    ("window", "rank"),
    [
        (rolling(10), 0),
        (rolling(40), 1),
        (CALENDAR_YEAR, 0),
        (MEMBERSHIP_YEAR, 0),
        (LIFETIME, 1),
        (CURRENT_STANDING, 1),
    ],
)
@pytest.mark.req("TIR-04")
def test_the_same_orders_under_each_window(window: Window, rank: int) -> None:
    """Orders on 20 December 2026 and 10 January 2027 of a member who joined on 10 January."""
    player = Player(Ladder(1, None, TIERS[:2], (entry(1, (spend(1000, window),)),)))
    player.order(344, 500)
    player.order(365, 500)
    assert (player.day(344), player.day(365)) == (date(2026, 12, 20), date(2027, 1, 10))
    assert player.fold.rank == rank


@pytest.mark.parametrize(("minute", "rank"), [(-1, 0), (0, 1)])
@pytest.mark.req("TIR-04")
def test_a_calendar_year_begins_at_local_midnight(minute: int, rank: int) -> None:
    """Midnight in Shanghai is 16:00 UTC of the day before."""
    player = Player(Ladder(1, None, TIERS[:2], (entry(1, (spend(1000, CALENDAR_YEAR),)),)))
    midnight = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    days = (midnight + timedelta(minutes=minute) - JOINED_AT) / timedelta(days=1)
    player.order(days, 500)
    player.order((midnight - JOINED_AT) / timedelta(days=1), 500)
    assert player.fold.rank == rank


@pytest.mark.parametrize(("day", "rank"), [(364, 1), (365, 0)])
@pytest.mark.req("TIR-04")
def test_a_day_counts_for_365_days(day: int, rank: int) -> None:
    player = Player(classic_ladder())
    player.order(0, 60_000)
    player.order(day, 40_000)
    assert player.fold.rank == rank


@pytest.mark.req("TIR-04")
def test_current_standing_counts_from_the_day_it_began() -> None:
    criterion = Criterion(Metric.ORDERS, CURRENT_STANDING, 2)
    ladder = Ladder(1, None, TIERS[:3], (entry(1, (spend(1000),)), entry(2, (criterion,))))
    player = Player(ladder)
    player.order(0, 400)
    player.settle(5)
    player.order(5, 300)
    assert player.fold.rank == 2  # both since enrolment: straight to the highest

    player = Player(ladder)
    player.order(0, 1000)
    assert player.fold.rank == 1
    player.order(3, 1)
    assert player.fold.rank == 2
    assert player.reasons == ["enrolled", "qualified", "qualified"]
