"""Lunar days and solar terms against a second library, and against dates anybody can look up."""

from datetime import date

import pytest
from borax.calendars.lunardate import LunarDate, TermUtils

from campaigns.domain import festivals, lunar
from campaigns.domain.festivals import FestivalRuleError, Rule, RuleKind
from campaigns.models import Festival

pytestmark = pytest.mark.req("ENG-11")

YEARS = range(1950, 2101)
DAYS = [(1, 1), (1, 15), (2, 2), (5, 5), (7, 7), (7, 15), (8, 15), (9, 9), (12, 8)]
# The new moons of these months are within a minute of midnight: almanacs differ by a day.
UNDECIDED = {(2057, 9), (2089, 8), (2097, 7)}
QINGMING, DONGZHI = 6, 23


def shipped(code: str) -> Rule:
    (found,) = [each.rule for each in festivals.SHIPPED if each.code == code]
    return found


def test_lunar_days_are_those_of_a_second_library() -> None:
    differing = {
        (year, month)
        for year in YEARS
        for month, day in DAYS
        if lunar.day_of(year, month, day) != LunarDate(year, month, day, 0).to_solar_date()
    }
    assert differing <= UNDECIDED


def test_the_last_day_of_the_year_is_the_day_before_the_new_one() -> None:
    for year in YEARS:
        last = lunar.day_of(year, 12, lunar.LAST_DAY_OF_YEAR)
        assert last is not None
        assert LunarDate.from_solar(last).month == 12
        assert (lunar.new_year(year + 1) - last).days == 1


def test_solar_terms_are_those_of_a_second_library() -> None:
    for year in YEARS:
        assert lunar.solar_term(year, "qingming") == TermUtils.nth_term_day(year, QINGMING), year
        assert lunar.solar_term(year, "dongzhi") == TermUtils.nth_term_day(year, DONGZHI), year


@pytest.mark.parametrize(
    ("code", "days"),
    [
        ("spring_festival", ["2025-01-29", "2026-02-17", "2027-02-06"]),
        ("spring_eve", ["2025-01-28", "2026-02-16", "2027-02-05"]),
        ("dragon_boat", ["2025-05-31", "2026-06-19", "2027-06-09"]),
        # The year 2025 has a second sixth month: what comes after it is a month later.
        ("mid_autumn", ["2025-10-06", "2026-09-25", "2027-09-15"]),
        ("qingming", ["2025-04-04", "2026-04-05", "2027-04-05"]),
        ("laba", ["2025-01-07", "2026-01-26", "2027-01-15"]),
        ("national_day", ["2025-10-01", "2026-10-01", "2027-10-01"]),
    ],
)
def test_shipped_festivals_are_on_days_that_anybody_can_look_up(code: str, days: list[str]) -> None:
    found = shipped(code).days_between(date(2025, 1, 1), date(2027, 12, 31))
    assert [each.isoformat() for each in found] == days


def test_a_year_may_have_a_festival_twice_or_never() -> None:
    laba = shipped("laba")
    counts = {year: len(laba.days_in(year)) for year in YEARS}
    assert {0, 1, 2} == set(counts.values())
    assert sum(counts.values()) in (len(YEARS), len(YEARS) - 1, len(YEARS) + 1)


def test_a_day_that_a_month_lacks_is_left_out() -> None:
    thirtieth = Rule(RuleKind.LUNAR, 12, 30)
    found = thirtieth.days_between(date(1950, 1, 1), date(2100, 12, 31))
    assert all(LunarDate.from_solar(each).day == 30 for each in found)
    assert 60 < len(found) < 100
    assert Rule(RuleKind.SOLAR, 2, 29).days_in(2027) == []
    assert Rule(RuleKind.SOLAR, 2, 29).days_in(2028) == [date(2028, 2, 29)]


@pytest.mark.parametrize(
    "rule",
    [
        {}, {"kind": "moon"}, {"kind": "solar", "month": 2, "day": 30},
        {"kind": "solar", "month": 13, "day": 1}, {"kind": "lunar", "month": 1, "day": 31},
        {"kind": "lunar", "month": 1, "day": 0}, {"kind": "term", "term": "x"},
        {"kind": "dates", "dates": []}, {"kind": "dates", "dates": ["2026-02-30"]},
        {"kind": "dates", "dates": [5]}, {"kind": "solar", "month": "1", "day": 1},
    ],
)  # fmt: skip
def test_rules_that_name_no_day_are_refused(rule: dict[str, object]) -> None:
    with pytest.raises(FestivalRuleError):
        festivals.parse(rule)


@pytest.mark.django_db
def test_the_shipped_festivals_are_installed() -> None:
    stored = {row.code: row for row in Festival.objects.all()}
    assert set(stored) == {each.code for each in festivals.SHIPPED}
    for each in festivals.SHIPPED:
        row = stored[each.code]
        assert (row.name_zh, row.name_en) == (each.name_zh, each.name_en)
        assert festivals.parse(row.rule) == each.rule
