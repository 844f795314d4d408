"""One batch of facts from look-up to write.

The steps of `Batch.run` are the order flow: arrive, decide, write, answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from config.base.bulk import Writes
from config.base.memory import uncollected
from members.models import Touchpoint
from members.services import events
from members.services.events import NewEvent
from rewards.domain import receipt as receipts
from rewards.domain.fold import HistoryNeededError
from rewards.domain.lot_book import LotsNeededError
from rewards.domain.posting import Balance, FactOutcome, MemberRun, MemberState
from rewards.domain.programme import ProgrammeBook
from rewards.domain.receipt import Receipt
from rewards.domain.subjects import INTERACTION, ORDER, REFUND, FoldFact, OrderState, Subject
from rewards.services import (
    answers,
    batch_writes,
    consequences,
    decisions,
    loading,
    merged_points,
    tables,
    viewers,
)
from rewards.services.answers import Outcome
from rewards.services.arrivals import AWAITING, PARKED, Arrivals, Item
from rewards.services.decisions import Decision, FactDecision
from rewards.services.happened import Happened, OrderNews, TierNews
from rewards.services.loading import Locked
from rewards.services.order_owners import APPLIED, OrderPlay
from tiers.domain.progress import StaleSnapshotError


class Batch(Arrivals):
    """The working state of one batch."""

    def __init__(
        self,
        submitted: list[Receipt],
        *,
        touchpoint: Touchpoint | None,
        at: datetime,
        settle_to: datetime | None,
        actor: str,
        claims: Mapping[int, int] | None = None,
    ) -> None:
        """Take the receipts; nothing is looked at yet."""
        super().__init__(
            submitted,
            touchpoint=touchpoint,
            at=at,
            settle_to=settle_to,
            actor=actor,
            claims=claims,
        )
        self.fresh: dict[int, list[Receipt]] = {}
        self.decisions: dict[tuple[int, int], Decision] = {}
        self.history: dict[int, list[Receipt]] = {}
        self.posted: dict[int, dict[Subject, dict[int, int]]] = {}
        self.reservations: dict[UUID, int] = {}
        self.runs: dict[int, MemberRun] = {}
        self.results: list[tuple[Locked, FactOutcome]] = []
        self.outcomes: dict[int, tuple[Locked, FactOutcome]] = {}
        self.replayed: dict[int, FactDecision] | None = None
        self.happened: Happened

    @uncollected()
    def run(self) -> list[Outcome]:
        """Receive the batch. In the caller's transaction."""
        self.arrive()
        self._decide()
        self._write()
        return [self._answer(item) for item in self.items]

    @uncollected()
    def settle(self, members: Sequence[int], book: ProgrammeBook) -> None:
        """Do for these members what time alone does. In the caller's transaction."""
        self.book = book
        self.locked = loading.lock(members)
        self.fresh = {member: [] for member in self.locked}
        self._decide()
        self._write()

    # Deciding

    def _decide(self) -> None:
        """Run every member; load more for those that turn out to need it, for all at once."""
        if not self.fresh:
            self.fresh = self._new_facts()
        for member in list(self.fresh):
            # Who has taken over what a merged member has takes over what becomes of it.
            for survivor in self.locked.keys() & viewers.line_of(self.locked, member):
                self.fresh.setdefault(survivor, [])
        touched = [play for play in self.orders.values() if play.stored_member and play.new]
        self.decisions = decisions.latest_decisions([play.id for play in touched])
        histories, lots = self._foreseen_needs()
        remaining = set(self.fresh)
        while remaining:
            self._load_more(histories & remaining, lots & remaining)
            histories, lots = set(), set()
            for member in sorted(remaining):
                try:
                    self._run_member(member)
                except (HistoryNeededError, StaleSnapshotError):
                    histories.add(member)
                    lots.add(member)
                except LotsNeededError:
                    lots.add(member)
            remaining = histories | lots
            if remaining:
                # Their runs were given up half-way: read the accounts, which stay locked, afresh.
                self.locked |= self._read_again(remaining)

    def _read_again(self, members: set[int]) -> dict[int, Locked]:
        return loading.lock(members)

    def _new_facts(self) -> dict[int, list[Receipt]]:
        """Return the facts to fold per member: an order's belong to all that its versions name."""
        fresh: dict[int, list[Receipt]] = {}
        for play in self.orders.values():
            news = [each for each in play.new if each.state == APPLIED]
            if not news:
                continue
            for member in {each.member for each in play.versions()}:
                if member is not None:
                    fresh.setdefault(member, []).extend(news)
        for item in self._open():
            receipt = item.receipt
            if receipt.kind == INTERACTION and receipt.member is not None:
                receipt.state = APPLIED
                fresh.setdefault(receipt.member, []).append(receipt)
        return fresh

    def _foreseen_needs(self) -> tuple[set[int], set[int]]:
        """Return the members whose history, and those whose lots, are needed for certain."""
        histories, lots = set(), set()
        for play in self.orders.values():
            if not play.new:
                continue
            members = {each.member for each in play.versions() if each.member is not None}
            if len(members) > 1:
                histories |= members
            if play.stored or any(each.kind == REFUND for each in play.new):
                lots |= members
        for member, facts in self.fresh.items():
            locked = self.locked[member]
            due = locked.account.due_at
            if locked.last_fact_at is not None and locked.snapshot is None:
                histories.add(member)
            if (due is not None and due <= self._latest()) or any(
                "reservation" in each.body for each in facts
            ):
                lots.add(member)
        return histories, lots | histories

    def _latest(self) -> datetime:
        return self.at if self.settle_to is None else max(self.at, self.settle_to)

    def _load_more(self, histories: set[int], lots: set[int]) -> None:
        if histories:
            stored = loading.history_of(histories)
            self.posted |= decisions.posted_of(stored)
            self.history |= viewers.by_viewer(stored, histories, self._owners())
        if lots:
            self._load_lots(lots)

    def _owners(self) -> dict[int, set[int]]:
        """Return whom the versions of each order in hand name, the new ones too."""
        return {
            play.id: {each.member for each in play.versions() if each.member is not None}
            for play in self.orders.values()
        }

    def _load_lots(self, members: set[int]) -> None:
        whole = [self.locked[member].account.key for member in members & self.history.keys()]
        orders = [play.id for play in self.orders.values() if play.stored_member in members]
        facts = [fact for member in members for fact in self.fresh[member]]
        facts += [fact for member in members for fact in self.history.get(member, ())]
        facts += [fact for play in self.orders.values() for fact in play.stored]
        reservations = {receipts.reservation_of(fact) for fact in facts if fact.kind == ORDER}
        self.reservations |= loading.attach_lots(
            [self.locked[member].account for member in members],
            whole=whole,
            orders=orders,
            reservations=[each for each in reservations if each is not None],
        )

    def _order_states(self, facts: Iterable[Receipt], member: int) -> dict[int, OrderState]:
        """Rebuild the fold's state of stored orders that new facts touch."""
        states = {}
        for key in {(fact.source, fact.order_no) for fact in facts if fact.order_no}:
            play = self.orders[key]
            decision = self.decisions.get((play.id, member))
            if decision is not None:
                states[play.id] = _order_state(play, member, decision)
        return states

    def _run_member(self, member: int) -> None:
        locked, fresh = self.locked[member], self.fresh[member]
        stored = self.history.get(member)
        if stored is None:
            states = self._order_states(fresh, member)
            state = MemberState(member, locked.account, locked.facts, locked.snapshot, states)
        else:
            new_ids = {each.id for each in fresh}
            history = [self._fold_fact(e, member) for e in stored if e.id not in new_ids]
            posted = self.posted.get(member, {})
            state = MemberState(member, locked.account, locked.facts, None, {}, history, posted)
        run = MemberRun(self.book, state, self.at)
        new = [self._fold_fact(each, member) for each in fresh]
        outcomes = run.receive(new, self.settle_to)
        run.first_purchase_on(locked.first_purchase_on)  # asks for the history where it needs it
        for outcome in outcomes:
            self._keep(locked, outcome)
        self.runs[member] = run

    def _keep(self, locked: Locked, outcome: FactOutcome) -> None:
        """Remember the outcome that answers the fact: that of the member whose order it is."""
        self.results.append((locked, outcome))
        state = outcome.decided[0].state
        is_theirs = not isinstance(state, OrderState) or state.is_mine
        if is_theirs or outcome.fact.key not in self.outcomes:
            self.outcomes[outcome.fact.key] = (locked, outcome)

    def _fold_fact(self, receipt: Receipt, viewer: int) -> FoldFact:
        hold = None
        if receipt.kind == ORDER:
            reservation = receipts.reservation_of(receipt)
            # One that is not there gets a number that no reservation has, and is reported.
            hold = None if reservation is None else self.reservations.get(reservation, 0)
        return receipts.as_fold_fact(receipt, viewer, hold)

    # Writing and answering

    def _write(self) -> None:
        if not self.runs and not any(True for _item in self._open()):
            return
        stored = [m for m, run in self.runs.items() if run.is_refolded and m in self.history]
        standings = loading.standings_of(stored) if stored else {}
        writes, news = Writes(), list[NewEvent]()
        tiers = batch_writes.write_runs(writes, news, self.runs, self.locked, standings)
        batch_writes.write_results(writes, news, self.book, self.results, self.actor)
        kept = [item.receipt for item in self._open()]
        batch_writes.write_facts(writes, kept, self.touchpoint, self.orders)
        batch_writes.write_orders(writes, self.orders, self.runs, self.touchpoint)
        events.append_with(writes, news)
        writes.flush(tables.COPY_ORDER)
        self.happened = self._what_happened(tiers)
        consequences.follow(self.happened)
        self._pass_on()
        if self.happened.moved_points:
            self.locked |= loading.lock(self.happened.moved_points)

    def _pass_on(self) -> None:
        """Let survivors have what has changed of merged members: points, then progress (MEM-04)."""
        runs = self.runs.items()
        accounts = {m: run.account for m, run in runs if self.locked[m].survivor is not None}
        if not accounts:
            return
        moved = self.happened.moved_points
        moved |= merged_points.pass_on(accounts, at=self.at, actor=self.actor)
        if again := moved.intersection(accounts):
            # A gift that was given or taken back since is on the account, but not in the run.
            given = {member: each.account for member, each in loading.lock(again).items()}
            moved |= merged_points.pass_on(given, at=self.at, actor=self.actor)
        told = [each for each in self.results if each[0].member in accounts]
        if facts := merged_points.corrections(told, at=self.at):
            Batch(facts, touchpoint=None, at=self.at, settle_to=self.at, actor=self.actor).run()

    def _what_happened(self, tiers: list[TierNews]) -> Happened:
        happened = Happened(
            self.at, self.actor, self.touchpoint, self.book,
            is_history=self.settle_to is None,
            tiers=merged_points.without_merges(tiers, self.locked),
        )  # fmt: skip
        for member, run in self.runs.items():
            happened.note_holds(run.account)
            stored = self.locked[member].open_standing
            tier = run.fold.tiers.ladder(self.book.ladders).tier(run.fold.tiers.rank)
            if stored is None or stored.tier != tier.code:
                happened.moved_tiers.add(member)
        for locked, outcome in self.results:
            happened.fact_of_member[locked.member] = outcome.fact.key
        for play in self.orders.values():
            news = [each for each in play.new if each.state == APPLIED]
            if news and play.versions():
                happened.orders += self._news_of(play, news[-1].id)
        return happened

    def _news_of(self, play: OrderPlay, fact: int) -> Iterable[OrderNews]:
        """Yield how an order now stands for each member that a version of it has named."""
        highest, names_coupons = play.highest(), play.names_coupons()
        for member in sorted({each.member for each in play.versions() if each.member is not None}):
            run = self.runs.get(member)
            state = None if run is None else run.fold.orders.get(play.id)
            if run is None or state is None:
                continue
            before = self.decisions.get((play.id, member))
            counted = before is not None and bool(before.result["order"]["counted"][1])
            facts: dict[str, object] = {}
            if names_coupons:
                facts = run.fold.member_facts(state.tier, state.placed_at)
            yield OrderNews(
                play.id, member, fact, highest, state, counted,
                is_new_version=any(each is highest for each in play.new),
                names_coupons=names_coupons, member_facts=facts,
            )  # fmt: skip

    def _answer(self, item: Item) -> Outcome:
        receipt = item.receipt
        refused = item.outcome or (item.same_as and item.same_as.outcome)
        if refused:
            return refused
        if item.replay_of is not None:
            return self._replay(item.replay_of, is_repeat=item.same_as is not None)
        if receipt.state in (AWAITING, PARKED):
            return Outcome(202, None, {"status": receipt.state})
        locked, outcome = self.outcomes[receipt.id]
        return self._outcome(receipt, locked, outcome, replayed=False)

    def _face_of(self, member: int) -> Locked:
        """Return the member that answers show: one that was merged shows its survivor."""
        self.locked = viewers.with_survivors(self.locked)
        return self.locked[viewers.line_of(self.locked, member)[-1]]

    def _outcome(
        self, receipt: Receipt, locked: Locked, outcome: FactOutcome, *, replayed: bool
    ) -> Outcome:
        decided = outcome.decided[0]
        result = answers.result_of(outcome, decided, batch_writes.tiers_of(self.book, outcome))
        data = answers.answer(
            self.book,
            receipt,
            awards=decided.awards,
            delta=decided.delta,
            explanation=list(decided.explanation),
            result=result,
            balance=self._balance(locked.member, outcome),
            replayed=replayed,
        )
        data["member"] = str(self._face_of(locked.member).public_id)
        data["issued"] += self.happened.issued.get(receipt.id, ())
        data["issues"] += self.happened.issues.get(receipt.id, ())
        return Outcome(200, None, data)

    def _balance(self, member: int, outcome: FactOutcome) -> Balance:
        """Return the balance after a fact, after all that followed where that has moved points."""
        face = self._face_of(member)
        if face.member == member and member not in self.happened.moved_points:
            return outcome.balance
        account = face.account
        return Balance(account.pending, account.available, account.reserved, account.debt)

    def _replay(self, stored: Receipt, *, is_repeat: bool) -> Outcome:
        if stored.state in (AWAITING, PARKED):
            return Outcome(202, None, {"status": stored.state, "replayed": True})
        if is_repeat:
            locked, outcome = self.outcomes[stored.id]
            return self._outcome(stored, locked, outcome, replayed=True)
        return self._stored_answer(stored)

    def _stored_answer(self, stored: Receipt) -> Outcome:
        if self.replayed is None:
            ids = [i.replay_of.id for i in self.items if i.replay_of and i.same_as is None]
            self.replayed = decisions.decisions_of_facts(ids)
            absent = {each.member for each in self.replayed.values()} - self.locked.keys()
            self.locked |= loading.lock(absent) if absent else {}
        decision = self.replayed[stored.id]
        locked = self._face_of(decision.member)
        account = locked.account
        data = answers.answer(
            self.book,
            stored,
            awards=decision.awards,
            delta=decision.delta,
            explanation=decision.explanation,
            result=decision.result,
            balance=Balance(account.pending, account.available, account.reserved, account.debt),
            replayed=True,
        )
        data["member"] = str(locked.public_id)
        return Outcome(200, None, data)


def _order_state(play: OrderPlay, member: int, decision: Decision) -> OrderState:
    folded = [each for each in play.stored if each.state == APPLIED]
    highest = max((each for each in folded if each.kind == ORDER), key=lambda each: each.version)
    state = loading.order_state(play.id, highest, decision)
    state.is_mine = highest.member == member and not highest.body.get("closed", False)
    state.refunds = [receipts.refund_content(each) for each in folded if each.kind == REFUND]
    return state
