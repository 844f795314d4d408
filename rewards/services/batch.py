"""One batch of facts from look-up to write.

The steps of `Batch.run` are the order flow: admit, resolve, lock, load, decide, write, answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings

from config.base.bulk import Writes
from members.models import MemberStatus, OnUnknown, Touchpoint
from members.services import events, identity, touchpoints
from members.services.events import NewEvent
from rewards.domain import receipt as receipts
from rewards.domain.fold import (
    INTERACTION,
    ORDER,
    REFUND,
    FoldFact,
    HistoryNeededError,
    OrderState,
    Subject,
)
from rewards.domain.lot_book import LotsNeededError
from rewards.domain.posting import Balance, FactOutcome, MemberRun, MemberState
from rewards.domain.programme import ProgrammeBook
from rewards.domain.receipt import FactKey, Receipt
from rewards.services import answers, batch_writes, loading, tables
from rewards.services.answers import Outcome
from rewards.services.loading import Decision, FactDecision, Locked
from rewards.services.programme import book_for
from tiers.domain.progress import StaleSnapshotError

APPLIED: Final = "applied"
AWAITING: Final = "awaiting_member"
PARKED: Final = "parked"

OrderKey = tuple[str, str]


class MovedUnderneathError(Exception):
    """An order changed its member between look-up and lock."""


@dataclass(slots=True)
class Item:
    """One submitted fact on its way; `same_as` is the item of this batch that it repeats."""

    receipt: Receipt
    order_member: int | None = None
    outcome: Outcome | None = None
    replay_of: Receipt | None = None
    same_as: "Item | None" = None


@dataclass(slots=True)
class OrderPlay:
    """An order that the batch touches: what is stored of it and what is new."""

    id: int
    stored_member: int | None
    stored: list[Receipt] = field(default_factory=list)
    new: list[Receipt] = field(default_factory=list)

    def versions(self) -> list[Receipt]:
        """Return the order's versions that count, stored and new."""
        both = [*self.stored, *self.new]
        return [each for each in both if each.kind == ORDER and each.state == APPLIED]

    def apply(self, receipt: Receipt) -> None:
        """Let a fact that waited fold with the new ones."""
        receipt.state, receipt.order = APPLIED, self.id
        if receipt in self.stored:
            self.stored.remove(receipt)
            self.new.append(receipt)

    def highest(self) -> Receipt:
        """Return the version that counts in the end."""
        return max(self.versions(), key=lambda each: each.version)


class Batch:
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
        """Take the receipts; nothing is looked at yet.

        `settle_to` is now; None means history: no fact is too late, and time is settled only up to
        each fact's own instant. `claims` gives stored facts that waited their member, by fact id.
        """
        self.items = [Item(receipt) for receipt in submitted]
        self.touchpoint = touchpoint
        self.at = at
        self.settle_to = settle_to
        self.actor = actor
        self.claims = claims or {}
        self.orders: dict[OrderKey, OrderPlay] = {}
        self.book: ProgrammeBook
        self.locked: dict[int, Locked] = {}
        self.known: dict[FactKey, Receipt] = {}
        self.fresh: dict[int, list[Receipt]] = {}
        self.decisions: dict[tuple[int, int], Decision] = {}
        self.history: dict[int, list[Receipt]] = {}
        self.posted: dict[int, dict[Subject, dict[int, int]]] = {}
        self.reservations: dict[UUID, int] = {}
        self.runs: dict[int, MemberRun] = {}
        self.results: list[tuple[Locked, FactOutcome]] = []
        self.outcomes: dict[int, tuple[Locked, FactOutcome]] = {}
        self.replayed: dict[int, FactDecision] | None = None

    def run(self) -> list[Outcome]:
        """Receive the batch. In the caller's transaction."""
        self._admit()
        self._resolve()
        self._take_slots()
        self._lock()
        self._load_orders()
        self._check_known()
        self._place()
        self._decide()
        self._write()
        return [self._answer(item) for item in self.items]

    def settle(self, members: Sequence[int], book: ProgrammeBook) -> None:
        """Do for these members what time alone does. In the caller's transaction."""
        self.book = book
        self.locked = loading.lock(members)
        self.fresh = {member: [] for member in self.locked}
        self._decide()
        self._write()

    # Admission

    def _open(self) -> Iterable[Item]:
        return (item for item in self.items if item.outcome is None and item.replay_of is None)

    def _admit(self) -> None:
        """Refuse what does not belong here, whatever is stored."""
        foreign: set[str] = set()
        if self.touchpoint is not None:
            sources = {item.receipt.source for item in self.items}
            foreign = touchpoints.own_sources(self.touchpoint.pk, sources)
        latest = self.at + receipts.FUTURE_TOLERANCE
        for item in self.items:
            receipt = item.receipt
            if receipt.source in foreign:
                item.outcome = answers.refusal(403, "source_not_owned", source=receipt.source)
            elif max(receipt.own_instant, receipt.placed_at) > latest:
                item.outcome = answers.refusal(422, "placed_in_future")
            elif receipt.body.get("currency", settings.LOYALTY_CURRENCY) != (
                settings.LOYALTY_CURRENCY
            ):
                item.outcome = answers.refusal(
                    422, "currency_not_accepted", accepted=settings.LOYALTY_CURRENCY
                )

    # Who and what

    def _resolve(self) -> None:
        """Find the members that the facts name. At most one statement per way of naming."""
        named = [
            (item, item.receipt.named) for item in self._open() if item.receipt.named is not None
        ]
        ids = {ref.public_id for _item, ref in named if ref.public_id is not None}
        members = identity.resolve_public_ids(ids) if ids else {}
        values = {(ref.kind, ref.app, ref.value) for _item, ref in named if ref.kind}
        found = identity.find(values) if values else {}
        for item, ref in named:
            if ref.public_id is None:
                item.receipt.member = found.get((ref.kind, ref.app, ref.value))
            elif ref.public_id in members:
                item.receipt.member = members[ref.public_id]
            else:
                item.outcome = answers.refusal(404, "member_not_found")

    def _take_slots(self) -> None:
        """Give every fact an id, and every order its own; see whose the orders are."""
        keys = [(item.receipt.source, item.receipt.order_no) for item in self.items]
        slots, stamp = loading.slots(keys)
        self.book = book_for(stamp)
        for item, slot, key in zip(self.items, slots, keys, strict=True):
            receipt = item.receipt
            if receipt.is_new:
                receipt.id = slot.fact_id
            if receipt.order_no:
                play = self.orders.setdefault(key, OrderPlay(slot.order_id, slot.order_member))
                receipt.order = play.id

    def _lock(self) -> None:
        members = {item.receipt.member for item in self._open()}
        members |= {play.stored_member for play in self.orders.values()}
        members |= set(self.claims.values())
        members.discard(None)
        wanted = {member for member in members if member is not None}
        self.locked = loading.lock(wanted) if wanted else {}

    def _load_orders(self) -> None:
        """Read what is stored of the facts and orders in hand, their members being locked."""
        interactions = [
            (item.receipt.source, item.receipt.ref)
            for item in self.items
            if item.receipt.kind == INTERACTION
        ]
        for stored in loading.facts_of(list(self.orders), interactions):
            self.known[stored.key] = stored
            stored.member = self.claims.get(stored.id, stored.member)
            if stored.order_no:
                play = self.orders[stored.source, stored.order_no]
                play.stored.append(stored)
                if stored.kind == ORDER and stored.state == APPLIED and stored.order != play.id:
                    raise MovedUnderneathError
        for play in self.orders.values():
            if play.versions() and play.stored_member not in self.locked:
                raise MovedUnderneathError
        for item in self.items:
            if not item.receipt.is_new:
                item.receipt = self.known[item.receipt.key]

    # What is new, what is known

    def _check_known(self) -> None:
        """Tell replays and conflicts from new facts, in the order of arrival."""
        first: dict[FactKey, Item] = {}
        for item in self._open():
            receipt = item.receipt
            if not receipt.is_new:
                continue
            stored = self.known.get(receipt.key)
            if stored is not None:
                self._compare(item, stored)
            elif receipt.key in first:
                self._repeat(item, first[receipt.key])
            else:
                self._check_identity(item)
                if item.outcome is None:
                    first[receipt.key] = item

    def _compare(self, item: Item, stored: Receipt) -> None:
        receipt = item.receipt
        other = (
            receipt.member is not None
            and stored.member is not None
            and receipt.member != stored.member
        )
        if receipt.digest != stored.digest or other:
            item.outcome = answers.refusal(409, "fact_conflict")
        elif stored.state == AWAITING and receipt.member is not None:
            stored.member = receipt.member
            item.receipt = stored
        else:
            item.replay_of = stored

    def _repeat(self, item: Item, earlier: Item) -> None:
        same = item.receipt.digest == earlier.receipt.digest
        if not same or item.receipt.member != earlier.receipt.member:
            item.outcome = answers.refusal(409, "fact_conflict")
        else:
            item.same_as = earlier
            item.replay_of = earlier.receipt

    def _check_identity(self, item: Item) -> None:
        receipt = item.receipt
        if receipt.kind != ORDER:
            return
        play = self.orders[receipt.source, receipt.order_no]
        earlier = [each for each in (*play.stored, *play.new) if each.kind == ORDER]
        for each in earlier:
            body = each.body
            if (body["placed_at"], body["currency"]) != (
                receipt.body["placed_at"], receipt.body["currency"],
            ):  # fmt: skip
                item.outcome = answers.refusal(409, "order_identity_changed")
                return
        play.new.append(receipt)

    # Where each fact goes

    def _place(self) -> None:
        """Decide for each new fact whether it folds now or waits, and whose it is."""
        for item in self._open():
            receipt = item.receipt
            receipt.received_at = self.at if receipt.is_new else receipt.received_at
            if receipt.kind == REFUND:
                if receipt.is_new:
                    self.orders[receipt.source, receipt.order_no].new.append(receipt)
            elif receipt.member is None:
                self._place_unknown(item)
        for play in self.orders.values():
            self._place_order(play)
        for play in self.orders.values():
            for receipt in play.new:
                self._date(receipt)
        for item in self._open():
            if item.receipt.kind == INTERACTION:
                self._date(item.receipt)

    def _date(self, receipt: Receipt) -> None:
        """Set when the fact acts, and whether it was received after the account was closed."""
        late = self.book.policy_at(receipt.own_instant).late_fact_days
        receipt.acts_at = receipts.acts_at(
            receipt, receipt.received_at, late, is_history=self.settle_to is None
        )
        locked = self.locked.get(receipt.member or 0)
        if locked is not None and locked.status == MemberStatus.CLOSED and receipt.is_new:
            receipt.body["closed"] = True

    def _place_unknown(self, item: Item) -> None:
        receipt = item.receipt
        if receipt.kind == ORDER and receipt.named is None:
            play = self.orders[receipt.source, receipt.order_no]
            if play.stored_member is not None or any(each.member for each in play.new):
                return
        on_unknown = OnUnknown.AWAIT if self.touchpoint is None else self.touchpoint.on_unknown
        if on_unknown == OnUnknown.REJECT:
            item.outcome = answers.refusal(422, "identifier_unknown")
            if receipt.order_no:
                self.orders[receipt.source, receipt.order_no].new.remove(receipt)
            return
        receipt.state = AWAITING

    @staticmethod
    def _place_order(play: OrderPlay) -> None:
        """Give an order's facts their member; versions without one follow the others."""
        orders = [each for each in (*play.stored, *play.new) if each.kind == ORDER]
        owner = play.stored_member
        named = [each for each in orders if each.member is not None]
        if owner is None and named:
            owner = max(named, key=lambda each: each.version).member
        for each in orders:
            # A version that names nobody, or that waited, follows the order to its member.
            if each.member is None and (each.named is None or not each.is_new):
                each.member = owner
            if each.member is not None and each.state == AWAITING:
                play.apply(each)
        folds = bool(play.versions())
        for each in [*play.stored, *play.new]:
            if each.kind == REFUND and each.state == PARKED and folds:
                play.apply(each)
            elif each.kind == REFUND and each.is_new and not folds:
                each.state = PARKED

    # Deciding

    def _decide(self) -> None:
        """Run every member; load more for those that turn out to need it, for all at once."""
        if not self.fresh:
            self.fresh = self._new_facts()
        touched = [play for play in self.orders.values() if play.stored_member and play.new]
        self.decisions = loading.latest_decisions([play.id for play in touched])
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
                self.locked |= loading.lock(remaining)

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
        missing = fresh.keys() - self.locked.keys()
        if missing:
            self.locked |= loading.lock(missing | self.locked.keys())
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
            self.posted |= loading.posted_of(stored)
            self.history |= _by_viewer(stored, histories)
        if lots:
            self._load_lots(lots)

    def _load_lots(self, members: set[int]) -> None:
        whole = [self.locked[member].account.key for member in members & self.history.keys()]
        orders = [play.id for play in self.orders.values() if play.stored_member in members]
        reservations = [
            reservation
            for member in members
            for fact in self.fresh[member]
            if fact.kind == ORDER and (reservation := receipts.reservation_of(fact)) is not None
        ]
        self.reservations |= loading.attach_lots(
            [self.locked[member].account for member in members],
            whole=whole,
            orders=orders,
            reservations=reservations,
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
        run = MemberRun(self.book, state, self.actor, self.at)
        new = [self._fold_fact(each, member) for each in fresh]
        outcomes = run.receive(new, self.settle_to)
        run.first_purchase_on(locked.first_purchase_on)  # asks for the history where it needs it
        for outcome in outcomes:
            self._keep(locked, outcome)
        self.runs[member] = run

    def _keep(self, locked: Locked, outcome: FactOutcome) -> None:
        """Remember the outcome that answers the fact: the one of the member it belongs to."""
        self.results.append((locked, outcome))
        key = outcome.fact.key
        if key not in self.outcomes or outcome.fact.is_mine:
            self.outcomes[key] = (locked, outcome)

    def _fold_fact(self, receipt: Receipt, viewer: int) -> FoldFact:
        hold = None
        if receipt.kind == ORDER:
            reservation = receipts.reservation_of(receipt)
            hold = None if reservation is None else self.reservations.get(reservation)
        return receipts.as_fold_fact(receipt, viewer, hold)

    # Writing and answering

    def _write(self) -> None:
        if not self.runs and not any(True for _item in self._open()):
            return
        stored = [m for m, run in self.runs.items() if run.is_refolded and m in self.history]
        standings = loading.standings_of(stored) if stored else {}
        writes, news = Writes(), list[NewEvent]()
        batch_writes.write_runs(writes, news, self.runs, self.locked, standings)
        batch_writes.write_results(writes, news, self.book, self.results)
        kept = [item.receipt for item in self._open()]
        batch_writes.write_facts(writes, kept, self.touchpoint, self.orders)
        batch_writes.write_orders(writes, self.orders, self.runs, self.touchpoint)
        writes.flush(tables.COPY_ORDER)
        if news:
            events.append(news)

    def _answer(self, item: Item) -> Outcome:
        receipt = item.receipt
        if item.outcome is not None:
            return item.outcome
        if item.replay_of is not None:
            return self._replay(item.replay_of, is_repeat=item.same_as is not None)
        if receipt.state in (AWAITING, PARKED):
            return Outcome(202, None, {"status": receipt.state})
        locked, outcome = self.outcomes[receipt.id]
        return self._outcome(receipt, locked, outcome, replayed=False)

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
            balance=outcome.balance,
            replayed=replayed,
        )
        data["member"] = str(locked.public_id)
        return Outcome(200, None, data)

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
            self.replayed = loading.decisions_of_facts(ids)
        decision = self.replayed[stored.id]
        locked = self.locked[decision.member]
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


def _by_viewer(stored: Iterable[Receipt], members: set[int]) -> dict[int, list[Receipt]]:
    """Return each member's history: an order's facts belong to all that its versions name."""
    facts = list(stored)
    owners: dict[int, set[int]] = {}
    for fact in facts:
        if fact.kind == ORDER and fact.order is not None and fact.member is not None:
            owners.setdefault(fact.order, set()).add(fact.member)
    history: dict[int, list[Receipt]] = {member: [] for member in members}
    for fact in facts:
        viewers = owners.get(fact.order, set()) if fact.order is not None else {fact.member}
        for viewer in viewers:
            if viewer in history:
                history[viewer].append(fact)
    return history


def _order_state(play: OrderPlay, member: int, decision: Decision) -> OrderState:
    folded = [each for each in play.stored if each.state == APPLIED]
    highest = max((each for each in folded if each.kind == ORDER), key=lambda each: each.version)
    state = loading.order_state(play.id, highest, decision)
    state.is_mine = highest.member == member and not highest.body.get("closed", False)
    state.refunds = [receipts.refund_content(each) for each in folded if each.kind == REFUND]
    return state
