"""Random histories of an account against the plain reference, stored and loaded on the way."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rewards.domain import chain
from rewards.domain.account import Account
from rewards.domain.buckets import ADJUST_UP, ALLOWED, TRANSFER_IN
from rewards.domain.holds import Hold, HoldClosedError
from rewards.domain.lot_book import InsufficientPointsError, LotsNeededError, PointsDebtError
from rewards.domain.lots import Lot, without_last
from rewards.domain.transfers import SYSTEM, Cause, FactRef, Grounds, RuleRef, Transfer, Use
from tests.rewards.point_tokens import FOREVER, HOUR, Aside, Issue, Token, TokenAccount

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIME = Cause(None, SYSTEM, START)
COUNTERS = ("pending", "available", "reserved", "debt", "earned", "redeemed", "expired", "reversed")
POINTS = st.integers(1, 12)
BACK = st.sampled_from([0, 0, 0, 1, 5, 30, 80])
LASTS = st.sampled_from([None, 1, 6, 20, 24, 60, 200])
SUBJECTS = st.sampled_from(["order:1", "order:2", "interaction:1"])
RULES = st.sampled_from([1, 2])

Answer = TypeVar("Answer")


@dataclasses.dataclass
class Spend:
    """A redemption as its owner remembers it."""

    uses: tuple[Use, ...]
    tokens: list[Token]
    given_back: int = 0


class AccountMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.account = Account(key=1, member="m", lots_loaded=True)
        self.model = TokenAccount(now=START)
        self.issues: dict[int, Issue] = {}
        self.used: dict[int, int] = {}
        self.written: list[Transfer] = []
        self.stored: dict[int, Lot] = {}
        self.stored_holds: dict[int, Hold] = {}
        self.spends: list[Spend] = []
        self.captures: dict[int, list[Token]] = {}
        self.parts: dict[int, list[int]] = {}
        self.next_hold = 1

    @initialize()
    def begin(self) -> None:
        self.account.settle(START, TIME)

    # Storing, loading and asking again

    def ask(self, operation: Callable[[], Answer]) -> Answer:
        before = self.account.seq
        try:
            return operation()
        except LotsNeededError:
            assert self.account.seq == before
            lots = [dataclasses.replace(lot) for lot in self.stored.values()]
            holds = [dataclasses.replace(hold) for hold in self.stored_holds.values()]
            self.account.attach(lots, holds)
            return operation()

    def settle(self) -> None:
        before = len(self.account.transfers)
        self.ask(lambda: self.account.settle(self.model.now, TIME))
        timed = [
            (transfer.occurred_at, transfer.reason)
            for transfer in self.account.transfers[before:]
            if transfer.reason in ("activated", "expired")
        ]
        assert len(timed) == len(set(timed)), "one entry for an instant and kind"
        assert timed == sorted(timed)

    def grounds(self, subject: str | None = None, rule_key: int | None = None) -> Grounds:
        rule_ref = None if rule_key is None else RuleRef(rule_key, f"rule-{rule_key}", 1)
        fact = FactRef(1, "pos", "order", "A-1", 1)
        return Grounds(subject, rule_ref, "order", Cause(fact, "touchpoint:pos", START))

    def when(self, back: int) -> datetime:
        if back:
            self.settle()
        return self.model.now - back * HOUR

    def issue(self, at: datetime, wait: int, lasts: int | None) -> Issue:
        ends_at = FOREVER if lasts is None else at + lasts * HOUR
        self.model.issues += 1
        return Issue(self.model.issues, None, None, at + wait * HOUR, ends_at, at)

    @rule(keep_lots=st.booleans())
    def store_and_load(self, keep_lots: bool) -> None:
        account = self.account
        keys = {lot.key: lot.seq for lot in account.new_lots}
        for lot in account.lots.values():
            if lot.key in keys or lot.key in account.touched_lots:
                copy = dataclasses.replace(lot, key=keys.get(lot.key, lot.key))
                self.stored[copy.key] = copy
            else:
                assert self.stored[lot.key] == lot, "changed lots are named"
        for hold in account.holds.values():
            if hold.key in account.touched_holds:
                uses = renamed(hold.uses, keys)
                self.stored_holds[hold.key] = dataclasses.replace(hold, uses=uses)
            else:
                assert self.stored_holds[hold.key] == hold, "changed holds are named"
        for spend in self.spends:
            spend.uses = renamed(spend.uses, keys)
        self.write()
        kept = {name: getattr(account, name) for name in (*COUNTERS, "adjusted", "seq")}
        self.account = Account(
            key=1, member="m", head_hash=account.head_hash, settled_at=account.settled_at,
            due_at=account.next_due_at(), **kept,
        )  # fmt: skip
        if keep_lots:
            self.account.attach(
                [dataclasses.replace(lot) for lot in self.stored.values()],
                [dataclasses.replace(hold) for hold in self.stored_holds.values()],
            )

    def write(self) -> None:
        keys = {lot.key: lot.seq for lot in self.account.new_lots}
        for entry in self.account.transfers:
            for key, points in renamed(entry.uses, keys):
                self.used[key] = self.used.get(key, 0) + points
        self.written += self.account.transfers

    # Operations

    @rule(hours=st.integers(1, 40), settle=st.booleans())
    def time_passes(self, hours: int, settle: bool) -> None:
        self.model.pass_time(self.model.now + hours * HOUR)
        if settle:
            self.settle()

    @rule(
        points=POINTS, subject=SUBJECTS, by=RULES, wait=st.sampled_from([0, 0, 4, 25, 70]),
        lasts=LASTS, back=BACK,
    )  # fmt: skip
    def rise(
        self, points: int, subject: str, by: int, wait: int, lasts: int | None, back: int
    ) -> None:
        at = self.when(back)
        issue = self.issue(at, wait, lasts)
        issue.subject, issue.rule = subject, by
        lot = self.ask(
            lambda: self.account.rise(
                self.grounds(subject, by),
                points,
                at,
                available_at=issue.available_at if wait else None,
                expires_at=None if lasts is None else issue.ends_at,
            )
        )
        self.issues[lot.seq] = issue
        self.model.earn(points, issue, pending=wait > 0)

    @rule(points=st.integers(1, 25), subject=SUBJECTS, by=RULES, back=BACK)
    def fall(self, points: int, subject: str, by: int, back: int) -> None:
        at = self.when(back)
        self.ask(lambda: self.account.fall(self.grounds(subject, by), points, at))
        self.model.fall(points, subject, by)

    def refusal(self, points: int) -> type[Exception] | None:
        if self.model.debt:
            return PointsDebtError
        return InsufficientPointsError if points > self.model.count("available") else None

    @rule(points=POINTS)
    def redeem(self, points: int) -> None:
        now, refused = self.model.now, self.refusal(points)
        if refused:
            with pytest.raises(refused):
                self.ask(lambda: self.account.redeem(self.grounds(), points, now))
            return
        uses = self.ask(lambda: self.account.redeem(self.grounds(), points, now))
        self.spends.append(Spend(uses, self.model.move(points, "redeemed")))

    @rule(points=POINTS)
    def spend(self, points: int) -> None:
        """Spend under a key of its own: what is given back goes the way of a captured hold."""
        now, key, refused = self.model.now, self.next_hold, self.refusal(points)
        self.next_hold += 1
        if refused:
            with pytest.raises(refused):
                self.ask(lambda: self.account.spend(self.grounds(), key, points, now))
            return
        hold = self.ask(lambda: self.account.spend(self.grounds(), key, points, now))
        assert (hold.captured, hold.state) == (points, "captured")
        self.captures[key] = self.model.move(points, "redeemed")

    def holding(
        self, key: int, points: int, ends_at: datetime, parent: int | None
    ) -> Callable[[], Hold]:
        now, min_rank = self.model.now, 3 if parent else None
        return lambda: self.account.hold(
            self.grounds(), key, points, now, ends_at, parent=parent, min_rank=min_rank
        )

    @rule(hours=st.sampled_from([1, 5, 24]), data=st.data())
    def hold_with_parts(self, hours: int, data: st.DataObject) -> None:
        """Hold a tender, of nothing perhaps, with prices as its parts; close them as one."""
        now, key = self.model.now, self.next_hold
        ends_at = now + hours * HOUR
        counts = data.draw(st.lists(st.integers(0, 4), min_size=2, max_size=3))
        self.next_hold += len(counts)
        if self.model.debt or sum(counts) > self.model.count("available"):
            return
        for place, points in enumerate(counts):
            parent = key if place else None
            self.ask(self.holding(key + place, points, ends_at, parent))
            self.model.holds[key + place] = Aside(self.model.move(points, "reserved"), ends_at)
        self.parts[key] = [key + place for place in range(1, len(counts))]
        verb = data.draw(st.sampled_from(["capture", "demoted", "release", "keep"]))
        rank = 2 if verb == "demoted" else 3
        if verb in {"capture", "demoted"}:
            self.ask(lambda: self.account.capture(self.grounds(), key, None, now, rank=rank))
        elif verb == "release":
            self.ask(lambda: self.account.release(self.grounds(), key, now))
        for place, points in enumerate(counts):
            if verb == "capture" or (verb == "demoted" and not place):
                self.captures[key + place] = self.model.capture(key + place, points)
            elif verb != "keep":
                self.model.release(key + place)

    @rule(points=POINTS, hours=st.sampled_from([1, 5, 24, 90]))
    def hold(self, points: int, hours: int) -> None:
        now, key, refused = self.model.now, self.next_hold, self.refusal(points)
        ends_at = now + hours * HOUR
        self.next_hold += 1
        if refused:
            with pytest.raises(refused):
                self.ask(lambda: self.account.hold(self.grounds(), key, points, now, ends_at))
            return
        self.ask(lambda: self.account.hold(self.grounds(), key, points, now, ends_at))
        self.model.holds[key] = Aside(self.model.move(points, "reserved"), ends_at)

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), verb=st.sampled_from(["capture", "capture", "release"]))
    def close_hold(self, data: st.DataObject, verb: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.holds)))
        hold, now = self.model.holds[key], self.model.now
        points = data.draw(st.integers(0, len(hold.tokens)))
        captured = None if points == len(hold.tokens) else points

        def operation() -> object:
            if verb == "capture":
                return self.account.capture(self.grounds(), key, captured, now)
            self.account.release(self.grounds(), key, now)
            return None

        if hold.state != "held":
            with pytest.raises(HoldClosedError) as refused:
                self.ask(operation)
            assert refused.value.state == hold.state
            return
        self.ask(operation)
        if verb == "release":
            self.model.release(key)
        else:
            self.captures[key] = self.model.capture(key, points)
        for part in self.parts.get(key, ()):
            held = self.model.holds[part]
            if held.state == "held" and verb == "release":
                self.model.release(part)
            elif held.state == "held":
                self.captures[part] = self.model.capture(part, len(held.tokens))

    @precondition(lambda self: any(spend.tokens for spend in self.spends))
    @rule(data=st.data(), back=BACK, min_days=st.sampled_from([0, 0, 1, 3]))
    def give_back(self, data: st.DataObject, back: int, min_days: int) -> None:
        spend = data.draw(st.sampled_from([spend for spend in self.spends if spend.tokens]))
        points = data.draw(st.integers(1, len(spend.tokens)))
        at = self.when(back)
        self.ask(
            lambda: self.account.give_back(
                self.grounds(),
                without_last(spend.uses, spend.given_back),
                points,
                at,
                give_back_min_days=min_days,
            )
        )
        spend.given_back += points
        self.model.give_back(spend.tokens, points, at, min_days)

    @precondition(lambda self: any(self.captures.values()))
    @rule(data=st.data(), back=BACK)
    def give_back_captured(self, data: st.DataObject, back: int) -> None:
        key = data.draw(st.sampled_from([key for key, tokens in self.captures.items() if tokens]))
        points = data.draw(st.integers(1, len(self.captures[key])))
        at = self.when(back)
        self.ask(lambda: self.account.give_back_captured(self.grounds(), key, points, at))
        self.model.give_back(self.captures[key], points, at, 0)

    @rule(points=POINTS, lasts=LASTS, moved_in=st.booleans())
    def adjust_up(self, points: int, lasts: int | None, moved_in: bool) -> None:
        issue = self.issue(self.model.now, 0, lasts)
        flow = TRANSFER_IN if moved_in else ADJUST_UP
        ends_at = None if lasts is None else issue.ends_at
        self.ask(
            lambda: self.account.adjust(
                self.grounds(), points, issue.earned_at, expires_at=ends_at, flow=flow
            )
        )
        self.issues[self.account.new_lots[-1].seq] = issue
        self.model.earn(points, issue, pending=False)
        self.model.adjusted -= points

    @rule(points=POINTS)
    def adjust_down(self, points: int) -> None:
        now = self.model.now
        if points > self.model.count("available"):
            with pytest.raises(InsufficientPointsError):
                self.ask(lambda: self.account.adjust(self.grounds(), -points, now))
            return
        self.ask(lambda: self.account.adjust(self.grounds(), -points, now))
        self.model.move(points, "adjusted")
        self.model.adjusted += points

    @rule(hours=st.sampled_from([10, 50, 150]))
    def extend(self, hours: int) -> None:
        now, ends_at = self.model.now, self.model.now + hours * HOUR
        self.ask(lambda: self.account.extend_lots(ends_at, now, TIME))
        for token in self.model.at("available") + self.model.at("pending"):
            if token.issue.ends_at > now:
                token.issue.ends_at = max(token.issue.ends_at, ends_at)

    # Comparing

    @invariant()
    def balances_agree(self) -> None:
        model, account = self.model, self.account
        if account.settled_at < model.now:
            return
        for place in ("pending", "available", "reserved", "redeemed", "expired"):
            assert getattr(account, place) == model.count(place), place
        assert account.debt == model.debt
        assert account.adjusted == model.adjusted
        assert account.reversed == model.count("reversed") + model.reversed_into_debt
        account.check()

    @invariant()
    def lots_agree(self) -> None:
        if self.account.settled_at < self.model.now or not self.account.lots_loaded:
            return
        for lot in self.account.lots.values():
            places = [
                token.place for token in self.model.tokens if token.issue is self.issues[lot.seq]
            ]
            open_points = places.count("pending") + places.count("available")
            assert lot.remaining == open_points
            assert lot.expired == places.count("expired")
            assert lot.points == len(places)
            assert (lot.expires_at or FOREVER) == self.issues[lot.seq].ends_at

    @invariant()
    def nothing_is_overdue(self) -> None:
        due = self.account.next_due_at()
        assert due is None or due > self.account.settled_at

    def teardown(self) -> None:
        self.write()
        assert chain.first_break("m", "points", self.written) is None
        assert all((entry.source, entry.target) in ALLOWED for entry in self.written)
        self.account.attach(self.stored.values())
        for lot in self.account.lots.values():
            assert lot.points - lot.remaining == self.used.get(lot.seq, 0)


def renamed(uses: tuple[Use, ...], keys: dict[int, int]) -> tuple[Use, ...]:
    return tuple((keys.get(key, key), points) for key, points in uses)


AccountMachine.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


TestAccountMachine = pytest.mark.req("PTS-07", "PTS-11", "PTS-12")(AccountMachine.TestCase)
