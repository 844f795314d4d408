"""The fold of one member's facts: what each order and interaction is worth, and the standing.

Pure and in business order. The same fold runs one step for a fact that comes in order, from the
first fact for one that comes late, and for every member in a recompute.

Source: design §5.1, §5.3, §5.4, §5.6.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from config.base import clock
from rewards.domain import fields
from rewards.domain.caps import within_caps
from rewards.domain.cart import CANCELLED, OrderVersion, Refund
from rewards.domain.evaluation import Award, InteractionContext, OrderContext
from rewards.domain.explanation import MemberTier
from rewards.domain.netting import NetOrder, net_order
from rewards.domain.programme import ProgrammeBook
from rewards.domain.subjects import (
    INTERACTION,
    KIND_RANK,
    ORDER,
    REFUND,
    TIME_RANK,
    AttributeChange,
    FoldFact,
    InteractionContent,
    InteractionState,
    MemberFacts,
    OpeningTier,
    OrderState,
    Position,
    Step,
    SubjectState,
    condition_facts,
    positions,
    read_position,
    write_position,
)
from tiers.domain.progress import NOTHING, Contribution, ProgressDelta
from tiers.domain.qualification import TierFold


class HistoryNeededError(Exception):
    """This fact cannot be folded from the snapshot: fold the member from the first fact."""


class MemberFold:
    """The state of one member after some facts, and how the next one changes it."""

    __slots__ = (
        "_timeline",
        "attributes_taken",
        "book",
        "caps",
        "interactions",
        "member",
        "orders",
        "position",
        "tiers",
    )

    def __init__(
        self, book: ProgrammeBook, member: MemberFacts, tiers: TierFold, caps: dict[str, int]
    ) -> None:
        """Hold a member; `fresh` and `from_json` are the ways in."""
        self.book = book
        self.member = member
        self.tiers = tiers
        self.caps = caps
        self.position: Position | None = None
        self.orders: dict[int, OrderState] = {}
        self.interactions: dict[int, InteractionState] = {}
        # How many changes of attributes have been folded, and which was the last.
        self.attributes_taken = (0, 0)
        # Ranks by position, known only when the fold began with the first fact.
        self._timeline: list[tuple[Position, int]] | None = None

    @classmethod
    def fresh(
        cls, book: ProgrammeBook, member: MemberFacts, oldest: datetime | None
    ) -> "MemberFold":
        """Begin with no facts; the first standing starts at enrolment or at the oldest fact."""
        start = member.joined_at if oldest is None else min(member.joined_at, oldest)
        tiers = TierFold.enrol(
            member.joined_at, standing_from=start, suspensions=member.suspensions
        )
        fold = cls(book, member, tiers, {})
        fold._timeline = [((start, TIME_RANK - 1), 0)]
        return fold

    @classmethod
    def from_json(
        cls, book: ProgrammeBook, member: MemberFacts, state: dict[str, Any], position: list[Any]
    ) -> "MemberFold":
        """Go on from a snapshot.

        Raises: HistoryNeededError where an attribute has changed before what was folded.
        """
        tiers = TierFold.from_json(state["t"], member.suspensions)
        fold = cls(book, member, tiers, dict(state["c"]))
        fold.position = read_position(position)
        fold._resume_attributes(*state.get("a", (0, 0)))
        return fold

    def _resume_attributes(self, count: int, last: int) -> None:
        """Go on after the changes that were folded; those of who was erased are not there."""
        self.attributes_taken = (count, last)
        if not self.member.changes:
            return
        taken = self.member.changes[:count]
        if len(taken) < count or (taken and taken[-1].key != last):
            raise HistoryNeededError
        texts = {change.name: change.text for change in taken}
        self.tiers.progress.attributes = {n: t for n, t in texts.items() if t is not None}

    def to_json(self) -> tuple[dict[str, Any], list[Any] | None]:
        """Return the snapshot: state and position."""
        state: dict[str, Any] = {"t": self.tiers.to_json(), "c": self.caps}
        if self.attributes_taken[0]:
            state["a"] = list(self.attributes_taken)
        return state, None if self.position is None else write_position(self.position)

    def comes_next(self, position: Position) -> bool:
        """Say whether a fact there is in order: after every fact, and after what time has done."""
        after = self.position is None or position > self.position
        return after and position[0] >= self.tiers.acted_at

    def settle(self, upto: datetime) -> None:
        """Do what time and changes of attributes do to the standing up to and at an instant.

        Raises: HistoryNeededError where an attribute has changed before what was folded.
        """
        for change in self.member.changes[self.attributes_taken[0] :]:
            if change.at > upto:
                break
            self._take(change)
        seen = len(self.tiers.changes)
        self.tiers.settle(upto, self.book.ladders)
        self._note(seen, None)

    def _take(self, change: AttributeChange) -> None:
        at = change.at
        if at < self.tiers.acted_at:
            if self._timeline is None:
                raise HistoryNeededError
            at = self.tiers.acted_at
        seen = len(self.tiers.changes)
        book = self.book.ladders
        self.tiers.attribute_changed(at=at, name=change.name, value=change.text, book=book)
        self.attributes_taken = (self.attributes_taken[0] + 1, change.key)
        self._note(seen, None)

    def step(self, fact: FoldFact, position: Position) -> Step:
        """Fold the next fact.

        Raises: HistoryNeededError where the snapshot does not say enough.
        """
        at = position[0]
        self.settle(at)
        seen = len(self.tiers.changes)
        if fact.kind == ORDER:
            step = self._order(fact, position)
        elif fact.kind == REFUND:
            step = self._refund(fact, at)
        else:
            step = self._interaction(fact, at)
        self.position = position
        self._note(seen, position)
        return step

    def effective_rank(self, at: datetime) -> int:
        """Return the rank that counts at an instant, overrides included."""
        return self._effective(at, self.tiers.rank)

    def facts_at(self, at: datetime) -> dict[str, object]:
        """Return what conditions may ask of the member, with the tier that counts now."""
        return self.member_facts(self.book.tier_at(at, self.effective_rank(at)), at)

    def _effective(self, at: datetime, earned: int) -> int:
        """Return the rank set by staff, else what is earned, and at least what was bought.

        A tier that the ladder has given up since it was set counts for nothing.
        """
        if not self.member.overrides:
            return earned
        ladder = self.book.ladders.at(at)
        code = self.member.override_at(at)
        fixed = None if code is None else ladder.rank_of(code)
        floors = (ladder.rank_of(code) for code in self.member.floors_at(at))
        rank = earned if fixed is None else fixed
        return max([rank, *(floor for floor in floors if floor is not None)])

    # Orders

    def _order(self, fact: FoldFact, position: Position) -> Step:
        version = fact.content
        assert isinstance(version, OrderVersion)
        state = self.orders.get(fact.subject)
        if state is None:
            tier = self._tier_at_placing(fact, position)
            state = OrderState(fact.subject, fact.source, fact.ref, fact.placed_at, tier)
            self.orders[fact.subject] = state
        if state.version is not None and fact.version <= state.version.version:
            state.net = state.net or net_order(state.version, state.refunds)
            return Step((ORDER, state.key), state, dict(state.awards), (), is_superseded=True)
        state.version = version
        state.is_mine = fact.is_mine and fact.earns
        if fact.hold is not None:
            state.hold, state.hold_points = fact.hold, fact.hold_points
        return self._reconsider(state, position[0])

    def _refund(self, fact: FoldFact, at: datetime) -> Step:
        refund = fact.content
        assert isinstance(refund, Refund)
        state = self.orders.get(fact.subject)
        if state is None:
            raise HistoryNeededError
        state.refunds.append(refund)
        return self._reconsider(state, at)

    def _reconsider(self, state: OrderState, at: datetime) -> Step:
        version = state.version
        assert version is not None
        net = state.net = net_order(version, state.refunds)
        before = state.awards
        is_paid = state.is_mine and version.status != CANCELLED
        counts = is_paid and net.net > 0
        if counts:
            awards, state.explanation = self._awards_of_order(state, version, net)
        else:
            awards, state.explanation = (), self._why_nothing(state, version, net)
        state.awards = self._within_caps(awards, state, state.placed_at)
        contribution = Contribution(net.spend, counts=True) if counts else NOTHING
        placed_on = clock.local_day(state.placed_at)
        progress: tuple[ProgressDelta, ...] = ()
        if self.book.counts_points:
            gained = sum(state.awards.values()) - sum(before.values())
            progress = self.tiers.points_earned(on=placed_on, points=gained)
        first_payment = is_paid and not state.was_paid
        # What is no progress of this member may lie before the member's first standing.
        if first_payment or contribution != state.counted:
            progress += self.tiers.order_changed(
                at=at,
                placed_on=placed_on,
                order=state.key,
                before=state.counted,
                after=contribution,
                first_payment=first_payment,
                book=self.book.ladders,
            )
        state.was_paid = state.was_paid or is_paid
        state.counted = contribution
        return Step((ORDER, state.key), state, before, progress)

    def _awards_of_order(
        self, state: OrderState, version: OrderVersion, net: NetOrder
    ) -> tuple[Sequence[Award], tuple[dict[str, Any], ...]]:
        rules = self.book.rules_at(state.placed_at)
        facts: dict[str, object] = {}
        if rules.fact_names:
            local = clock.local(state.placed_at)
            facts = fields.order_facts(
                version, source=state.source, net=net.net, spend=net.spend, local=local
            )
            facts.update(self.member_facts(state.tier, state.placed_at))
        decision = rules.evaluate_order(
            OrderContext(version, net, state.placed_at, facts, state.tier)
        )
        return decision.awards, decision.explanation

    def _why_nothing(
        self, state: OrderState, version: OrderVersion, net: NetOrder
    ) -> tuple[dict[str, Any], ...]:
        if not state.is_mine:
            return ({"code": "not_of_this_member"},)
        rules = self.book.rules_at(state.placed_at)
        return rules.evaluate_order(
            OrderContext(version, net, state.placed_at, {}, state.tier)
        ).explanation

    def _tier_at_placing(self, fact: FoldFact, position: Position) -> MemberTier:
        """Return the tier in force at `placed_at`, before this order."""
        placed_at = fact.placed_at
        if position[0] == placed_at:
            rank = self.tiers.rank
        elif self._timeline is None:
            raise HistoryNeededError
        else:
            before = (placed_at, KIND_RANK[ORDER], fact.source, fact.ref, 0)
            rank = next((rank for at, rank in reversed(self._timeline) if at < before), 0)
        return self._tier(placed_at, self._effective(placed_at, rank))

    def _tier(self, at: datetime, rank: int) -> MemberTier:
        return self.book.tier_at(at, rank)

    # Interactions

    def _interaction(self, fact: FoldFact, at: datetime) -> Step:
        content = fact.content
        assert isinstance(content, InteractionContent)
        if content.is_withdrawal:
            return self._withdrawal(fact, at)
        state = InteractionState(fact.subject, fact.source, fact.ref, fact.placed_at)
        self.interactions[fact.subject] = state
        progress: tuple[ProgressDelta, ...] = ()
        if content.opening is not None:
            self._take_over(content.opening, at)
        elif content.is_held:
            state.explanation = ({"code": "awaits_moderation"},)
        elif (merging := content.merging) is not None:
            state.is_merging = True
            progress = self.tiers.merged(
                at=at, progress=merging.progress, standing=merging.standing, book=self.book.ladders
            )
        elif fact.is_mine and fact.earns and content.kind not in self.book.behaviours:
            local = clock.local(fact.placed_at)
            facts = fields.interaction_facts(
                kind=content.kind, source=fact.source, local=local, streak=content.streak,
                is_verified=content.is_verified,
            )  # fmt: skip
            rank = self.effective_rank(at)
            facts.update(self.member_facts(self._tier(at, rank), fact.placed_at))
            context = InteractionContext(fact.placed_at, facts)
            decision = self.book.rules_at(fact.placed_at).evaluate_interaction(context)
            state.explanation = decision.explanation
            state.awards = self._within_caps(decision.awards, state, fact.placed_at)
            progress = self._interaction_progress(fact, content, state, at)
        return Step((INTERACTION, state.key), state, {}, progress)

    def _withdrawal(self, fact: FoldFact, at: datetime) -> Step:
        """Take back all that an interaction has earned and counted for, dated as it was."""
        state = self.interactions.get(fact.subject)
        if state is None:
            raise HistoryNeededError
        before = state.awards
        on = clock.local_day(state.placed_at)
        state.explanation = ({"code": "withdrawn"},)
        state.awards = self._within_caps((), state, state.placed_at)
        progress: tuple[ProgressDelta, ...] = ()
        if self.book.counts_points:
            progress = self.tiers.points_earned(on=on, points=-sum(before.values()))
        counted, state.counted = state.counted, ()
        progress += self.tiers.uncount(
            at=at, counted=counted, interaction=fact.ref, book=self.book.ladders
        )
        return Step((INTERACTION, state.key), state, before, progress)

    def _take_over(self, opening: OpeningTier, at: datetime) -> None:
        """Let the member hold what was brought along; it earns nothing and is no progress."""
        if opening.code:
            self.tiers.taken_over(
                at=at,
                code=opening.code,
                kept_until_on=opening.kept_until_on,
                book=self.book.ladders,
            )

    def _interaction_progress(
        self, fact: FoldFact, content: InteractionContent, state: InteractionState, at: datetime
    ) -> tuple[ProgressDelta, ...]:
        on = clock.local_day(fact.placed_at)
        progress: tuple[ProgressDelta, ...] = ()
        if self.book.counts_points:
            progress = self.tiers.points_earned(on=on, points=sum(state.awards.values()))
        state.counted = self.tiers.interaction(
            at=at, on=on, kind=content.kind, book=self.book.ladders
        )
        return progress + state.counted

    def member_facts(self, tier: MemberTier, at: datetime) -> dict[str, object]:
        """Return what conditions may ask of the member, as it was at an instant."""
        return condition_facts(self.member, tier, at)

    def _within_caps(
        self, awards: Iterable[Award], state: SubjectState, placed_at: datetime
    ) -> dict[int, int]:
        """Return the awards within the member's caps, and count them."""
        if not self.caps and all(award.cap_points is None for award in awards):
            return {award.rule_key: award.points for award in awards}
        return within_caps(self.caps, awards, state, placed_at, self.book.rule)

    # Ranks by position

    def _note(self, seen: int, position: Position | None) -> None:
        if self._timeline is None:
            return
        for change in self.tiers.changes[seen:]:
            if change.begins_standing:
                where = position or (change.at, TIME_RANK)
                self._timeline.append((where, change.rank))


def fold_all(fold: MemberFold, facts: Sequence[FoldFact]) -> dict[int, Step]:
    """Fold many facts in business order; returns each fact's step by its key."""
    where = positions(facts)
    ordered = sorted(facts, key=lambda fact: where[fact.key])
    return {fact.key: fold.step(fact, where[fact.key]) for fact in ordered}
