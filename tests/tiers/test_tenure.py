"""Tenure: which day it is reached on, frozen days counted or not, known in advance."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.base import clock
from tests.tiers.ladders import JOINED_AT, TIERS, entry, spend
from tiers.domain import advice
from tiers.domain.ladder import Criterion, Ladder, LadderBook, Metric
from tiers.domain.qualification import TierFold
from tiers.domain.state import Suspension
from tiers.domain.windows import NEVER, Anchors, TenureUnit

pytestmark = pytest.mark.req("TIR-12")
DAY = timedelta(days=1)


def book(
    *, frozen_counts: bool, unit: TenureUnit = TenureUnit.DAYS, length: int = 100
) -> LadderBook:
    criterion = Criterion(Metric.TENURE, threshold=length, unit=unit)
    ladder = Ladder(
        1, None, TIERS, (entry(1, (criterion,)),), tenure_counts_suspension=frozen_counts
    )
    return LadderBook([ladder])


def frozen(first: float, end: float | None) -> Suspension:
    """Return a suspension; days count from enrolment, at its time of day."""
    return JOINED_AT + first * DAY, None if end is None else JOINED_AT + end * DAY


def reached(*suspensions: Suspension, frozen_counts: bool = False) -> int | None:
    """Return on which day after enrolment a tenure of 100 days makes silver, if ever."""
    fold = TierFold.enrol(JOINED_AT, suspensions=suspensions)
    due = fold.next_due_at(book(frozen_counts=frozen_counts))
    return None if due is None else (clock.local_day(due) - clock.local_day(JOINED_AT)).days


@pytest.mark.parametrize(
    ("suspensions", "day"),
    [
        ([], 100),
        ([frozen(10, 17)], 107),
        ([frozen(10, 10.2)], 100),
        ([frozen(10, 12), frozen(12.1, 13), frozen(60, 65)], 108),
        ([frozen(99, 109)], 110),
        ([frozen(100, 120)], 100),
        ([frozen(90, 100), frozen(105, 106)], 111),
        ([frozen(90, 100), frozen(110, 120)], 110),
        ([frozen(99, None)], None),
        ([frozen(100, None)], 100),
    ],
)
def test_each_frozen_day_puts_the_day_off_by_one(
    suspensions: list[Suspension], day: int | None
) -> None:
    assert reached(*suspensions) == day
    assert reached(*suspensions, frozen_counts=True) == 100


@given(
    bounds=st.lists(st.integers(0, 200), unique=True, max_size=8),
    length=st.integers(1, 120),
    unit=st.sampled_from(TenureUnit),
    joined=st.dates(date(2019, 1, 1), date(2024, 12, 31)),
)
def test_tenure_is_complete_from_the_day_it_is_reached_on(
    bounds: list[int], length: int, unit: TenureUnit, joined: date
) -> None:
    start = joined.toordinal()
    days = [start + bound for bound in sorted(bounds)]
    suspended = list(zip(days[::2], [*days[1::2], NEVER], strict=False))
    anchors = Anchors(start, start, suspended)
    day = anchors.tenure_reached(unit, length, frozen_counts=False)
    if day is None:
        assert anchors.tenure(unit, start + 100_000, frozen_counts=False) < length
        return
    assert anchors.tenure(unit, day, frozen_counts=False) >= length
    assert anchors.tenure(unit, day - 1, frozen_counts=False) < length


def test_a_freeze_that_goes_on_stops_the_tenure_and_its_end_lets_it_go_on() -> None:
    ladders = book(frozen_counts=False)
    fold = TierFold.enrol(JOINED_AT, suspensions=[frozen(40, None)])
    fold.settle(JOINED_AT + 300 * DAY, ladders)
    assert fold.rank == 0
    again = TierFold.from_json(json.loads(json.dumps(fold.to_json())), [frozen(40, 310)])
    again.settle(JOINED_AT + 369 * DAY, ladders)
    assert again.rank == 0
    again.settle(JOINED_AT + 370 * DAY, ladders)
    assert again.rank == 1
    (change,) = [each for each in again.changes if each.rank == 1]
    (criterion,) = change.evidence["checks"][0]["criteria"]
    assert (criterion["value"], criterion["threshold"], criterion["unit"]) == (100, 100, "days")
    assert change.evidence["tenure"] == 100


@pytest.mark.parametrize(("end", "needed"), [(None, 60), (310, 65)])
def test_advice_tells_the_days_to_wait(end: float | None, needed: int) -> None:
    ladders = book(frozen_counts=False)
    fold = TierFold.enrol(JOINED_AT, suspensions=[frozen(40, end)])
    at = JOINED_AT + 305 * DAY
    (gap,) = advice.progress_report(fold, ladders, at)
    assert (gap["value"], gap["threshold"], gap["needed"]) == (40, 100, needed)


def test_the_copy_that_reads_settle_keeps_the_suspensions() -> None:
    fold = TierFold.enrol(JOINED_AT, suspensions=[frozen(10, 20)])
    assert fold.copy().next_due_at(book(frozen_counts=False)) == fold.next_due_at(
        book(frozen_counts=False)
    )


def test_tenure_may_be_one_of_two_conditions() -> None:
    both = (Criterion(Metric.TENURE, threshold=12), spend(50_000))
    ladders = LadderBook([Ladder(1, None, TIERS, (entry(1, both),))])
    fold = TierFold.enrol(datetime(2026, 1, 10, tzinfo=UTC))
    assert fold.next_due_at(ladders) == clock.day_start(date(2027, 1, 10))
    fold.settle(datetime(2027, 6, 1, tzinfo=UTC), ladders)
    assert fold.rank == 0
