"""An order goes to the member whose purchase it was: undone at the one, done at the other.

Its facts are the new member's from then on, as if it had been so from the beginning; what both have
been given by it changes by the difference, in one transaction, under both locks. What its source
goes on sending for the former member follows it (`OrderMove`).
Source: design §5.1 (3), (6); SVC-01, STF-06.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base import money
from config.base.bulk import Writes
from config.base.errors import DomainError
from members.models import (
    FactKind,
    MemberStatus,
    Order,
    OrderLine,
    OrderMove,
    ReceivedFact,
    Refund,
)
from members.services import events, notes
from members.services.events import NewEvent
from rewards.domain.leaving import LeavingRun
from rewards.domain.posting import MemberState
from rewards.domain.receipt import Receipt
from rewards.domain.subjects import ORDER, OrderState
from rewards.models import CouponUse, CouponUseStatus
from rewards.services import (
    answers,
    batch_writes,
    consequences,
    decisions,
    intake,
    ledger,
    loading,
    tables,
)
from rewards.services.batch import Batch
from rewards.services.happened import Happened, OrderNews, TierNews
from rewards.services.loading import Locked
from rewards.services.programme import current_book

MOVED_AWAY: Final = "order.moved_away"
MOVED_IN: Final = "order.moved_in"
OPEN: Final = (MemberStatus.ACTIVE, MemberStatus.FROZEN)


class OrderMoveError(DomainError):
    """An order that cannot be moved, or not to this member."""


class Figures(NamedTuple):
    """Where a member stands. Units: points; the tier by its code."""

    available: int
    pending: int
    debt: int
    tier: str

    @property
    def total(self) -> int:
        """Return all that the member has, usable or not yet, less what is owed."""
        return self.available + self.pending - self.debt


class Side(NamedTuple):
    """What the move does to one member."""

    member: int
    before: Figures
    after: Figures


@dataclass(frozen=True, slots=True)
class Act:
    """Who moves an order, when and why, and how the caller was identified."""

    verified_by: str
    reason: str
    actor: str
    at: datetime


class _PreviewOver(Exception):
    def __init__(self, sides: tuple[Side, Side]) -> None:
        super().__init__()
        self.sides = sides


def move_order(*, order: int, member: int, act: Act) -> tuple[Side, Side]:
    """Give an order to another member; returns what it did to the former and to the new one.

    Doing it again changes nothing and is refused, the order being the member's already.
    Raises: OrderMoveError.
    """
    if not act.reason.strip():
        raise OrderMoveError("reason_required", _("A reason is required."))
    return intake.insist(lambda: _Move(order, member, act).run_move())


def preview(*, order: int, member: int, act: Act) -> tuple[Side, Side]:
    """Return what a move would do: it is done and taken back.

    Raises: OrderMoveError.
    """

    def attempt() -> tuple[Side, Side]:
        sides = _Move(order, member, act).run_move()
        raise _PreviewOver(sides)

    try:
        with transaction.atomic():
            return intake.insist(attempt)
    except _PreviewOver as over:
        return over.sides


class _Move(Batch):
    """One order on its way from one member to another; no fact arrives."""

    def __init__(self, order: int, member: int, act: Act) -> None:
        super().__init__([], touchpoint=None, at=act.at, settle_to=act.at, actor=act.actor)
        self.act = act
        self.order_id = order
        self.target = member
        self.former: set[int] = set()
        self.facts: list[Receipt] = []

    def run_move(self) -> tuple[Side, Side]:
        """Do it, all or nothing. In the caller's transaction."""
        self.book = current_book()
        order = self._take()
        pair = (order.member_id, self.target)
        before = [_figures(self.locked[pk]) for pk in pair]
        self._decide_move()
        self._write_move(order)
        after = loading.lock(pair)
        former, new = (
            Side(pk, was, _figures(after[pk])._replace(tier=self._tier(pk)))
            for pk, was in zip(pair, before, strict=True)
        )
        return former, new

    def _tier(self, member: int) -> str:
        run = self.runs[member]
        return self.book.tier_at(self.at, run.fold.effective_rank(self.at)).code

    # What is moved

    def _take(self) -> Order:
        """Lock everybody whom the order has named, and the one who gets it; then read it again."""
        order = Order.objects.filter(pk=self.order_id).first()
        if order is None:
            raise OrderMoveError("order_not_found", _("There is no such order."), 404)
        named = ReceivedFact.objects.filter(order=order, kind=FactKind.ORDER, member__isnull=False)
        owners = set(named.values_list("member_id", flat=True))
        self.locked = loading.lock({*owners, order.member_id, self.target})
        order.refresh_from_db()
        self.facts = [
            fact
            for fact in loading.facts_of([(order.source, order.order_no)], [])
            if fact.state == "applied"
        ]
        now = {fact.member for fact in self.facts if fact.kind == ORDER and fact.member is not None}
        if not now <= self.locked.keys():
            raise OrderMoveError("order_changed", _("The order has just changed; try again."), 409)
        self._refuse(order)
        self.former = (now | {order.member_id}) - {self.target}
        return order

    def _refuse(self, order: Order) -> None:
        target = self.locked.get(self.target)
        if order.member_id == self.target:
            raise OrderMoveError("order_is_theirs", _("The order is this member's already."), 409)
        if target is None or target.status not in OPEN:
            raise OrderMoveError("member_not_open", _("The membership is not open."), 409)
        if self.locked[order.member_id].status == MemberStatus.ERASED:
            raise OrderMoveError("member_erased", _("The member has been erased."), 409)
        bodies = [fact.body for fact in self.facts if fact.kind == ORDER]
        uses = CouponUse.objects.filter(order=order).exclude(status=CouponUseStatus.RETURNED)
        if any("reservation" in body or "coupons" in body for body in bodies) or uses.exists():
            raise OrderMoveError(
                "order_paid_by_member",
                _("The order was paid with points or coupons of its member: it is theirs."),
                409,
            )

    # Deciding

    def _decide_move(self) -> None:
        members = {*self.former, self.target}
        mine = [
            replace(fact, member=self.target) if fact.kind == ORDER else fact for fact in self.facts
        ]
        self.fresh = {pk: mine if pk == self.target else [] for pk in members}
        self.decisions = decisions.latest_decisions([self.order_id])
        self._load_more(members, members)
        for pk in sorted(self.former):
            self._leave(pk)
        self._run_member(self.target)

    def _leave(self, member: int) -> None:
        locked = self.locked[member]
        history = [self._fold_fact(each, member) for each in self.history[member]]
        state = MemberState(
            member, locked.account, locked.facts, None, {}, history, self.posted.get(member, {})
        )
        run = LeavingRun(self.book, state, self.at)
        self.results.append((locked, run.leave(self.order_id, self.at)))
        self.runs[member] = run

    # Writing

    def _write_move(self, order: Order) -> None:
        writes, news = Writes(), list[NewEvent]()
        standings = loading.standings_of(self.runs)
        tiers = batch_writes.write_runs(writes, news, self.runs, self.locked, standings)
        for locked, outcome in self.results:
            codes = batch_writes.tiers_of(self.book, outcome)
            for decided in outcome.decided:
                result = answers.result_of(outcome, decided, codes)
                ledger.write_evaluation(writes, locked.member, decided, result)
            ledger.write_progress(writes, locked.member, outcome, self.at)
        news += self._told(order)
        events.append_with(writes, news)
        writes.flush(tables.COPY_ORDER)
        self._rename(order)
        consequences.follow(self._what_followed(tiers))

    def _rename(self, order: Order) -> None:
        """Let the order, with all that is stored of it, be the new member's."""
        OrderMove.objects.bulk_create(
            [
                OrderMove(
                    order=order, from_member_id=pk, to_member_id=self.target,
                    actor=self.act.actor, moved_at=self.at,
                )
                for pk in sorted(self.former)
            ]
        )  # fmt: skip
        state = self.runs[self.target].fold.orders[order.pk]
        spend = state.counted.spend if state.counted.counts else 0
        Order.objects.filter(pk=order.pk).update(
            member_id=self.target, qualifying_amount=money.from_minor(spend)
        )
        for rows in (OrderLine.objects, Refund.objects):
            rows.filter(order=order).update(member_id=self.target)
        ReceivedFact.objects.filter(order=order, kind=FactKind.ORDER).update(member_id=self.target)

    def _told(self, order: Order) -> list[NewEvent]:
        act = self.act
        payload: dict[str, Any] = {
            "source": order.source, "ref": order.order_no, "verified_by": act.verified_by,
            "actor": act.actor,
        }  # fmt: skip
        sides = ((order.member_id, MOVED_AWAY), (self.target, MOVED_IN))
        return [
            NewEvent(
                member, kind, self.at, self.at,
                {**payload, "note": notes.seal(member=member, text=act.reason)},
            )
            for member, kind in sides
        ]  # fmt: skip

    def _what_followed(self, tiers: list[TierNews]) -> Happened:
        happened = Happened(self.at, self.actor, None, self.book, is_history=False, tiers=tiers)
        newest = max(
            (fact for fact in self.fresh[self.target] if fact.kind == ORDER),
            key=lambda each: each.version,
        )
        for member, run in self.runs.items():
            happened.note_holds(run.account)
            happened.fact_of_member[member] = newest.id
            stored = self.locked[member].open_standing
            tier = run.fold.tiers.ladder(self.book.ladders).tier(run.fold.tiers.rank)
            if stored is None or stored.tier != tier.code:
                happened.moved_tiers.add(member)
            happened.orders.append(self._news(member, newest))
        return happened

    def _news(self, member: int, newest: Receipt) -> OrderNews:
        """Return how the order stands for a member: as their own, or as nothing of theirs."""
        states = [o.decided[0].state for locked, o in self.results if locked.member == member]
        state = states[-1]
        assert isinstance(state, OrderState)
        before = self.decisions.get((self.order_id, member))
        counted = before is not None and bool(before.result["order"]["counted"][1])
        return OrderNews(
            self.order_id, member, newest.id, newest, state, counted, is_new_version=True
        )


def _figures(locked: Locked) -> Figures:
    account, standing = locked.account, locked.open_standing
    tier = "" if standing is None else standing.tier
    return Figures(account.available, account.pending, account.debt, tier)
