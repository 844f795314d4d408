"""Qualification: the fold of one member's facts and of time into a standing.

The fold is pure: facts and instants in, changes of standing out. The same code runs behind a
till, the importer, a late fact and a recompute; nothing here knows the clock or the database.

Source: design §5.4, §5.5, §5.6; TIR-02 to TIR-09, TIR-12.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from config.base import clock
from tiers.domain.decisions import DecidingFold
from tiers.domain.ladder import Ladder, LadderBook
from tiers.domain.progress import (
    INTERACTIONS,
    NOTHING,
    ORDERS,
    POINTS,
    REFERRALS,
    SPEND,
    Contribution,
    ProgressDelta,
    ProgressMetric,
)
from tiers.domain.state import Due
from tiers.domain.windows import NEVER, TenureUnit

REFERRAL_KIND = "referral"
COLUMN_OF: Final = {
    ProgressMetric.SPEND: SPEND,
    ProgressMetric.ORDERS: ORDERS,
    ProgressMetric.INTERACTIONS: INTERACTIONS,
    ProgressMetric.REFERRALS: REFERRALS,
    ProgressMetric.POINTS_EARNED: POINTS,
}


@dataclass(frozen=True, slots=True)
class MergedStanding:
    """The tier that a merged member brings along or, put back, the one without that merge."""

    code: str
    kept_until_on: date | None
    is_put_back: bool = False


class TierFold(DecidingFold):
    """The tier state of one member: progress, standing and what is due.

    Facts come in the order of their instants; before each, what is due by then is settled.
    Begin with ``enrol``, go on from a snapshot with ``from_json``, and write down ``changes``.
    """

    __slots__ = ()

    def order_changed(  # noqa: PLR0913 - one keyword for each part of one fact
        self,
        *,
        at: datetime,
        placed_on: date,
        order: int | str,
        before: Contribution | None,
        after: Contribution,
        first_payment: bool,
        book: LadderBook,
    ) -> tuple[ProgressDelta, ...]:
        """Count what an order has become, on the day it was placed, and act on it at ``at``.

        More progress, and a first payment even of nothing, is an evaluation; less is a reason
        to look at recent upgrades; the same is nothing.

        Raises: ValueError when the fact lies before what has been acted on.
        """
        before = before or NOTHING
        ladder, day = self._arrive(at, book)
        self._require_past(placed_on, day)
        spend = (after.spend if after.counts else 0) - (before.spend if before.counts else 0)
        count = after.counts - before.counts
        days, on = self.progress.days, placed_on.toordinal()
        deltas = []
        if spend:
            days.add(on, SPEND, spend)
            deltas.append(ProgressDelta(ProgressMetric.SPEND, spend, placed_on))
        if count:
            days.add(on, ORDERS, count)
            deltas.append(ProgressDelta(ProgressMetric.ORDERS, count, placed_on))
        if days.largest is not None:
            days.replace_order(on, before, after)
        if spend > 0 or count > 0 or first_payment:
            self._evaluate(at, day, ladder, order=order)
        elif spend < 0 or count < 0:
            self._lowered(at, day, ladder, order=order)
        return tuple(deltas)

    def interaction(
        self, *, at: datetime, on: date, kind: str, book: LadderBook
    ) -> tuple[ProgressDelta, ...]:
        """Count an interaction of a qualifying kind and evaluate; a referral counts as both.

        Raises: ValueError when the fact lies before what has been acted on.
        """
        ladder, day = self._arrive(at, book)
        self._require_past(on, day)
        deltas = []
        if kind in ladder.qualifying_kinds:
            self.progress.days.add(on.toordinal(), INTERACTIONS, 1)
            deltas.append(ProgressDelta(ProgressMetric.INTERACTIONS, 1, on))
        if kind == REFERRAL_KIND:
            self.progress.days.add(on.toordinal(), REFERRALS, 1)
            deltas.append(ProgressDelta(ProgressMetric.REFERRALS, 1, on))
        if deltas:
            self._evaluate(at, day, ladder, interaction=kind)
        return tuple(deltas)

    def uncount(
        self,
        *,
        at: datetime,
        counted: tuple[ProgressDelta, ...],
        interaction: str,
        book: LadderBook,
    ) -> tuple[ProgressDelta, ...]:
        """Take back what an interaction counted for, and look at recent upgrades.

        Raises: ValueError when the fact lies before what has been acted on.
        """
        ladder, day = self._arrive(at, book)
        for delta in counted:
            column = INTERACTIONS if delta.metric is ProgressMetric.INTERACTIONS else REFERRALS
            self.progress.days.add(delta.on.toordinal(), column, -int(delta.amount))
        if counted:
            self._lowered(at, day, ladder, interaction=interaction)
        return tuple(ProgressDelta(each.metric, -each.amount, each.on) for each in counted)

    def points_earned(self, *, on: date, points: int) -> tuple[ProgressDelta, ...]:
        """Count points earned (or taken back) by the fact that is reported next."""
        if not points:
            return ()
        self.progress.days.add(on.toordinal(), POINTS, points)
        return (ProgressDelta(ProgressMetric.POINTS_EARNED, points, on),)

    def merged(
        self,
        *,
        at: datetime,
        progress: Sequence[ProgressDelta],
        standing: MergedStanding | None,
        book: LadderBook,
    ) -> tuple[ProgressDelta, ...]:
        """Count the progress of a member that was merged in, or what has become of it since.

        With a standing, go on with it where it is the better one; one that is put back replaces the
        present one, and nothing is evaluated.
        Raises: ValueError when the fact lies before what has been acted on.
        Source: MEM-04.
        """
        ladder, day = self._arrive(at, book)
        for delta in progress:
            self._require_past(delta.on, day)
            self.progress.days.add(delta.on.toordinal(), COLUMN_OF[delta.metric], delta.amount)
        if standing is not None and standing.is_put_back:
            self._go_back_to(at, standing.code, standing.kept_until_on, ladder)
            return tuple(progress)
        if standing is not None and standing.kept_until_on is not None:
            self._hold_at_least(at, standing.code, standing.kept_until_on, ladder)
        if any(delta.amount > 0 for delta in progress):
            self._evaluate(at, day, ladder, merged=True)
        elif progress:
            self._lowered(at, day, ladder, merged=True)
        return tuple(progress)

    def attribute_changed(
        self, *, at: datetime, name: str, value: str | None, book: LadderBook
    ) -> None:
        """Take in an attribute of the member, if any version of the ladder asks for it.

        Raises: ValueError when the fact lies before what has been acted on.
        """
        ladder, day = self._arrive(at, book)
        if name not in book.attributes:
            return
        attributes = self.progress.attributes
        old = attributes.pop(name, None)
        if value is not None:
            attributes[name] = value
        wanted = {f.value for f in ladder.plan.figures if f.attribute == name}
        if value == old or wanted.isdisjoint((value, old)):
            return
        if value in wanted:
            self._evaluate(at, day, ladder, attribute=name)
        else:
            self._lowered(at, day, ladder, attribute=name)

    def _arrive(self, at: datetime, book: LadderBook) -> tuple[Ladder, int]:
        if at < self.acted_at:
            raise ValueError("fact_out_of_order", at, self.acted_at)
        self.settle(at, book)
        self.acted_at = at
        return self.ladder(book), self._local_day(at)

    @staticmethod
    def _require_past(on: date, day: int) -> None:
        if on.toordinal() > day:
            raise ValueError("progress_in_future", on, date.fromordinal(day))

    def settle(self, upto: datetime, book: LadderBook) -> None:
        """Do in order everything that time alone does up to and at an instant."""
        self._bind(book)
        if self._local_day(upto) < (self._wakes_on or self._next_wake(book)):
            return
        while True:
            due = self._next_due(book)
            if due is None or due[0] > upto:
                return
            self._act(max(due[0], self.acted_at), due[1], book)

    def next_due_at(self, book: LadderBook) -> datetime | None:
        """Return the instant at which time alone next does something, if ever."""
        self._bind(book)
        due = self._next_due(book)
        return due[0] if due else None

    def _next_due(self, book: LadderBook) -> tuple[datetime, Due] | None:
        found = [(_midnight(day), due) for day, due in self._due_days(self.ladder(book))]
        following = book.after(self.ladder(book).version)
        if following is not None and following.effective_from is not None:
            found.append((following.effective_from, Due.LADDER))
        return min(found, default=None)

    def _next_wake(self, book: LadderBook) -> int:
        """Find the first day on which anything can be due, to be asked before every fact."""
        days = [day for day, _ in self._due_days(self.ladder(book))]
        following = book.after(self.ladder(book).version)
        if following is not None and following.effective_from is not None:
            days.append(clock.local_day(following.effective_from).toordinal())
        self._wakes_on = min(days, default=NEVER)
        return self._wakes_on

    def _due_days(self, ladder: Ladder) -> list[tuple[int, Due]]:
        found = []
        if self.kept_until is not None:
            found.append((self._review_day(ladder), Due.REVIEW))
        if self.requalify_on is not None:
            found.append((self.requalify_on, Due.REQUALIFY))
        crossing = self._next_tenure(ladder) if ladder.plan.tenures else None
        if crossing is not None:
            found.append((crossing, Due.TENURE))
        return found

    def _review_day(self, ladder: Ladder) -> int:
        return (self.kept_until or 0) + 1 + ladder.grace_days

    def _next_tenure(self, ladder: Ladder) -> int | None:
        counts = ladder.tenure_counts_suspension
        anchors = self.progress.anchors
        days = (
            anchors.tenure_reached(unit, length, frozen_counts=counts)
            for unit, length in ladder.plan.tenures
        )
        return min((day for day in days if day and day > self.tenure_seen), default=None)

    def _act(self, at: datetime, due: Due, book: LadderBook) -> None:
        # An overdue review (its grace cut by a new ladder) must not look back past what has
        # been acted on: windows only ever move forward.
        acted_day = clock.local_day(self.acted_at).toordinal()
        self.acted_at = at
        self._wakes_on = 0
        ladder = self.ladder(book)
        if due is Due.LADDER:
            self._change_ladder(at, ladder, book)
        elif due is Due.REVIEW:
            self._review(at, max(self._review_day(ladder) - 1, acted_day), ladder)
        elif due is Due.REQUALIFY:
            day = max((self.requalify_on or 0) - 1, acted_day)
            self.requalify_on = None
            self._requalify(at, day, ladder)
        else:
            self.tenure_seen = self._next_tenure(ladder) or self.tenure_seen
            day = max(self.tenure_seen, acted_day)
            counts = ladder.tenure_counts_suspension
            days = self.progress.anchors.tenure(TenureUnit.DAYS, day, frozen_counts=counts)
            self._evaluate(at, day, ladder, tenure=days)


def _midnight(day: int) -> datetime:
    return clock.day_start(date.fromordinal(day))
