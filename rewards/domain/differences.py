"""What a fact has changed, between two folds or two steps: the differences that are to be posted.

Source: design §5.1 (3), §5.6.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from config.base import clock
from rewards.domain.cart import CANCELLED
from rewards.domain.fold import MemberFold
from rewards.domain.programme import ProgrammeBook
from rewards.domain.subjects import (
    INTERACTION,
    ORDER,
    REFUND,
    FoldFact,
    InteractionContent,
    OrderState,
    Step,
    Subject,
    SubjectState,
)
from tiers.domain.progress import NOTHING, ProgressDelta, ProgressMetric

LATE_FACT: Final = "late_fact"


class Difference(NamedTuple):
    """What one subject's awards were and have become, and the reason to post it under."""

    subject: Subject
    state: SubjectState
    before: dict[int, int]
    reason: str


def subjects_of(fold: MemberFold) -> Iterable[tuple[Subject, SubjectState]]:
    """Yield everything that a fold has given points for, or could have."""
    for key, order in fold.orders.items():
        yield (ORDER, key), order
    for key, interaction in fold.interactions.items():
        yield (INTERACTION, key), interaction


def stands_otherwise(old: MemberFold, state: SubjectState) -> bool:
    """Say whether what later facts of an order go by has changed, though its points have not."""
    if not isinstance(state, OrderState) or state.key not in old.orders:
        return False
    return state.to_json() != old.orders[state.key].to_json()


def progress_made(old: MemberFold, own: Step) -> tuple[ProgressDelta, ...]:
    """Return what a late fact has made of its own subject's progress, points left aside.

    Only the difference in the end: the facts folded after it have reported theirs before.
    """
    state = own.state
    if not isinstance(state, OrderState):
        return own.progress
    before = old.orders[state.key].counted if state.key in old.orders else NOTHING
    now, on = state.counted, clock.local_day(state.placed_at)
    changes = (
        (ProgressMetric.SPEND, now.spend - before.spend),
        (ProgressMetric.ORDERS, now.counts - before.counts),
    )
    return tuple(ProgressDelta(metric, amount, on) for metric, amount in changes if amount)


def points_made(differences: Sequence[Difference]) -> Iterator[tuple[datetime, ProgressDelta]]:
    """Return the points of all that has changed as progress, each dated as its subject is."""
    for difference in differences:
        at = difference.state.placed_at
        points = sum(difference.state.awards.values()) - sum(difference.before.values())
        if points:
            yield at, ProgressDelta(ProgressMetric.POINTS_EARNED, points, clock.local_day(at))


def is_behind(fact: FoldFact, state: SubjectState) -> bool:
    """Say whether a version arrived after a higher one, also where it folds before it."""
    if fact.kind != ORDER or not isinstance(state, OrderState) or state.version is None:
        return False
    return fact.version < state.version.version


def moves_of(
    book: ProgrammeBook, differences: Sequence[Difference]
) -> Iterable[tuple[tuple[datetime, str, str], str, Difference, int, int]]:
    """Yield each rule's points that are to be posted, with what they are posted in order of."""
    for difference in differences:
        wanted, posted = difference.state.awards, difference.before
        for key in wanted.keys() | posted.keys():
            points = wanted.get(key, 0) - posted.get(key, 0)
            if points:
                code = book.ref(key).code
                yield difference.state.sort_key, code, difference, key, points


def reason_of(fact: FoldFact, state: SubjectState) -> str:
    """Return the reason that what a fact changed about its own subject is posted under."""
    if fact.kind == REFUND:
        return "refunded"
    if not isinstance(state, OrderState):
        content = fact.content
        is_taken_back = isinstance(content, InteractionContent) and content.is_withdrawal
        return "interaction_withdrawn" if is_taken_back else "interaction"
    if not fact.is_mine:
        return "order_moved"
    if state.version is not None and state.version.status == CANCELLED:
        return "order_cancelled"
    return "order_paid" if not state.refunds and fact.version <= 1 else "order_changed"
