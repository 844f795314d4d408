"""Which gifts follow from an order, from entering a tier, and from a day of the calendar.

A gift is named by its rule and an occurrence; a member gets each once. Deciding says which are
wanted; the unique row of the grant says which are given.

Source: ENG-06, ENG-07, BEN-02, RWD-04, PTS-13.
"""

from calendar import isleap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from config.base import clock

Facts = Mapping[str, object]

ONCE: Final = "once"
EVER: Final = "ever"


class Trigger(StrEnum):
    """What a gift follows from."""

    ORDER = "order"
    TIER_ENTERED = "tier_entered"
    BIRTHDAY = "birthday"
    TENURE = "tenure"


class Repeat(StrEnum):
    """How often one member can be given the same gift."""

    ONCE = "once"
    CYCLE = "cycle"
    YEAR = "year"
    EACH = "each"


class StepMode(StrEnum):
    """Which steps are given."""

    HIGHEST = "highest"
    ALL = "all"


class StepWindow(StrEnum):
    """Over which purchases a step counts."""

    ORDER = "order"
    MONTH = "month"
    YEAR = "year"
    LIFETIME = "lifetime"


class StepMetric(StrEnum):
    """What a step counts."""

    SPEND = "spend"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Step:
    """What is given from a threshold on.

    Units: money or a number of orders for orders, the rank of the tier for days of the calendar.
    """

    key: int
    threshold: Decimal


@dataclass(frozen=True, slots=True)
class GrantSpec:
    """One version of one grant rule; `key` is the stored version, steps rise.

    `applies` is the compiled condition, None where there is none; `asks_member` says whether it
    needs to know more of the member than the tier.
    """

    rule: int
    code: str
    key: int
    trigger: Trigger
    steps: tuple[Step, ...]
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    applies: Callable[[Facts], bool] | None = field(default=None, compare=False)
    asks_member: bool = False
    tier: str = ""
    years: tuple[int, ...] = ()
    repeat: Repeat = Repeat.ONCE
    step_mode: StepMode = StepMode.HIGHEST
    step_window: StepWindow = StepWindow.ORDER
    step_metric: StepMetric = StepMetric.SPEND

    def is_valid(self, at: datetime) -> bool:
        """Say whether the version holds at an instant."""
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_until is None or at < self.valid_until)

    @property
    def is_cumulative(self) -> bool:
        """Say whether more than the one order counts."""
        return self.step_window is not StepWindow.ORDER

    def reached(self, value: Decimal) -> list[Step]:
        """Return the steps that a value gives: the highest that it reaches, or all of them."""
        steps = [step for step in self.steps if step.threshold <= value]
        return steps if self.step_mode is StepMode.ALL else steps[-1:]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A gift that something gives to a member, unless it was given before."""

    member: int
    spec: GrantSpec
    step: Step
    occurrence: str
    evidence: Mapping[str, Any]
    order: int | None = None


class GrantBook:
    """The grant rules of all times, by what they follow from."""

    def __init__(self, specs: Iterable[GrantSpec] = ()) -> None:
        self.specs = {spec.key: spec for spec in specs}
        self._by_trigger: dict[Trigger, list[GrantSpec]] = {trigger: [] for trigger in Trigger}
        for spec in sorted(self.specs.values(), key=lambda spec: (spec.rule, spec.key)):
            self._by_trigger[spec.trigger].append(spec)

    def has(self, trigger: Trigger) -> bool:
        """Say whether anything follows from this at all, at whatever time."""
        return bool(self._by_trigger[trigger])

    def at(self, trigger: Trigger, at: datetime) -> list[GrantSpec]:
        """Return the rules of a trigger that are valid at an instant, in a fixed order."""
        return [spec for spec in self._by_trigger[trigger] if spec.is_valid(at)]


def order_window(
    spec: GrantSpec, order: int, placed_at: datetime
) -> tuple[str, date | None, date | None]:
    """Return the name of the window of an order, and its first day and the one after its last."""
    day = clock.local_day(placed_at)
    if spec.step_window is StepWindow.ORDER:
        return f"order:{order}", None, None
    if spec.step_window is StepWindow.MONTH:
        first = day.replace(day=1)
        return f"{day:%Y-%m}", first, clock.add_months(first, 1)
    if spec.step_window is StepWindow.YEAR:
        return str(day.year), date(day.year, 1, 1), date(day.year + 1, 1, 1)
    return EVER, None, None


def of_order(
    spec: GrantSpec, *, member: int, order: int, placed_at: datetime, value: Decimal
) -> list[Wanted]:
    """Return the gifts that an order that counts gives; `value` is what its window adds up to."""
    window, _first, _end = order_window(spec, order, placed_at)
    base = window
    if spec.repeat is Repeat.ONCE:
        base = ONCE
    elif spec.repeat is Repeat.YEAR:
        base = str(clock.local_day(placed_at).year)
    return [
        Wanted(
            member, spec, step, occurrence(spec, base, step),
            {"window": window, "value": str(value), "threshold": str(step.threshold)}, order,
        )
        for step in spec.reached(value)
    ]  # fmt: skip


def occurrence(spec: GrantSpec, base: str, step: Step) -> str:
    """Return the name of an occurrence; of a rule with several steps each has its own."""
    return base if len(spec.steps) == 1 else f"{base}:{step.threshold.normalize():f}"


def of_tier(
    spec: GrantSpec, *, member: int, rank: int, at: datetime, evidence: Mapping[str, Any]
) -> list[Wanted]:
    """Return the gifts on entering a tier at an instant."""
    day = clock.local_day(at)
    base = {
        Repeat.ONCE: "tier",
        Repeat.CYCLE: f"cycle:{day.isoformat()}",
        Repeat.YEAR: str(day.year),
        Repeat.EACH: at.isoformat(),
    }[spec.repeat]
    told = {**evidence, "tier": spec.tier, "entered_at": at.isoformat()}
    return [
        Wanted(member, spec, step, occurrence(spec, base, step), told)
        for step in spec.reached(Decimal(rank))
    ]


def cycle_is_over(last_given_at: datetime, at: datetime, validity_days: int) -> bool:
    """Say whether a new qualification cycle may have begun since a gift of one was given.

    A cycle lasts as long as a tier is kept: who loses the tier and comes back within it has had the
    gift of this cycle, on whatever day the standing begins.
    """
    return (clock.local_day(at) - clock.local_day(last_given_at)).days > validity_days


def of_birthday(spec: GrantSpec, *, member: int, rank: int, day: date) -> list[Wanted]:
    """Return the gift of a birthday: one a year, by the rank held on the day."""
    return _of_day(spec, member, rank, str(day.year), {"day": day.isoformat()})


def of_tenure(spec: GrantSpec, *, member: int, rank: int, years: int, day: date) -> list[Wanted]:
    """Return the gift of so many years of membership: one per milestone."""
    return _of_day(spec, member, rank, f"years:{years}", {"day": day.isoformat(), "years": years})


def _of_day(
    spec: GrantSpec, member: int, rank: int, base: str, evidence: Mapping[str, Any]
) -> list[Wanted]:
    """Return one gift: a second one, when the rank has risen, is the same occurrence."""
    steps = [step for step in spec.steps if step.threshold <= rank]
    told = {**evidence, "rank": rank}
    return [Wanted(member, spec, step, base, told) for step in steps[-1:]]


def birthdays_of(day: date) -> list[tuple[int, int]]:
    """Return the months and days of birth whose birthday is celebrated on a day.

    29 February as in every other anniversary of the programme.
    """
    found = [(day.month, day.day)]
    leap = date(2000, 2, 29)
    if found != [(2, 29)] and clock.anniversary(leap, day.year) == day:
        found.append((2, 29))
    return found


def joined_on(day: date, years: int) -> list[date]:
    """Return the days of enrolment whose anniversary after so many years is a day."""
    year = day.year - years
    candidates = [
        date(year, month, of_month) for month, of_month in _valid(birthdays_of(day), year)
    ]
    return [joined for joined in candidates if clock.anniversary(joined, day.year) == day]


def _valid(days: Sequence[tuple[int, int]], year: int) -> list[tuple[int, int]]:
    return [(month, day) for month, day in days if isleap(year) or (month, day) != (2, 29)]
