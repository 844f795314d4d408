"""Households of a retailer's real year as members, read from the retailer's own files.

What they bought and when is theirs. When they joined and were born, and what they agreed to, is
made up by their numbers. Nothing of the product is used.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property
from typing import Final

from tests.flows import journey_reference as reference

CHINA: Final = timezone(timedelta(hours=8))
DAY: Final = timedelta(days=1)
SINCE: Final = datetime(2016, 12, 31, 12, tzinfo=CHINA)
WITHDRAWN_AT: Final = datetime(2017, 2, 10, 8, tzinfo=CHINA)


def at_hour(day: date, hour: int) -> datetime:
    """Return an hour of a day."""
    return datetime.combine(day, time(hour), tzinfo=CHINA)


def next_of(instants: Sequence[datetime], at: datetime) -> datetime | None:
    """Return the first of some instants that is not before another."""
    place = bisect_left(instants, at)
    return instants[place] if place < len(instants) else None


def midnight(day: date) -> datetime:
    """Return the beginning of a day, as digits."""
    return datetime.combine(day, time())


def in_year(day: date, year: int) -> date:
    """Return a day of the year in another year; 29 February is 28 February where there is none."""
    is_leap = year % 4 == 0
    return (
        date(year, 2, 28)
        if (day.month, day.day) == (2, 29) and not is_leap
        else day.replace(year=year)
    )


@dataclass
class Household:
    """One household: what its baskets were, and what it was made to be besides."""

    number: int
    joined: datetime
    born: date
    baskets: list[reference.Basket]

    @cached_property
    def placed(self) -> list[datetime]:
        """Return when the orders were placed that count."""
        return [each.at.replace(tzinfo=CHINA) for each in self.counting]

    @cached_property
    def counting(self) -> list[reference.Basket]:
        """Return the baskets that are worth something."""
        return [each for each in self.baskets if each.amount > 0]

    @cached_property
    def year(self) -> reference.Household:
        """Return what the year and the weeks after it make of the household."""
        return reference.run(self.baskets, datetime.fromisoformat("2018-03-01T00:00:00"))

    def last_order(self, at: datetime) -> date | None:
        """Return the day of the last order placed by an instant."""
        place = bisect_right(self.placed, at)
        return self.placed[place - 1].date() if place else None

    # What they have agreed to

    @property
    def group(self) -> int:
        return self.number % 10

    @property
    def has_phone(self) -> bool:
        return self.group != 6

    @property
    def withdraws(self) -> bool:
        return self.group == 9 and self.joined < WITHDRAWN_AT

    @property
    def prefers(self) -> Sequence[str]:
        """Return the channels the household wants, in its own order."""
        return ("inbox", "sms") if self.number % 7 == 3 else ()

    @property
    def said(self) -> list[tuple[str, str, bool]]:
        """Return what the household said when it joined: purpose, channel, yes or no."""
        if self.group == 5:
            return [("marketing", "inbox", True)]
        if self.group == 7:
            return []
        refused = [("service", "sms", False)] if self.group == 8 else []
        return [("marketing", "", True), *refused]

    def channel(self, purpose: str, at: datetime) -> str:
        """Return by which channel it may be written to, or that it may not."""
        order = self.prefers or ("sms", "inbox")
        for channel in order:
            if channel == "sms" and not self.has_phone:
                continue
            if purpose == "service":
                if ("service", channel, False) not in self.said:
                    return channel
            elif not (self.withdraws and at >= WITHDRAWN_AT) and (
                {("marketing", "", True), ("marketing", channel, True)} & set(self.said)
            ):
                return channel
        return "no_consent"


def households(count: int) -> list[Household]:
    """Return households of the year; every fourth was a member before, some for years."""
    return [_household(*each) for each in sorted(reference.baskets_of(count).items())]


def _household(number: int, baskets: list[reference.Basket]) -> Household:
    joined = baskets[0].at.replace(tzinfo=CHINA)
    if number % 8 == 2:
        joined -= timedelta(days=number % 13)
    if number % 8 == 6:
        # 29 February 2016 is among the days.
        joined = datetime(2014, 1, 1, 15, tzinfo=CHINA) + timedelta(days=number * 7 % 1000)
    if number == 14:
        joined = datetime(2016, 2, 29, 15, tzinfo=CHINA)
    born = date(1952, 2, 29) if number % 50 == 7 else date(1950, 1, 1) + number * 37 % 18_000 * DAY
    return Household(number, joined, born, baskets)
