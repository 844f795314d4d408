"""Random histories of a shop against the plain reference, compared after each step."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.engine.plain_shop import PlainShop
from tests.engine.reference import Fact

JOINED = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PEOPLE = ("ann", "bob")

NAMES = st.sampled_from(PEOPLE)
# Most facts come at once or soon, some late, some later than is allowed.
BACK = st.one_of(st.just(0), st.integers(0, 30), st.integers(0, 24 * 30))
AMOUNTS = st.one_of(st.just([0]), *[st.lists(st.integers(0, 4_000), min_size=1, max_size=3)] * 5)
KINDS = st.sampled_from(["goods", "goods", "goods", "service", "shipping"])
CHANNELS = st.sampled_from(["pos", "pos", "web"])
NOW = st.sampled_from([True, True, True, False])
MODES = st.sampled_from(["full", "amount", "line", "points"])


class ShopMachine(RuleBasedStateMachine):
    """Two members who buy, return, change, swap orders, spend, and grow old."""

    def __init__(self) -> None:
        super().__init__()
        self.stored = self.open_shop()
        self.plain = PlainShop(PEOPLE, JOINED)
        self.now = JOINED
        self.orders: dict[str, Fact] = {}
        self.versions: dict[str, set[int]] = {}
        self.outbox: list[Fact] = []
        self.sent: list[Fact] = []
        self.numbers = 0

    def open_shop(self) -> Any:
        """Return the shop that is compared with the reference."""
        raise NotImplementedError

    def settled(self) -> AbstractContextManager[None]:
        """Settle everybody for a look; what the next fact has to settle must not be hidden."""
        raise NotImplementedError

    def folded_again(self) -> list[str]:
        """Return what differs from a fold of all facts from zero."""
        raise NotImplementedError

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def send(self, fact: Fact, now: bool) -> None:
        self.outbox.append(fact)
        if now:
            self.deliver()

    def deliver(self) -> None:
        """Send all that has been collected as one batch."""
        for channel in dict.fromkeys(fact.channel for fact in self.outbox):
            batch = [fact for fact in self.outbox if fact.channel == channel]
            for fact in batch:
                fact.received = self.now
            outcomes = self.stored.receive(batch)
            assert {outcome.status for outcome in outcomes} <= {200, 202}
            self.plain.receive(batch)
            self.sent += batch
        self.outbox = []

    def lines(self, amounts: list[int], kind: str) -> list[tuple[int, str, int, bool]]:
        kinds = [kind, "goods", "goods"]
        return [
            (index + 1, kinds[index], amount, amount % 7 != 0)
            for index, amount in enumerate(amounts)
        ]

    @initialize(points=st.integers(0, 60))
    def begin(self, points: int) -> None:
        """Give everybody something to spend."""
        for name in PEOPLE if points else ():
            self.stored.adjust(name, points)
            self.plain.adjust(name, points)

    def some_order(self, data: Any) -> str:
        """Draw a known order, rather one that is paid with points."""
        paid = sorted(ref for ref, fact in self.orders.items() if fact.hold is not None)
        if paid and data.draw(st.booleans()):
            return str(data.draw(st.sampled_from(paid)))
        return str(data.draw(st.sampled_from(sorted(self.orders))))

    # Facts

    @rule(name=NAMES, amounts=AMOUNTS, kind=KINDS, back=BACK, channel=CHANNELS, now=NOW)
    def buy(
        self, name: str, amounts: list[int], kind: str, back: int, channel: str, now: bool
    ) -> None:
        placed = self.now - back * HOUR
        ref = f"O{self.number()}"
        fact = Fact(
            "order", ref, name, placed, placed, self.now, channel=channel,
            lines=self.lines(amounts, kind),
        )  # fmt: skip
        self.orders[ref], self.versions[ref] = fact, {1}
        self.send(fact, now)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), name=NAMES, amounts=AMOUNTS, kind=KINDS, back=BACK, now=NOW)
    def change(
        self, data: Any, name: str, amounts: list[int], kind: str, back: int, now: bool
    ) -> None:
        """Edit, cancel, re-open or move an order; versions may be skipped and come later."""
        first = self.orders[self.some_order(data)]
        version = data.draw(st.integers(2, 6))
        if version in self.versions[first.ref]:
            return
        self.versions[first.ref].add(version)
        own = None if data.draw(st.integers(0, 4)) == 0 else self.now - back * HOUR
        status = data.draw(st.sampled_from(["paid", "paid", "completed", "cancelled"]))
        name = name if data.draw(st.booleans()) else first.member
        fact = Fact(
            "order", first.ref, name, first.placed, own, self.now, version, status, first.channel,
            self.lines(amounts, kind),
        )  # fmt: skip
        self.send(fact, now)

    @rule(data=st.data(), back=BACK, mode=MODES, amount=st.integers(1, 3_000), now=NOW)
    def refund(self, data: Any, back: int, mode: str, amount: int, now: bool) -> None:
        """Refund an order in one of three forms, at times before the order is there."""
        is_early = not self.orders or data.draw(st.integers(0, 9)) == 0
        ref = f"O{self.numbers + 2}" if is_early else self.some_order(data)
        own = self.now - back * HOUR
        known = self.orders.get(ref)
        fact = Fact(
            "refund", ref, "", own, own, self.now, refund_no=f"r{self.number()}",
            channel=known.channel if known else "pos",
        )  # fmt: skip
        if mode == "line":
            fact.back = [(data.draw(st.integers(1, 3)), amount)]
        elif mode != "full":
            fact.amount = amount
        if mode == "points":
            fact.points = data.draw(st.integers(0, 10))
        self.send(fact, now)

    @rule(name=NAMES, back=BACK, done=st.sampled_from(["survey", "review", "check_in"]), now=NOW)
    def do(self, name: str, back: int, done: str, now: bool) -> None:
        at = self.now - back * HOUR
        ref = f"i{self.number()}"
        self.send(Fact("interaction", ref, name, at, at, self.now, done=done), now)

    @precondition(lambda self: self.sent and not self.outbox)
    @rule(data=st.data())
    def repeat(self, data: Any) -> None:
        """Send again what was sent before: nothing changes."""
        fact = self.sent[data.draw(st.integers(0, len(self.sent) - 1))]
        (outcome,) = self.stored.receive([fact])
        assert outcome.data["replayed"] is True

    # Points as money

    @precondition(lambda self: not self.outbox)
    @rule(name=NAMES, points=st.integers(1, 30), hours=st.sampled_from([1, 30, 24 * 50]))
    def hold(self, name: str, points: int, hours: int) -> None:
        self.catch_up()
        if points <= self.plain.spendable(name):
            key = self.number()
            for shop in (self.stored, self.plain):
                shop.hold(name, key, points, self.now + hours * HOUR)

    @precondition(lambda self: not self.outbox)
    @rule(data=st.data(), name=NAMES, amount=st.integers(1, 4_000), points=st.integers(1, 30))
    def buy_with_points(self, data: Any, name: str, amount: int, points: int) -> None:
        """Pay with a hold: a new one, or one that may be closed or over by now."""
        self.catch_up()
        mine = [key for key in sorted(self.stored.held) if self.plain.holder[key] == name]
        if not mine or data.draw(st.integers(0, 3)):
            self.hold(name=name, points=points, hours=30)
            mine = sorted(self.stored.held)[-1:]
        key = data.draw(st.sampled_from(mine)) if mine else None
        if key is None or self.plain.holder[key] != name:
            return
        ref = f"O{self.number()}"
        fact = Fact(
            "order", ref, name, self.now, self.now, self.now, in_points=amount // 2, hold=key,
            lines=self.lines([amount, amount], "goods"),
        )  # fmt: skip
        self.orders[ref], self.versions[ref] = fact, {1}
        self.send(fact, True)

    @precondition(lambda self: self.stored.held and not self.outbox)
    @rule(data=st.data(), release=st.booleans())
    def close_hold(self, data: Any, release: bool) -> None:
        self.catch_up()
        key = data.draw(st.sampled_from(sorted(self.stored.held)))
        tokens = self.plain.people[self.plain.holder[key]].tokens
        aside = tokens.holds[key]
        if aside.state != "held":
            return
        if release:
            self.stored.release(key)
            tokens.release(key)
        else:
            points = data.draw(st.integers(1, len(aside.tokens)))
            self.stored.capture(key, points)
            self.plain.capture(self.plain.holder[key], key, points)

    @precondition(lambda self: not self.outbox)
    @rule(name=NAMES, points=st.integers(-20, 20).filter(bool))
    def adjust(self, name: str, points: int) -> None:
        self.catch_up()
        if points > 0 or -points <= self.plain.people[name].tokens.count("available"):
            self.stored.adjust(name, points)
            self.plain.adjust(name, points)

    # Time

    @rule(hours=st.one_of(st.integers(1, 30), st.integers(1, 24 * 40)))
    def wait(self, hours: int) -> None:
        self.deliver()
        self.now += hours * HOUR
        self.stored.now = self.now
        self.plain.pass_time(self.now)

    def catch_up(self) -> None:
        self.plain.pass_time(self.now)

    @invariant()
    def agree(self) -> None:
        """Compare all that is stored, settled up to now, and fold from zero."""
        if self.outbox:
            return
        with self.settled():
            for name in PEOPLE:
                stored, plain = self.stored.report(name), self.plain.report(name)
                wrong = {part: each for part, each in stored.items() if each != plain[part]}
                assert wrong == {part: plain[part] for part in wrong}
            assert self.folded_again() == []


def check(machine: type[ShopMachine], examples: int, steps: int) -> None:
    """Let the machine run."""
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)
