"""What is said of a member as a customer: bands, class, lifecycle stage, value.

All of it follows from what the member did up to a programme day and from the policy: the same
again gives the same again, and a refund or a late order gives what would have been said anyway.
An order counts while it is not cancelled and its net amount, after refunds, is positive. Windows
are the last so many programme days, today included.

**Bands.** Orders in the window: `high` from `frequency_high` on, `medium` from `frequency_medium`
on, `low` below. Net amount in the window likewise.

**Class**, the first that holds:
1. `churned`: the last order is at least `churned_days` ago, and the member is dormant.
2. `new`: the first order (without one: enrolment) is less than `new_days` ago.
3. `high_end`: the monetary band is high.
4. `loyal`: the frequency band is high, or medium and the member is not dormant.
5. `potential`: all others.

**Stage**, the first that holds:
1. `acquire`: no order counts.
2. `dormant`: nothing bought since `dormant_on`.
3. `won_back`: bought again while dormant, less than `won_back_days` ago.
4. `advocate`: the current value is at least `advocate_value`, whatever the tier.
5. `retain`: at least `retain_orders` orders in the window.
6. `nurture`: at least two orders ever. 7. `activate`: the first order.

Source: SEG-01, SEG-02, SEG-08, SEG-13, SEG-14, SEG-15.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from members.domain import rhythm, value
from members.domain.rhythm import Dormancy, Rhythm
from members.domain.value import Inputs, Marks, Value


class Band(StrEnum):
    """How often, or how much, a member buys."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class CustomerClass(StrEnum):
    """The one class that a member is in."""

    HIGH_END = "high_end"
    LOYAL = "loyal"
    POTENTIAL = "potential"
    CHURNED = "churned"
    NEW = "new"


class Stage(StrEnum):
    """Where a member stands in the lifecycle."""

    ACQUIRE = "acquire"
    ACTIVATE = "activate"
    NURTURE = "nurture"
    RETAIN = "retain"
    ADVOCATE = "advocate"
    DORMANT = "dormant"
    WON_BACK = "won_back"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the policy says. Units: minor units, days, orders, scores from 0 to 100."""

    window_days: int = 365
    growth_days: int = 90
    frequency_high: int = 24
    frequency_medium: int = 6
    monetary_high: int = 300_000
    monetary_medium: int = 100_000
    new_days: int = 90
    churned_days: int = 180
    retain_orders: int = 4
    won_back_days: int = 90
    advocate_value: int = 80
    dormancy: Dormancy = field(default_factory=Dormancy)
    marks: Marks = field(default_factory=Marks)


@dataclass(frozen=True, slots=True)
class History:
    """What a member did, day by day in order, also beyond the day that is looked at.

    `margins` is None for orders of unknown cost; `firsts` are the days on which something of a
    category (of an article without one) was first bought; `surveys` are (day, score of ten).
    Units: minor units.
    """

    joined_on: date
    days: Sequence[date] = ()
    amounts: Sequence[int] = ()
    margins: Sequence[int | None] = ()
    firsts: Sequence[date] = ()
    referrals: Sequence[date] = ()
    reviews: Sequence[date] = ()
    surveys: Sequence[tuple[date, int]] = ()


@dataclass(frozen=True, slots=True)
class Insight:
    """What is said of one member on one day. Units: minor units.

    `stage_on` is since when the stage holds where the history alone says so. `review_on` is the
    next day on which time alone can change anything.
    """

    stage: Stage
    stage_on: date | None
    customer_class: CustomerClass
    frequency_band: Band
    monetary_band: Band
    orders_total: int
    spent_total: int
    margin_total: int | None
    orders: int
    spent: int
    first_on: date | None
    last_on: date | None
    rhythm: Rhythm
    value: Value
    review_on: date | None


def band(found: int, medium: int, high: int) -> Band:
    """Return the one band that a number is in."""
    if found >= high:
        return Band.HIGH
    return Band.MEDIUM if found >= medium else Band.LOW


@dataclass(frozen=True, slots=True)
class _Look:
    """A member's history up to a day: the orders are those from `start` to before `until`."""

    history: History
    today: date
    terms: Terms
    until: int
    start: int
    rhythm: Rhythm

    @property
    def first_on(self) -> date | None:
        return self.history.days[0] if self.until else None

    @property
    def last_on(self) -> date | None:
        return self.history.days[self.until - 1] if self.until else None

    @property
    def is_dormant(self) -> bool:
        return self.rhythm.dormant_on is not None and self.today >= self.rhythm.dormant_on

    def orders_of_days(self, count: int) -> int:
        """Return the place of the first order within the last so many days."""
        return bisect_left(self.history.days, _first_of(self.today, count), 0, self.until)


def assess(history: History, today: date, terms: Terms) -> Insight:
    """Return what is to be said of a member on a day."""
    until = bisect_right(history.days, today)
    start = bisect_left(history.days, _first_of(today, terms.window_days), 0, until)
    found = rhythm.read(history.days[:until], terms.dormancy)
    look = _Look(history, today, terms, until, start, found)
    orders, spent = until - start, sum(history.amounts[start:until])
    frequency = band(orders, terms.frequency_medium, terms.frequency_high)
    monetary = band(spent, terms.monetary_medium, terms.monetary_high)
    appraised = value.appraise(_inputs(look), terms.marks)
    stage, stage_on = _stage(look, appraised.current)
    return Insight(
        stage=stage,
        stage_on=stage_on,
        customer_class=_class(look, frequency, monetary),
        frequency_band=frequency,
        monetary_band=monetary,
        orders_total=until,
        spent_total=sum(history.amounts[:until]),
        margin_total=_known(history.margins[:until]),
        orders=orders,
        spent=spent,
        first_on=look.first_on,
        last_on=look.last_on,
        rhythm=found,
        value=appraised,
        review_on=_review_on(look),
    )


def _first_of(today: date, count: int) -> date:
    """Return the first of so many days that end with today."""
    return today - timedelta(days=count - 1)


def _known(margins: Sequence[int | None]) -> int | None:
    known = [margin for margin in margins if margin is not None]
    return sum(known) if known else None


def _inputs(look: _Look) -> Inputs:
    history, today, terms = look.history, look.today, look.terms
    recent = look.orders_of_days(terms.growth_days)
    before = look.orders_of_days(2 * terms.growth_days)
    since = _first_of(today, terms.window_days)
    scores = [score for day, score in history.surveys if since <= day <= today]
    return Inputs(
        orders=look.until - look.start,
        amount=sum(history.amounts[look.start : look.until]),
        margin=_known(history.margins[look.start : look.until]),
        amount_recent=sum(history.amounts[recent : look.until]),
        amount_before=sum(history.amounts[before:recent]),
        referrals=_between(history.referrals, since, today),
        reviews=_between(history.reviews, since, today),
        survey_score=scores[-1] if scores else None,
        new_groups=_new_groups(look),
    )


def _new_groups(look: _Look) -> int:
    """Count what was bought for the first time lately; a member's first day is no sign of it."""
    if look.first_on is None:
        return 0
    since = max(_first_of(look.today, look.terms.growth_days), look.first_on + timedelta(days=1))
    return _between(look.history.firsts, since, look.today)


def _between(days: Sequence[date], first: date, last: date) -> int:
    return max(0, bisect_right(days, last) - bisect_left(days, first))


def _stage(look: _Look, current: int) -> tuple[Stage, date | None]:
    if look.first_on is None:
        return Stage.ACQUIRE, look.history.joined_on
    if look.is_dormant:
        return Stage.DORMANT, look.rhythm.dormant_on
    returned, terms = look.rhythm.returned_on, look.terms
    if returned is not None and look.today < returned + timedelta(days=terms.won_back_days):
        return Stage.WON_BACK, returned
    if current >= terms.advocate_value:
        return Stage.ADVOCATE, None
    if look.until - look.start >= terms.retain_orders:
        return Stage.RETAIN, None
    if look.until > 1:
        return Stage.NURTURE, None
    return Stage.ACTIVATE, look.first_on


def _class(look: _Look, frequency: Band, monetary: Band) -> CustomerClass:
    terms, last_on = look.terms, look.last_on
    if last_on and look.is_dormant and (look.today - last_on).days >= terms.churned_days:
        return CustomerClass.CHURNED
    if (look.today - (look.first_on or look.history.joined_on)).days < terms.new_days:
        return CustomerClass.NEW
    if monetary is Band.HIGH:
        return CustomerClass.HIGH_END
    if frequency is Band.HIGH or (frequency is Band.MEDIUM and not look.is_dormant):
        return CustomerClass.LOYAL
    return CustomerClass.POTENTIAL


def _review_on(look: _Look) -> date | None:
    """Return the next day on which a threshold is reached, or something leaves a window."""
    history, today, terms, found = look.history, look.today, look.terms, look.rhythm
    coming = [(look.first_on or history.joined_on) + timedelta(days=terms.new_days)]
    if found.dormant_on is not None and look.last_on is not None:
        coming += [found.dormant_on, look.last_on + timedelta(days=terms.churned_days)]
    if found.returned_on is not None:
        coming.append(found.returned_on + timedelta(days=terms.won_back_days))
    surveys = [day for day, _score in history.surveys]
    windows = (
        (history.days, terms.window_days), (history.days, terms.growth_days),
        (history.days, 2 * terms.growth_days), (history.firsts, terms.growth_days),
        (history.referrals, terms.window_days), (history.reviews, terms.window_days),
        (surveys, terms.window_days),
    )  # fmt: skip
    for days, width in windows:
        oldest = bisect_right(days, today - timedelta(days=width))
        coming += [day + timedelta(days=width) for day in days[oldest : oldest + 1]]
        ahead = bisect_right(days, today)
        coming += days[ahead : ahead + 1]
    return min((day for day in coming if day > today), default=None)
