"""An independent reading of docs/automations.md: who is told what, from a plain script of facts.

Nothing of the product is used here: days are counted by hand, Beijing time is eight hours ahead.
The script names members and orders by text; the run instants are when the scheduler ran.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Told = tuple[str, str, str]


@dataclass
class Order:
    """One order; `cancelled_at` is when it was called off."""

    number: str
    at: datetime
    amount: int
    cancelled_at: datetime | None = None

    def counts(self, at: datetime) -> bool:
        """Say whether it is there and counts at an instant."""
        return self.at <= at and not (self.cancelled_at and self.cancelled_at <= at)


@dataclass
class Person:
    """One member of the script."""

    name: str
    joined: datetime
    born: tuple[int, int] | None = None
    first_purchase: date | None = None
    orders: list[Order] = field(default_factory=list)
    expires: date | None = None
    asleep: list[datetime] = field(default_factory=list)

    def counting(self, at: datetime) -> list[Order]:
        """Return the orders that count at an instant, by their placing."""
        return sorted((o for o in self.orders if o.counts(at)), key=lambda o: o.at)


def local(at: datetime) -> date:
    return at.astimezone(CHINA).date()


def clock_time(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=CHINA)


@dataclass
class Reader:
    """Reads the table for people, since when it is on, and the runs of the scheduler."""

    people: Sequence[Person]
    since: datetime
    runs: Sequence[datetime]

    def told(self) -> set[Told]:
        """Return everything that is said: member, automation, occurrence."""
        return {each for person in self.people for each in self._of(person)}

    def _run(self, at: datetime, hours: int) -> datetime | None:
        """Return the run that acts on what is due at an instant; None where that is too late."""
        run = next((run for run in self.runs if run >= at), None)
        return run if run is not None and run - at <= hours * HOUR else None

    def _of(self, person: Person) -> Iterator[Told]:
        for automation, occurrence in (
            *self._welcome(person), *self._orders(person), *self._tiers(person),
            *self._calendar(person), *self._asleep(person),
        ):  # fmt: skip
            yield person.name, automation, occurrence

    def _after(self, at: datetime, days: int, hours: int = 72) -> datetime | None:
        return self._run(clock_time(local(at) + days * DAY, 10), hours)

    def _welcome(self, person: Person) -> Iterator[tuple[str, str]]:
        if person.joined < self.since:
            return
        if self._run(person.joined, 72):
            yield "welcome-0", "enrolment"
        for days in (3, 7):
            run = self._after(person.joined, days)
            if run and not person.counting(run):
                yield f"welcome-{days}", "enrolment"

    def _orders(self, person: Person) -> Iterator[tuple[str, str]]:
        for order in person.orders:
            seen = next((run for run in self.runs if run >= order.at), None)
            if order.at < self.since or seen is None or not order.counts(seen):
                continue
            if self._run(order.at, 72):
                yield "points-reminder", f"order:{order.number}"
            if order.amount >= 500 and (run := self._after(order.at, 7)) and order.counts(run):
                yield "follow-up", f"order:{order.number}"
            if person.counting(seen)[0] is order:
                yield from self._first(person, order)

    def _first(self, person: Person, order: Order) -> Iterator[tuple[str, str]]:
        for days, automation in ((1, "first-order"), (14, "second-order")):
            run = self._after(order.at, days)
            if run and [o.number for o in person.counting(run)] == [order.number]:
                yield automation, "nth:1"

    def _tiers(self, person: Person) -> Iterator[tuple[str, str]]:
        spent, rank = 0, 0
        steps = [("silver", 1000), ("gold", 3000), ("diamond", 6000)]
        for order in sorted(person.orders, key=lambda o: o.at):
            if order.cancelled_at:
                continue
            spent += order.amount
            reached = sum(spent >= threshold for _tier, threshold in steps)
            if reached > rank and order.at >= self.since and self._run(order.at, 72):
                yield "tier-up", f"{steps[reached - 1][0]}:{local(order.at)}"
            rank = max(rank, reached)

    def _days(self, hour: int, hours: int) -> Iterator[tuple[date, datetime]]:
        """Yield the days on which something of an hour is said, and the run that says it."""
        day = local(self.since)
        while day <= local(self.runs[-1]):
            at = clock_time(day, hour)
            if at > self.since and (run := self._run(at, hours)):
                yield day, run
            day += DAY

    def _calendar(self, person: Person) -> Iterator[tuple[str, str]]:
        for day, _run in self._days(9, 13):
            if person.joined > clock_time(day, 9):
                continue
            if person.born == (day.month, day.day):
                yield "birthday", str(day.year)
            if day == date(2026, 6, 19):
                yield "festival-dragon-boat", f"dragon_boat:{day}"
        for day, _run in self._days(10, 48):
            years = day.year - local(person.joined).year
            if years and local(person.joined) == day.replace(year=day.year - years):
                yield "membership-anniversary", f"years:{years}"
            first = person.first_purchase
            if first and first == day.replace(year=first.year):
                yield "purchase-anniversary", f"years:{day.year - first.year}"
        for day, _run in self._days(10, 120):
            if day.day == 1 and person.joined <= clock_time(day, 10):
                yield "monthly-statement", str(day)
        yield from self._expiring(person)
        yield from self._dormant(person)

    def _expiring(self, person: Person) -> Iterator[tuple[str, str]]:
        for days, hours in ((30, 72), (7, 72), (1, 36)):
            for day, _run in self._days(10, hours):
                if person.expires and day == person.expires - days * DAY:
                    yield f"points-expiring-{days}", str(person.expires)

    def _dormant(self, person: Person) -> Iterator[tuple[str, str]]:
        for days in (60, 120):
            last_told: date | None = None
            for day, run in self._days(10, 72):
                counting = person.counting(run)
                last = local(counting[-1].at) if counting else None
                if last == day - days * DAY and not (last_told and day - last_told < 30 * DAY):
                    last_told = day
                    yield f"win-back-{days}", f"since:{last}"

    def _asleep(self, person: Person) -> Iterator[tuple[str, str]]:
        last_told: datetime | None = None
        for number, at in enumerate(person.asleep):
            acts = clock_time(local(at), 10)
            acts = acts if acts >= at else acts + DAY
            run = self._run(acts, 72)
            if run is None or any(order.at > at for order in person.counting(run)):
                continue
            if not (last_told and acts - last_told < 90 * DAY):
                last_told = acts
                yield "churn-risk", f"change:{number}"
