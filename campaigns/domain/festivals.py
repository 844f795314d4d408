"""Festivals: rules of the solar and the lunar calendar, and the days they fall on.

Pure. Source: ENG-11.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from campaigns.domain import lunar
from config.base.errors import DomainError

_LEAP_YEAR: Final = 2000


class RuleKind(StrEnum):
    """How the day of a festival is found."""

    SOLAR = "solar"
    LUNAR = "lunar"
    TERM = "term"
    DATES = "dates"


class FestivalRuleError(DomainError):
    """The rule does not say which day is meant."""

    def __init__(self, field: str) -> None:
        super().__init__(
            "festival_rule_invalid", _("This does not say on which day the festival is."),
            field=field,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """On which day of each year a festival is.

    A lunar day -1 is the last of its month; lunar festivals are never in a leap month.
    """

    kind: RuleKind
    month: int = 0
    day: int = 0
    term: str = ""
    dates: tuple[date, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the rule as it is stored; `parse` reads it back."""
        if self.kind is RuleKind.TERM:
            return {"kind": self.kind.value, "term": self.term}
        if self.kind is RuleKind.DATES:
            return {"kind": self.kind.value, "dates": [each.isoformat() for each in self.dates]}
        return {"kind": self.kind.value, "month": self.month, "day": self.day}

    def days_in(self, year: int) -> list[date]:
        """Return the days of the festival that lie in a year of our calendar, in order."""
        if self.kind is RuleKind.DATES:
            return [each for each in self.dates if each.year == year]
        if self.kind is RuleKind.TERM:
            return [lunar.solar_term(year, self.term)]
        if self.kind is RuleKind.SOLAR:
            return [date(year, self.month, self.day)] if self._is_in(year) else []
        found = (lunar.day_of(each, self.month, self.day) for each in (year - 1, year))
        return [each for each in found if each is not None and each.year == year]

    def days_between(self, first: date, last: date) -> list[date]:
        """Return the days of the festival from a day to another, both counted, in order."""
        years = range(first.year, last.year + 1)
        return [each for year in years for each in self.days_in(year) if first <= each <= last]

    def _is_in(self, year: int) -> bool:
        return _exists(year, self.month, self.day)


def parse(data: Mapping[str, Any]) -> Rule:
    """Read a rule as it is stored.

    Raises: FestivalRuleError.
    """
    try:
        kind = RuleKind(data.get("kind", ""))
    except ValueError as error:
        raise FestivalRuleError("kind") from error
    if kind is RuleKind.TERM:
        return Rule(kind, term=_term(data.get("term")))
    if kind is RuleKind.DATES:
        return Rule(kind, dates=_dates(data.get("dates")))
    month, day = data.get("month"), data.get("day")
    if not isinstance(month, int) or not 1 <= month <= 12:
        raise FestivalRuleError("month")
    if not isinstance(day, int) or not _is_day(kind, month, day):
        raise FestivalRuleError("day")
    return Rule(kind, month, day)


def _term(value: object) -> str:
    if not isinstance(value, str) or value not in lunar.TERMS:
        raise FestivalRuleError("term")
    return value


def _dates(values: object) -> tuple[date, ...]:
    if not isinstance(values, list) or not values:
        raise FestivalRuleError("dates")
    try:
        return tuple(sorted({date.fromisoformat(value) for value in values}))
    except (TypeError, ValueError) as error:
        raise FestivalRuleError("dates") from error


def _is_day(kind: RuleKind, month: int, day: int) -> bool:
    if kind is RuleKind.SOLAR:
        return _exists(_LEAP_YEAR, month, day)
    return day == lunar.LAST_DAY_OF_YEAR or 1 <= day <= 30


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Shipped:
    """A festival that every installation begins with."""

    code: str
    name_zh: str
    name_en: str
    rule: Rule


def _solar(month: int, day: int) -> Rule:
    return Rule(RuleKind.SOLAR, month, day)


def _lunar(month: int, day: int) -> Rule:
    return Rule(RuleKind.LUNAR, month, day)


SHIPPED: Final[tuple[Shipped, ...]] = (
    Shipped("new_year", "元旦", "New Year", _solar(1, 1)),
    Shipped("laba", "腊八节", "Laba Festival", _lunar(12, 8)),
    Shipped("spring_eve", "除夕", "Lunar New Year's Eve", _lunar(12, lunar.LAST_DAY_OF_YEAR)),
    Shipped("spring_festival", "春节", "Lunar New Year", _lunar(1, 1)),
    Shipped("lantern", "元宵节", "Lantern Festival", _lunar(1, 15)),
    Shipped("valentine", "情人节", "Valentine's Day", _solar(2, 14)),
    Shipped("womens_day", "妇女节", "Women's Day", _solar(3, 8)),
    Shipped("qingming", "清明节", "Qingming", Rule(RuleKind.TERM, term="qingming")),
    Shipped("labour_day", "劳动节", "Labour Day", _solar(5, 1)),
    Shipped("dragon_boat", "端午节", "Dragon Boat Festival", _lunar(5, 5)),
    Shipped("childrens_day", "儿童节", "Children's Day", _solar(6, 1)),
    Shipped("qixi", "七夕", "Qixi Festival", _lunar(7, 7)),
    Shipped("teachers_day", "教师节", "Teachers' Day", _solar(9, 10)),
    Shipped("mid_autumn", "中秋节", "Mid-Autumn Festival", _lunar(8, 15)),
    Shipped("national_day", "国庆节", "National Day", _solar(10, 1)),
    Shipped("double_ninth", "重阳节", "Double Ninth Festival", _lunar(9, 9)),
    Shipped("dongzhi", "冬至", "Winter Solstice", Rule(RuleKind.TERM, term="dongzhi")),
    Shipped("christmas", "圣诞节", "Christmas", _solar(12, 25)),
)


def falling_on(day: date, rules: Iterable[tuple[str, Rule]]) -> list[str]:
    """Return the codes of the festivals that are on a day."""
    return [code for code, rule in rules if rule.days_between(day, day)]
