"""The fold against a plain reference, and against itself from snapshots."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.base import clock
from tests.tiers.ladders import (
    JOINED_AT,
    YEAR,
    classic_ladder,
    varied_ladder,
)
from tests.tiers.reference import PlainMember
from tiers.domain.ladder import (
    Ladder,
    LadderBook,
    RefundPolicy,
    ReviewPolicy,
)
from tiers.domain.progress import Contribution
from tiers.domain.qualification import TierFold
from tiers.domain.windows import CALENDAR_YEAR, CURRENT_STANDING, Window, rolling

FACTS = st.lists(
    st.tuples(
        st.sampled_from(["order", "order", "order", "change", "change", "interact", "late"]),
        st.integers(min_value=0, max_value=40 * 24),
        st.integers(min_value=0, max_value=25),
        st.sampled_from([0, 1, 100, 400, 500, 999, 1000, 1500, 3000]),
    ),
    max_size=30,
)
GAPS = st.sampled_from([1, 1, 1, 6, 30])
POLICIES = st.sampled_from(list(RefundPolicy))
REVIEWS = st.sampled_from(list(ReviewPolicy))


def replay(ladder: Ladder, facts: list[tuple[str, int, int, int]], scale: int, gap: int) -> Any:
    """Tell the same facts to the fold, to its snapshots and to the reference."""
    book = LadderBook([ladder])
    fold = TierFold.enrol(JOINED_AT)
    plain = PlainMember(ladder, JOINED_AT)
    stored = fold.to_json()
    changes = list(fold.changes)
    at = JOINED_AT
    for number, (what, hours, pick, amount) in enumerate(facts):
        at += timedelta(hours=hours * gap)
        again = TierFold.from_json(json.loads(json.dumps(stored)))
        for each in (fold, again):
            _tell(each, plain, book, (what, at, pick, amount * scale, number))
        _tell_plain(plain, (what, at, pick, amount * scale, number))
        stored = again.to_json()
        assert stored == fold.to_json()
        changes += again.changes
    end = at + timedelta(days=1500)
    fold.settle(end, book)
    plain.settle(end)
    return fold, plain, changes


def _target(plain: PlainMember, at: datetime, what: str, pick: int, number: int) -> Any:
    keys = sorted(plain.orders)
    if what == "change" and keys:
        key = keys[pick % len(keys)]
        return key, plain.orders[key][0]
    placed_on = clock.local_day(at)
    return f"o{number:03}", placed_on - timedelta(days=pick * 3 if what == "late" else 0)


def _kind(pick: int) -> str:
    return ("survey", "referral", "check_in")[pick % 3]


def _tell(fold: TierFold, plain: PlainMember, book: LadderBook, fact: Any) -> None:
    what, at, pick, amount, number = fact
    if what == "interact":
        fold.interaction(at=at, on=clock.local_day(at), kind=_kind(pick), book=book)
        return
    key, placed_on = _target(plain, at, what, pick, number)
    known = plain.orders.get(key)
    fold.settle(at, book)
    fold.points_earned(on=placed_on, points=amount // 3)
    fold.order_changed(
        at=at,
        placed_on=placed_on,
        order=key,
        before=Contribution(known[1], known[1] > 0) if known else None,
        after=Contribution(amount, amount > 0),
        first_payment=known is None,
        book=book,
    )


def _tell_plain(plain: PlainMember, fact: Any) -> None:
    what, at, pick, amount, number = fact
    if what == "interact":
        plain.interact(at, _kind(pick))
        return
    key, placed_on = _target(plain, at, what, pick, number)
    plain.settle(at)
    plain.points.append((placed_on, amount // 3))
    plain.order(at, placed_on, key, amount)


def log_of(fold: TierFold) -> list[Any]:
    return [
        (change.at, change.rank, change.kept_until_on, str(change.reason))
        for change in fold.changes[1:]
    ]


@given(
    facts=FACTS,
    gap=GAPS,
    policy=POLICIES,
    review=REVIEWS,
    grace=st.sampled_from([0, 0, 7]),
    window=st.sampled_from([YEAR, YEAR, rolling(20), rolling(3), CALENDAR_YEAR, CURRENT_STANDING]),
)
@pytest.mark.req("TIR-02")
@pytest.mark.req("TIR-05")
@pytest.mark.req("TIR-08")
@pytest.mark.req("TIR-09")
def test_classic_agrees_with_reference(
    facts: list[tuple[str, int, int, int]],
    gap: int,
    policy: RefundPolicy,
    review: ReviewPolicy,
    grace: int,
    window: Window,
) -> None:
    ladder = classic_ladder(refund_policy=policy, review=review, grace_days=grace, window=window)
    fold, plain, changes = replay(ladder, facts, 100, gap)
    assert log_of(fold) == plain.log
    assert fold.changes[: len(changes)] == changes


@given(facts=FACTS, gap=GAPS, policy=POLICIES, review=REVIEWS, grace=st.sampled_from([0, 0, 7]))
@pytest.mark.req("TIR-03")
@pytest.mark.req("TIR-04")
@pytest.mark.req("TIR-12")
def test_every_metric_and_window_agrees_with_reference(
    facts: list[tuple[str, int, int, int]],
    gap: int,
    policy: RefundPolicy,
    review: ReviewPolicy,
    grace: int,
) -> None:
    ladder = varied_ladder(refund_policy=policy, review=review, grace_days=grace)
    fold, plain, changes = replay(ladder, facts, 1, gap)
    assert log_of(fold) == plain.log
    assert fold.changes[: len(changes)] == changes
