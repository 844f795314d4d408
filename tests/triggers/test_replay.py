"""Weeks of a shop with all automations on, day by day, against an independent reading of the table.

The same when the scheduler is down for three days, runs twice, and is killed in the middle.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from campaigns.domain.automations import AUTOMATIONS
from campaigns.domain.triggers import instant
from campaigns.models import CampaignAct, Message
from campaigns.services import automations, firing
from config.base import clock
from members.models import Member, MemberEvent, MemberProfile, Order
from members.services import events
from members.services.events import NewEvent
from rewards.models import Lot, PointsAccount
from tests.engine.shop import day
from tests.triggers import reading
from tests.triggers.reading import Person, Reader, Told
from tests.triggers.world import World

pytestmark = pytest.mark.req(
    "CMP-01", "ENG-11", "ENG-12", "ENG-14", "ENG-18", "ENG-26", "BEN-03", "PTS-07"
)  # fmt: skip

FIRST, LAST = 95, 136
DOWN = {108, 109, 110, 121, 122, 123}
TWICE = {100, 111, 124}
KILLED = {98, 111, 117, 124, 130}


def script() -> list[Person]:
    """Return forty members and what they do: before the automations are on, and after.

    Day 95 is 5 June; a fifth have been members for years, a fifth enrol meanwhile.
    """
    draw = random.Random(20260605)
    people = []
    for number in range(40):
        group = number % 5
        person = Person(f"m{number:02}", day(number // 2))
        if group == 0:
            on = date(2024 - number % 3, 6, 5) + timedelta(days=number)
            person.joined = instant(on, 15)
            person.first_purchase = on + timedelta(days=2) if number % 2 else None
        if group == 1:
            person.joined = day(96 + number % 32 + 0.1)
        if number % 2:
            person.born = (6 + number % 2, draw.randrange(1, 29))
        if group != 0:
            person.orders = list(_orders(person, number, draw))
        if group == 2:
            person.expires = clock.local_day(day(FIRST)) + timedelta(days=2 + number)
        if group == 3:
            person.asleep = [day(97 + number % 7), day(112 + number % 9), day(130.3)]
        people.append(person)
    return people


def _orders(person: Person, number: int, draw: random.Random) -> Iterator[reading.Order]:
    begins = 36 if number % 5 != 1 else (person.joined - day(0)).days + 1
    days = sorted(draw.sample(range(begins, 130), min(draw.randrange(0, 7), 130 - begins)))
    for place, on in enumerate(days):
        is_small = number % 5 == 4
        amount = draw.choice([20, 30, 60] if is_small else [80, 300, 600, 1200])
        order = reading.Order(f"{person.name}-{place}", day(on + 0.125), amount)
        if is_small and place >= 2 and draw.random() < 0.6:
            order.cancelled_at = day(on + draw.choice([1, 3]) + 0.25)
        yield order


class Stage:
    """A world in which the script is played."""

    def __init__(self, world: World, people: Sequence[Person]) -> None:
        self.world, self.people = world, people
        self.members: dict[str, Member] = {}
        self.todo = sorted(self._facts(), key=lambda fact: fact[0])

    def _facts(self) -> Iterator[tuple[datetime, str, Any]]:
        for person in self.people:
            yield max(person.joined, day(0)), "join", person
            for at in person.asleep:
                yield at, "asleep", person
            for order in person.orders:
                yield order.at, "buy", (person, order)
                if order.cancelled_at:
                    yield order.cancelled_at, "cancel", (person, order)

    def play_to(self, at: datetime) -> None:
        """Let everything happen up to an instant."""
        while self.todo and self.todo[0][0] <= at:
            when, what, about = self.todo.pop(0)
            number = (when - day(0)) / timedelta(days=1)
            if what == "join":
                self._join(about, number)
            elif what == "asleep":
                asleep = self.members[about.name].pk
                events.append(
                    [NewEvent(asleep, "lifecycle.changed", when, when, {"to": "dormant"})]
                )
            elif what == "buy":
                person, order = about
                member = self.members[person.name]
                self.world.buy(member, order.number, order.amount, on=number)
            else:
                self._cancel(about[0], about[1], number)

    def _join(self, person: Person, number: float) -> None:
        member = self.members[person.name] = self.world.join(person.name, at=number)
        born = dict(zip(("birth_month", "birth_day"), person.born or (None, None), strict=True))
        MemberProfile.objects.update_or_create(
            member=member, defaults={**born, "first_purchase_on": person.first_purchase}
        )
        Member.objects.filter(pk=member.pk).update(joined_at=person.joined)

    def _cancel(self, person: Person, order: reading.Order, number: float) -> None:
        placed = (order.at - day(0)) / timedelta(days=1)
        self.world.buy(
            self.members[person.name], order.number, order.amount, on=placed, version=2,
            changed=number, status="cancelled",
        )  # fmt: skip

    def let_points_expire(self) -> None:
        """Give the members of one group a lot that expires on their day."""
        for person in self.people:
            if person.expires is None:
                continue
            member = self.members[person.name]
            until = clock.day_start(person.expires + timedelta(days=1))
            self.world.adjust(member, 100, on=94.9)
            newest = Lot.objects.filter(member=member).order_by("-id")[:1].get()
            Lot.objects.filter(pk=newest.pk).update(expires_at=until)
            PointsAccount.objects.filter(member=member).update(next_due_at=until)

    def told(self) -> set[Told]:
        """Return what has been said, in the words of the script."""
        names = {member.pk: name for name, member in self.members.items()}
        orders = dict(Order.objects.values_list("pk", "order_no"))
        changes = self._changes()
        rows = Message.objects.values_list("member_id", "trigger", "occurrence")
        assert len(rows) == len(set(rows))
        found = set()
        for member, trigger, occurrence in rows:
            kind, _colon, key = occurrence.partition(":")
            said = f"order:{orders[int(key)]}" if kind == "order" else occurrence
            said = f"change:{changes[int(key)]}" if kind == "event" else said
            found.add((names[member], trigger.removeprefix("campaign:auto-"), said))
        return found

    def _changes(self) -> dict[int, int]:
        """Return which change of its member's stage an event is."""
        seen: dict[int, int] = {}
        places = {}
        changed = MemberEvent.objects.filter(kind="lifecycle.changed").order_by("occurred_at")
        for pk, member in changed.values_list("pk", "member_id"):
            places[pk] = seen.get(member, 0)
            seen[member] = places[pk] + 1
        return places


def start(world: World) -> Stage:
    """Play what comes before, and switch everything on at noon of the day before the first."""
    stage = Stage(world, script())
    stage.play_to(day(FIRST - 1))
    stage.let_points_expire()
    world.pass_to(day(FIRST - 1))
    automations.install(actor="t", at=day(FIRST - 1))
    for each in AUTOMATIONS:
        automations.switch_on(code=each.code, actor="t", at=day(FIRST - 1))
    return stage


def compare(stage: Stage, runs: Sequence[datetime]) -> None:
    """Hold what was said against the reading of the table."""
    expected = Reader(stage.people, day(FIRST - 1), runs).told()
    said = stage.told()
    assert said - expected == set(), "said, but not in the table"
    assert expected - said == set(), "in the table, but not said"
    kinds = {automation for _member, automation, _occurrence in said}
    assert len(kinds) >= 15, "the script is about most of the table"


@pytest.mark.prove
def test_each_member_is_told_what_the_table_says(world: World) -> None:
    stage = start(world)
    runs = [day(number) for number in range(FIRST, LAST)]
    for at in runs:
        stage.play_to(at)
        world.pass_to(at)
    compare(stage, runs)


def test_so_it_is_after_downtime_twice_and_killed_in_the_middle(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = start(world)
    runs, killer = [], Killer(monkeypatch)
    for number in sorted(set(range(FIRST, LAST)) - DOWN):
        at = day(number)
        stage.play_to(at)
        if number in KILLED:
            killer.kill(world, at)
            # What the dead run had claimed is free again when its lease is over.
            at += events.LEASE
        world.pass_to(at)
        runs.append(at)
        if number in TWICE:
            world.pass_to(at)
    assert killer.killed >= 3
    compare(stage, runs)
    assert CampaignAct.objects.filter(skipped="").count() == Message.objects.count()


class Killer:
    """Lets a run die after a number of acts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch, self.killed = monkeypatch, 0

    def kill(self, world: World, at: datetime) -> None:
        """Run until it dies, which it does if there is enough to do."""
        fire, calls = firing.fire, iter(range(10_000))

        def dying(**values: Any) -> firing.Fired:
            if next(calls) == 1:
                raise KeyboardInterrupt
            return fire(**values)

        with self.monkeypatch.context() as patched:
            patched.setattr(firing, "fire", dying)
            try:
                world.pass_to(at)
            except KeyboardInterrupt:
                self.killed += 1
