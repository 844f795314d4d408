"""The small programme in memory: the pure engine with what a database would keep, and nothing else.

Snapshots and order states go through JSON, accounts through copies, so that whatever the engine
does not write down is lost between two facts, as it is in production.
"""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from rewards.domain.account import Account
from rewards.domain.cart import Line, OrderVersion, Refund, RefundLine
from rewards.domain.explanation import MemberTier
from rewards.domain.fold import HistoryNeededError, MemberFold, fold_all
from rewards.domain.lot_book import LotsNeededError
from rewards.domain.posting import FactOutcome, MemberRun, MemberState
from rewards.domain.programme import Policy, ProgrammeBook
from rewards.domain.rules import (
    CapPeriod,
    FactorSource,
    Fixed,
    Multiplier,
    PerAmount,
    Programme,
    RuleSpec,
    Trigger,
    parse_conditions,
)
from rewards.domain.subjects import (
    INTERACTION,
    ORDER,
    REFUND,
    FoldFact,
    InteractionContent,
    MemberFacts,
    OrderState,
    Subject,
    oldest_instant,
)
from rewards.domain.transfers import Cause, Grounds
from rewards.domain.validity import ExpiryKind, ExpiryPolicy
from tests.engine import reference
from tests.engine.reference import Fact
from tests.tiers.ladders import entry, interactions, spend
from tiers.domain.changes import StandingChange
from tiers.domain.ladder import Ladder, LadderBook, TierSpec
from tiers.domain.progress import Contribution
from tiers.domain.windows import rolling

CODES = {1: "base", 2: "tier", 3: "extra", 4: "survey"}


def programme() -> ProgrammeBook:
    """Return the programme of the reference as the engine takes it."""
    window = rolling(reference.WINDOW)
    tiers = tuple(
        TierSpec(code, rank, (factor.numerator, factor.denominator))
        for rank, (code, factor) in enumerate(
            zip(("basic", "silver", "gold", "diamond"), reference.FACTOR_OF, strict=True)
        )
    )
    ladder = Ladder(
        1, None, tiers,
        tuple(
            entry(
                rank, (spend(reference.SPEND_OF[rank], window),),
                (interactions(reference.DONE_OF[rank], window),),
            )
            for rank in (1, 2, 3)
        ),
        validity_days=reference.TERM,
        withdraw_days=reference.WITHDRAW,
        qualifying_kinds=frozenset(reference.QUALIFYING),
    )  # fmt: skip
    is_survey = {"field": "interaction.kind", "op": "eq", "value": "survey"}
    rules = (
        RuleSpec("base", 1, 1, Trigger.ORDER, PerAmount(1, 100)),
        RuleSpec("tier", 1, 2, Trigger.ORDER, Multiplier(1, 100, factor_source=FactorSource.TIER)),
        RuleSpec(
            "extra", 1, 3, Trigger.ORDER, PerAmount(1, 200),
            cap_points=reference.EXTRA_CAP, cap_period=CapPeriod.WEEK,
        ),
        RuleSpec(
            "survey", 1, 4, Trigger.INTERACTION, Fixed(reference.SURVEY_POINTS),
            conditions=parse_conditions(Trigger.INTERACTION, is_survey),
            cap_points=reference.SURVEY_CAP, cap_period=CapPeriod.MONTH,
        ),
    )  # fmt: skip
    expiry = ExpiryPolicy(ExpiryKind.ROLLING_DAYS, reference.EXPIRY)
    policy = Policy(None, expiry, Programme(), {"web": reference.WAIT}, late_fact_days=None)
    return ProgrammeBook(LadderBook([ladder]), rules, [policy])


@dataclass
class Record:
    """What is kept of one member between two facts."""

    account: Account
    facts: MemberFacts
    snapshot: str | None = None
    history: list[FoldFact] = field(default_factory=list)
    posted: dict[Subject, dict[int, int]] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    changes: list[StandingChange] = field(default_factory=list)
    progress: dict[str, int] = field(default_factory=dict)


class MemoryShop:
    """Members without a database, under the same names as the stored shop."""

    def __init__(self, people: Sequence[str], joined: datetime) -> None:
        self.book = programme()
        self.people = {
            name: Record(Account(number, name), MemberFacts(joined))
            for number, name in enumerate(people, start=1)
        }
        self.joined = joined
        self.now = joined
        self.ids: dict[str, int] = {}
        self.sent: list[Fact] = []
        self.parked: list[Fact] = []
        self.held: dict[int, str] = {}
        for record in self.people.values():
            record.account.settled_at = joined

    # Facts

    def receive(self, facts: Sequence[Fact]) -> list[Any]:
        """Take facts as the intake does; an answer says only that it was taken."""
        replayed = [any(fact is each for each in self.sent) for fact in facts]
        arrived = [fact for fact in facts if not any(fact is each for each in self.sent)]
        self.sent += arrived
        arrived = self.parked + arrived
        known = {fact.ref for fact in self.sent if fact.kind == ORDER}
        self.parked = [f for f in arrived if f.kind == REFUND and f.ref not in known]
        fresh = [f for f in arrived if f not in self.parked]
        for name in self.people:
            theirs = self.seen_by(name)
            mine = [fact for fact in fresh if self.number(fact) in theirs]
            if mine:
                self.fold(name, mine)
        return [SimpleNamespace(status=200, data={"replayed": again}) for again in replayed]

    def number(self, fact: Fact) -> int:
        kind = INTERACTION if fact.kind == INTERACTION else ORDER
        return self.ids.setdefault(f"{kind} {fact.ref}", len(self.ids) + 1)

    def seen_by(self, name: str) -> set[int]:
        """Return the orders and interactions that have ever named a member."""
        return {self.number(fact) for fact in self.sent if fact.member == name}

    def fold(self, name: str, fresh: Sequence[Fact]) -> None:
        record = self.people[name]
        new = [self.seen(fact, name) for fact in fresh]
        subjects = {fact.subject for fact in new if fact.kind != INTERACTION}
        keys = {fact.key for fact in new}
        stored = [
            self.seen(fact, name)
            for fact in self.sent
            if self.number(fact) in self.seen_by(name) and not any(fact is p for p in self.parked)
        ]
        record.history = [fact for fact in stored if fact.key not in keys]
        named = {f.member for f in self.sent if f.kind == ORDER and self.number(f) in subjects}
        # As the services foresee it: holds and known orders need lots, orders that move all facts.
        known = subjects & record.states.keys() or any(fact.hold is not None for fact in new)
        attempts = [(False, False), (False, True), (True, True)]
        for with_history, with_lots in attempts[2 if len(named) > 1 else 1 if known else 0 :]:
            run = self.run(record, subjects, with_history=with_history, with_lots=with_lots)
            try:
                outcomes = run.receive(new, self.now)
            except (HistoryNeededError, LotsNeededError):
                continue
            self.keep(record, run, outcomes)
            return
        raise AssertionError("neither history nor lots sufficed")

    def run(
        self, record: Record, subjects: set[int], *, with_history: bool, with_lots: bool
    ) -> MemberRun:
        account = copy.deepcopy(record.account)
        account.lots_loaded = False
        if with_lots:
            account.attach(())
        else:
            account.lots, account.holds = {}, {}
        snapshot = None if record.snapshot is None else json.loads(record.snapshot)
        state = MemberState(account.key, account, record.facts, snapshot)
        if with_history:
            state.snapshot, state.history = None, list(record.history)
            state.posted = copy.deepcopy(record.posted)
        else:
            state.orders = {
                key: self.state_of(record, key) for key in subjects if key in record.states
            }
        return MemberRun(self.book, state, self.now)

    def state_of(self, record: Record, key: int) -> OrderState:
        """Read an order's state back, as the services do."""
        about = [
            fact for fact in record.history if fact.subject == key and fact.kind != INTERACTION
        ]
        orders = [fact for fact in about if fact.kind == ORDER]
        highest = max(orders, key=lambda fact: fact.version)
        kept = json.loads(record.states[key])
        state = OrderState(
            key, highest.source, highest.ref, highest.placed_at, MemberTier(*kept["tier"])
        )
        assert isinstance(highest.content, OrderVersion)
        state.version, state.is_mine = highest.content, highest.is_mine
        state.refunds = [fact.content for fact in about if isinstance(fact.content, Refund)]
        state.was_paid, state.counted = kept["paid"], Contribution(*kept["counted"])
        state.awards = dict(record.posted[ORDER, key])
        state.allowances = {int(rule): points for rule, points in kept.get("allow", {}).items()}
        state.hold, state.hold_points = kept.get("hold"), kept.get("hold_points")
        return state

    def keep(self, record: Record, run: MemberRun, outcomes: Sequence[FactOutcome]) -> None:
        account = run.account
        account.lots = {**record.account.lots, **account.lots}
        account.holds = {**record.account.holds, **account.holds}
        record.account = renamed(account)
        record.snapshot = json.dumps(run.fold.to_json())
        changes = list(run.fold.tiers.changes)
        record.changes = changes if run.is_refolded else record.changes + changes
        for outcome in outcomes:
            for decided in outcome.decided:
                record.posted[decided.subject] = dict(decided.awards)
                if decided.order is not None:
                    record.states[decided.subject[1]] = json.dumps(decided.order)
            for _at, delta in outcome.progress:
                metric = delta.metric.value
                record.progress[metric] = record.progress.get(metric, 0) + delta.amount

    def seen(self, fact: Fact, name: str) -> FoldFact:
        """Return a fact as the fold of one member sees it."""
        source = "app" if fact.kind == INTERACTION else "shop"
        ref = f"{fact.ref}/{fact.refund_no}" if fact.kind == REFUND else fact.ref
        return FoldFact(
            self.ids.setdefault(f"fact {fact.kind} {ref} {fact.version}", len(self.ids) + 1),
            fact.kind, source, ref, fact.version, fact.acts, self.number(fact), content(fact),
            fact.placed, fact.kind == REFUND or fact.member == name, hold=fact.hold,
        )  # fmt: skip

    # Commands

    def settle(self) -> None:
        for record in self.people.values():
            run = self.run(record, set(), with_history=False, with_lots=True)
            run.receive([], self.now)
            self.keep(record, run, [])

    def command(self, name: str) -> tuple[Account, Grounds]:
        self.settle()
        grounds = Grounds(None, None, "command", Cause(None, "till", self.now))
        return self.people[name].account, grounds

    def hold(self, name: str, key: int, points: int, ends_at: datetime) -> None:
        account, grounds = self.command(name)
        account.hold(grounds, key, points, self.now, ends_at)
        self.held[key] = name

    def capture(self, key: int, points: int | None) -> None:
        account, grounds = self.command(self.held[key])
        account.capture(grounds, key, points, self.now)

    def release(self, key: int) -> None:
        account, grounds = self.command(self.held[key])
        account.release(grounds, key, self.now)

    def adjust(self, name: str, points: int) -> None:
        account, grounds = self.command(name)
        expires_at = self.book.policy_at(self.now).expires_at(self.now)
        account.adjust(grounds, points, self.now, expires_at=expires_at)
        self.people[name].account = renamed(account)

    # What is kept

    def folded_again(self, name: str) -> MemberFold:
        """Fold everything from zero, up to what the snapshot has done."""
        record = self.people[name]
        facts = [
            self.seen(fact, name)
            for fact in self.sent
            if self.number(fact) in self.seen_by(name) and not any(fact is p for p in self.parked)
        ]
        fold = MemberFold.fresh(self.book, record.facts, oldest_instant(facts))
        fold_all(fold, facts)
        fold.settle(max(self.now, fold.tiers.acted_at))
        return fold

    def report(self, name: str) -> dict[str, Any]:
        record = self.people[name]
        account = record.account
        left: dict[datetime, int] = {}
        posted: dict[tuple[str, str], int] = {}
        refs = {number: key.partition(" ")[2] for key, number in self.ids.items()}
        for lot in account.lots.values():
            if lot.remaining:
                assert lot.expires_at is not None
                left[lot.expires_at] = left.get(lot.expires_at, 0) + lot.remaining
        for entry_ in account.transfers:
            if entry_.rule is not None and entry_.subject is not None:
                sign = (entry_.source == "issuance") - (entry_.target == "reversed")
                key = (refs[int(entry_.subject.partition(":")[2])], entry_.rule.code)
                posted[key] = posted.get(key, 0) + sign * entry_.points
        return {
            "points": {key: points for key, points in posted.items() if points},
            "balance": (account.pending, account.available, account.reserved, account.debt),
            "gone": (account.redeemed, account.expired, -account.adjusted),
            "lots": left,
            "standings": standings(record.changes, self.joined),
            "progress": {metric: sum_ for metric, sum_ in record.progress.items() if sum_},
        }


def standings(changes: Sequence[StandingChange], joined: datetime) -> list[tuple[Any, ...]]:
    """Return the standings that changes make, as they would be stored."""
    found: list[list[Any]] = []
    for change in changes:
        if change.begins_standing:
            if found:
                found[-1][2] = change.at
            found.append([change.rank, change.at, None, change.reason.value, None])
        found[-1][4] = change.kept_until_on
    return [tuple(standing) for standing in found] or [(0, joined, None, "enrolled", None)]


def content(fact: Fact) -> OrderVersion | Refund | InteractionContent:
    """Return what a fact says, in the engine's words."""
    if fact.kind == INTERACTION:
        return InteractionContent(fact.done)
    if fact.kind == REFUND:
        back = tuple(RefundLine(number, 1000, amount) for number, amount in fact.back)
        return Refund(fact.refund_no, back, fact.amount, fact.points, fact.acts)
    lines = tuple(
        Line(number, "sku", kind, None, None, 1000, amount, earns=earns)
        for number, kind, amount, earns in fact.lines
    )
    return OrderVersion(
        fact.version, fact.status, lines, fact.in_points, fact.channel, "", fact.acts
    )


def renamed(account: Account) -> Account:
    """Give the lots of this run the numbers that a database would give them."""
    names = {lot.key: lot.seq + 1_000_000 for lot in account.new_lots}
    for lot in account.lots.values():
        lot.key = names.get(lot.key, lot.key)
    for hold in account.holds.values():
        hold.uses = tuple((names.get(key, key), points) for key, points in hold.uses)
    account.lots = {lot.key: lot for lot in account.lots.values()}
    account.new_lots = []
    return account
