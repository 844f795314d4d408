"""One member's new facts, one after the other: settle, decide, post the differences.

This is the money path. Each fact is folded (in order: one step; late: all facts again), what is
wanted is compared with what is posted, and only the difference moves points.

Source: design §5.1 (3), §5.3, §5.6.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from config.base import clock
from rewards.domain.account import Account
from rewards.domain.cart import COMPLETED
from rewards.domain.differences import (
    LATE_FACT,
    Difference,
    is_behind,
    moves_of,
    points_made,
    progress_made,
    reason_of,
    stands_otherwise,
    subjects_of,
)
from rewards.domain.fold import HistoryNeededError, MemberFold, fold_all
from rewards.domain.holds import Hold, HoldClosedError, HoldState
from rewards.domain.lot_book import InsufficientPointsError
from rewards.domain.programme import ProgrammeBook
from rewards.domain.subjects import (
    ORDER,
    REFUND,
    FoldFact,
    InteractionState,
    MemberFacts,
    OrderState,
    Position,
    Step,
    Subject,
    SubjectState,
    oldest_instant,
    positions,
)
from rewards.domain.tender import to_give_back
from rewards.domain.transfers import Cause, FactRef, Grounds
from tiers.domain.changes import StandingChange
from tiers.domain.progress import ProgressDelta, ProgressMetric

NEVER: Final = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


class Balance(NamedTuple):
    """What the account shows after a fact."""

    pending: int
    available: int
    reserved: int
    debt: int


@dataclass(slots=True)
class Decided:
    """One evaluation: what a fact made of one subject.

    `state` goes on changing with later facts; `order` is how the order stood then, fit for JSON.
    """

    fact: FoldFact
    subject: Subject
    state: SubjectState
    awards: dict[int, int]
    explanation: tuple[dict[str, Any], ...]
    delta: int
    order: dict[str, Any] | None
    net: int
    recorded_at: datetime


@dataclass(slots=True)
class FactOutcome:
    """What one new fact did: the evaluation of its own subject first, then those of others."""

    fact: FoldFact
    decided: list[Decided]
    is_superseded: bool
    progress: list[tuple[datetime, ProgressDelta]]
    rank_before: int
    rank_after: int
    balance: Balance
    issues: list[dict[str, Any]]


@dataclass(slots=True)
class MemberState:
    """One member as loaded and locked.

    `history` are the facts folded so far and `posted` the awards last posted per subject, both only
    when they were asked for; `orders` are the states of orders that new facts touch.
    """

    key: int
    account: Account
    facts: MemberFacts
    snapshot: tuple[dict[str, Any], list[Any]] | None
    orders: dict[int, OrderState] = field(default_factory=dict)
    history: list[FoldFact] | None = None
    posted: dict[Subject, dict[int, int]] = field(default_factory=dict)


class MemberRun:
    """The run of one member through a batch.

    Raises: HistoryNeededError, LotsNeededError — load more and run the member again.
    """

    def __init__(self, book: ProgrammeBook, member: MemberState, at: datetime) -> None:
        """Begin where the member stands; `at` is when the entries are recorded."""
        self.book = book
        self.member = member
        self.account = member.account
        self.at = at
        self.is_refolded = member.snapshot is None
        self.standing_changes: list[StandingChange] = []
        self.facts = list(member.history or ())
        self.posted = dict(member.posted)
        self.fold = self._begin()

    def _begin(self) -> MemberFold:
        member = self.member
        if member.snapshot is None:
            return self._fold_history(self.facts)
        state, position = member.snapshot
        fold = MemberFold.from_json(self.book, member.facts, state, position)
        fold.orders.update(member.orders)
        return fold

    def _fold_history(self, facts: Sequence[FoldFact]) -> MemberFold:
        fold = MemberFold.fresh(self.book, self.member.facts, oldest_instant(facts))
        fold_all(fold, facts)
        return fold

    def receive(self, new: Sequence[FoldFact], settle_to: datetime | None) -> list[FactOutcome]:
        """Fold and post new facts in business order, then settle what is due.

        `settle_to` is now; None settles only up to each fact's own instant (history).
        """
        where = positions([*self.facts, *new]) | self._known_refunds(new)
        outcomes = []
        for fact in sorted(new, key=lambda fact: where[fact.key]):
            instant = where[fact.key][0]
            self._settle_account(instant if settle_to is None else max(instant, settle_to))
            outcomes.append(self._receive_one(fact, where[fact.key]))
        # A member that was settled further before stays so, also when folded again.
        self.settle(max(settle_to or self.account.settled_at, self.account.settled_at))
        return outcomes

    def _known_refunds(self, new: Sequence[FoldFact]) -> dict[int, Position]:
        """Return where refunds of stored orders fold: the first version went before.

        One that claims to be older than that is late, and the whole history tells its place.
        """
        orders = self.member.orders
        return {f.key: f.own_position for f in new if f.kind == REFUND and f.subject in orders}

    def settle(self, upto: datetime) -> None:
        """Do what time alone does up to an instant."""
        self._settle_account(upto)
        self.fold.settle(upto)

    def _settle_account(self, upto: datetime) -> None:
        self.account.settle(upto, Cause(None, "system", self.at))

    def _receive_one(self, fact: FoldFact, position: Position) -> FactOutcome:
        instant = position[0]
        in_order = self.fold.comes_next(position) and not self._starts_earlier(fact)
        if in_order:
            self.fold.settle(instant)
            rank_before = self.fold.effective_rank(instant)
            step = self.fold.step(fact, position)
            differences = [self._own(fact, step, self.posted.get(step.subject, step.before))]
            progress = step.progress
        else:
            rank_before = self.fold.effective_rank(self.at)
            step, differences, progress = self._refold(fact)
        self.facts.append(fact)
        issues = self._post(fact, instant, differences)
        for difference in differences:
            self.posted[difference.subject] = dict(difference.state.awards)
        return FactOutcome(
            fact,
            [self._decide(fact, difference) for difference in differences],
            step.is_superseded or is_behind(fact, step.state),
            self._progress(step, progress, differences),
            rank_before,
            self.fold.effective_rank(instant if in_order else self.at),
            self.balance(),
            issues,
        )

    def _progress(
        self, step: Step, made: Iterable[ProgressDelta], differences: Sequence[Difference]
    ) -> list[tuple[datetime, ProgressDelta]]:
        if isinstance(step.state, InteractionState) and step.state.is_merging:
            return [(clock.day_start(delta.on), delta) for delta in made]
        progress = [
            (step.state.placed_at, delta)
            for delta in made
            if delta.metric is not ProgressMetric.POINTS_EARNED
        ]
        return [*progress, *points_made(differences)] if self.book.counts_points else progress

    def _starts_earlier(self, fact: FoldFact) -> bool:
        return self.member.snapshot is None and not self.facts and fact.is_mine and (
            fact.acts_at < self.fold.tiers.since_at
        )  # fmt: skip

    def _refold(self, fact: FoldFact) -> tuple[Step, list[Difference], tuple[ProgressDelta, ...]]:
        """Fold everything again with a late fact in its place; returns what has changed."""
        if self.member.snapshot is not None and self.member.history is None:
            raise HistoryNeededError
        before, old = self.posted, self.fold
        known = [*self.facts, fact]
        fold = MemberFold.fresh(self.book, self.member.facts, oldest_instant(known))
        steps = fold_all(fold, known)
        self.fold, self.is_refolded = fold, True
        own = steps[fact.key]
        differences = [self._own(fact, own, before.get(own.subject, {}))]
        for subject, state in subjects_of(fold):
            wanted = before.get(subject, {})
            if subject != own.subject and (state.awards != wanted or stands_otherwise(old, state)):
                differences.append(Difference(subject, state, wanted, LATE_FACT))
        return own, differences, progress_made(old, own)

    @staticmethod
    def _own(fact: FoldFact, step: Step, posted: dict[int, int]) -> Difference:
        return Difference(step.subject, step.state, posted, reason_of(fact, step.state))

    # Posting

    def _post(
        self, fact: FoldFact, at: datetime, differences: Sequence[Difference]
    ) -> list[dict[str, Any]]:
        """Post give-backs, then rises, then falls, each by (placed_at, source, order_no, rule).

        The actor is the fact's source, however it came in: a till, a batch and an import of the
        same facts write the same journal.
        """
        named = FactRef(fact.key, fact.source, fact.kind, fact.ref, fact.version)
        cause = Cause(named, f"source:{fact.source}", self.at)
        own = differences[0].state
        issues = self._tender(fact, own, at, cause)
        if fact.kind == REFUND and isinstance(own, OrderState) and own.net is not None:
            issues += [{"code": "over_refunded"}] if own.net.over_refunded else []
        moves = sorted(moves_of(self.book, differences), key=lambda move: move[:2])
        for _order, _rule, difference, key, points in moves:
            if points > 0:
                # What a late fact changes about a later order is of that order's instant.
                self._rise(difference, key, points, max(at, difference.state.placed_at), cause)
        for _order, _rule, difference, key, points in moves:
            if points < 0:
                when = max(at, difference.state.placed_at)
                self.account.fall(self._grounds(difference, key, cause), -points, when)
        self._schedule(differences[0].state, at)
        return issues

    def _rise(
        self, difference: Difference, key: int, points: int, at: datetime, cause: Cause
    ) -> None:
        state = difference.state
        policy = self.book.policy_at(state.placed_at)
        available_at = None
        if isinstance(state, OrderState) and state.version is not None:
            available_at = policy.available_at(state.placed_at, state.version.channel)
            waits = policy.activates_on_completion and state.version.status != COMPLETED
            if waits or state.version.is_held:
                available_at = NEVER
        self.account.rise(
            self._grounds(difference, key, cause),
            points,
            at,
            available_at=available_at,
            expires_at=policy.expires_at(state.placed_at),
            earned_at=state.placed_at,
        )

    def _schedule(self, state: SubjectState, at: datetime) -> None:
        """Let points that waited for completion become available, once the order is complete."""
        if not isinstance(state, OrderState) or state.version is None or state.version.is_held:
            return
        policy = self.book.policy_at(state.placed_at)
        if policy.activates_on_completion and state.version.status == COMPLETED:
            available_at = policy.available_at(state.placed_at, state.version.channel)
            self.account.schedule(
                f"{ORDER}:{state.key}", max(available_at, at), Cause(None, "system", self.at)
            )

    def _grounds(self, difference: Difference, key: int, cause: Cause) -> Grounds:
        kind, number = difference.subject
        return Grounds(f"{kind}:{number}", self.book.ref(key), difference.reason, cause)

    # Points as a means of payment

    def _tender(
        self, fact: FoldFact, state: SubjectState, at: datetime, cause: Cause
    ) -> list[dict[str, Any]]:
        """Capture the reservation of an order when it first counts; give back what is refunded.

        What cannot be captured is an issue of the version that counts, not of every refund after.
        """
        if not isinstance(state, OrderState) or state.hold is None or state.net is None:
            return []
        hold = self.account.holds.get(state.hold)
        issues: list[dict[str, Any]] = []
        grounds = Grounds(f"{ORDER}:{state.key}", None, "order_paid", cause)
        try:
            if hold is None:
                issues.append({"code": "reservation_unknown"})
            elif state.counted.counts:
                issues += self._pay_with(hold, state, at, grounds)
        except (HoldClosedError, InsufficientPointsError) as refused:
            issues.append({"code": refused.code})
        if hold is not None and hold.subject == grounds.subject:
            self._give_back(fact, state, hold, at, grounds.because("tender_refunded"))
        return issues if fact.kind == ORDER and state.counted.counts else []

    def _pay_with(
        self, hold: Hold, state: OrderState, at: datetime, grounds: Grounds
    ) -> list[dict[str, Any]]:
        """Let a reservation pay for an order; one that a till captured itself is the order's too.

        Returns an issue for each reward of it that the member's tier no longer allows.
        Raises: HoldClosedError, InsufficientPointsError.
        """
        refused: list[dict[str, Any]] = []
        if hold.state is not HoldState.CAPTURED:
            holds = self.account.holds.values()
            parts = [p for p in holds if p.parent == hold.key and p.state is HoldState.HELD]
            rank = self.fold.effective_rank(at)
            self.account.capture(grounds, hold.key, state.hold_points, at, rank=rank)
            released = (part for part in parts if part.state is HoldState.RELEASED)
            refused = [{"code": "reward_not_for_tier"} for _part in released]
        elif hold.subject not in (None, grounds.subject):
            raise HoldClosedError(hold.state)
        if hold.subject is None:
            hold.subject = grounds.subject
            self.account.touched_holds.add(hold.key)
        return refused

    def _give_back(
        self, fact: FoldFact, state: OrderState, hold: Hold, at: datetime, grounds: Grounds
    ) -> None:
        """Give captured points back as far as the order is refunded, or gone to somebody else."""
        is_gone = fact.kind == ORDER and not fact.is_mine and not state.is_mine
        wanted = hold.captured if is_gone else to_give_back(state, hold.captured)
        if wanted > hold.given_back:
            policy = self.book.policy_at(state.placed_at)
            self.account.give_back_captured(
                grounds,
                hold.key,
                wanted - hold.given_back,
                at,
                give_back_min_days=policy.give_back_min_days,
            )

    def _decide(self, fact: FoldFact, difference: Difference) -> Decided:
        state = difference.state
        delta = sum(state.awards.values()) - sum(difference.before.values())
        order = state if isinstance(state, OrderState) else None
        return Decided(
            fact, difference.subject, state, dict(state.awards), state.explanation, delta,
            None if order is None else order.to_json(),
            0 if order is None or order.net is None else order.net.net, self.at,
        )  # fmt: skip

    def first_purchase_on(self, known: date | None) -> date | None:
        """Return the local day of the first order that counts.

        Raises: HistoryNeededError when the order that made it no longer counts and others may.
        """
        states = self.fold.orders.values()
        days = [clock.local_day(s.placed_at) for s in states if s.counted.counts]
        first = min(days, default=None)
        if self.member.history is not None or known is None:
            return first
        gone = any(clock.local_day(s.placed_at) == known and not s.counted.counts for s in states)
        if gone and first != known:
            raise HistoryNeededError
        return known if first is None else min(known, first)

    def balance(self) -> Balance:
        """Return what the account shows now."""
        account = self.account
        return Balance(account.pending, account.available, account.reserved, account.debt)
