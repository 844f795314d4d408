"""A retailer's real year with all automations on, day by day, against a reading of the table.

What the households bought is theirs; when they were born, joined and what they agreed to is made
up, so that the table has something to say of it.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from campaigns.domain.automations import AUTOMATIONS
from campaigns.models import CampaignAct, Message
from campaigns.services import firing
from tests.triggers.fates import by_fate, by_name
from tests.triggers.real_people import Household, households
from tests.triggers.real_year import RealYear, slots
from tests.triggers.table import Reading

pytestmark = [
    pytest.mark.prove,
    pytest.mark.req(
        "CMP-01", "CMP-03", "CMP-08", "ENG-11", "ENG-12", "ENG-13", "ENG-14", "ENG-18", "ENG-26",
        "BEN-03", "PTS-07", "MEM-07", "MEM-11", "MEM-14",
    ),
]  # fmt: skip

EVERYBODY, SOME = 2_469, 150
NEW_YEAR = date(2017, 1, 1)
# By then points of the first January have expired, and many are asleep.
WEEKS_AFTER = date(2018, 2, 22)
PART = date(2017, 3, 15)
# Members enrol, the Lunar New Year comes, and some have been away for 60 days.
DOWN = {
    first + timedelta(days=number)
    for first in (date(2017, 1, 5), date(2017, 1, 28), date(2017, 3, 3))
    for number in range(3)
}
# Nobody buys for so much at once, and nobody who has reached a tier stops buying for a year.
NEVER_HEARD = {"follow-up-call", "tier-lapsing"}


@pytest.fixture
def shop(own_database: str, settings: Settings) -> None:
    settings.LOYALTY_CLOCK = "due"
    settings.LOYALTY_SMS_PROVIDER = "console"
    logging.getLogger("campaigns.channels.sms").setLevel(logging.WARNING)


def compare(year: RealYear, people: Sequence[Household], runs: Sequence[datetime]) -> set[str]:
    """Hold what was said against the reading of the table; return what was spoken of."""
    reading = Reading(people, runs)
    said, expected = year.told(), list(reading.outcomes())
    for count in (by_name, by_fate):
        assert count(said) - count(expected) == {}, "said, but not in the table"
        assert count(expected) - count(said) == {}, "in the table, but not said"
    assert sorted(year.called()) == sorted(reading.calls())
    fates = {one.outcome for one in said}
    assert {"sms", "inbox", "no_consent", "frequency_cap"} <= fates
    return {one.automation for one in said}


@pytest.mark.usefixtures("shop")
def test_everybody_is_told_what_the_table_says_in_the_whole_year() -> None:
    people = households(EVERYBODY)
    year, runs = RealYear(people), slots(NEW_YEAR, WEEKS_AFTER)
    for at in runs:
        year.report(at)
        year.run(at)
    spoken_of = compare(year, people, runs)
    assert spoken_of == {each.code for each in AUTOMATIONS} - NEVER_HEARD


@pytest.mark.usefixtures("shop")
def test_nothing_is_said_of_what_downtime_has_made_old_news() -> None:
    people = households(SOME)
    year = RealYear(people)
    runs = live(year, slots(NEW_YEAR, PART), down=DOWN)
    compare(year, people, runs)
    assert any(one.outcome == "stale" for one in year.told())


@pytest.mark.usefixtures("shop")
def test_a_scheduler_that_runs_twice_says_everything_once() -> None:
    people = households(SOME)
    year = RealYear(people)
    runs = slots(NEW_YEAR, PART)
    for at in runs:
        year.report(at)
        year.run(at)
        before = Message.objects.count()
        year.run(at)
        assert Message.objects.count() == before
    compare(year, people, runs)


@pytest.mark.usefixtures("shop")
def test_a_scheduler_that_is_killed_in_the_middle_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    people = households(SOME)
    year, runs, killer = RealYear(people), slots(NEW_YEAR, PART), Killer(monkeypatch)
    for number, at in enumerate(runs):
        year.report(at)
        year.run(at, after_death=killer.kill(year, at, after=number % 4))
    assert killer.killed >= len(runs) // 2
    compare(year, people, runs)
    spoken = CampaignAct.objects.filter(skipped="").exclude(campaign__code="auto-follow-up-call")
    assert spoken.count() == Message.objects.count()


def live(year: RealYear, runs: Sequence[datetime], down: Collection[date]) -> list[datetime]:
    """Let days pass; on some the tills report and the scheduler is down. Return when it ran."""
    ran = []
    for at in runs:
        year.report(at)
        if at.date() not in down:
            year.run(at)
            ran.append(at)
    return ran


class Killer:
    """Lets a run die after a number of firings."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch, self.killed = monkeypatch, 0

    def kill(self, year: RealYear, at: datetime, *, after: int) -> bool:
        """Run until it dies, which it does if there is enough to do; say whether it has."""
        fire, calls = firing.fire, iter(range(10_000))

        def dying(**values: Any) -> firing.Fired:
            fired = fire(**values)
            if next(calls) == after:
                raise KeyboardInterrupt
            return fired

        with self.monkeypatch.context() as patched:
            patched.setattr(firing, "fire", dying)
            try:
                year.run(at)
            except KeyboardInterrupt:
                self.killed += 1
                return True
        return False
