"""The plain telling goes on: what is posted when facts arrive and commands are given.

Every arrival folds all facts again and moves single points (tokens) by the difference.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.engine.reference import (
    EXPIRY,
    ONE_DAY,
    RULES,
    WAIT,
    Fact,
    Story,
    in_order,
    local,
    midnight,
    what_is_left,
)
from tests.rewards.point_tokens import Aside, Issue, Token, TokenAccount

Posted = dict[tuple[str, str], int]


class Tokens(TokenAccount):
    """Tokens for which time jumps to the next instant at which something is due."""

    def pass_time(self, upto: datetime) -> None:
        while self.now < upto:
            due = [hold.ends_at for hold in self.holds.values() if hold.state == "held"]
            for token in self.tokens:
                if token.place == "pending":
                    due.append(token.issue.available_at)
                elif token.place == "available":
                    due.append(token.issue.ends_at)
            self.now = min([upto, *(at for at in due if at > self.now)])
            self.what_is_due()

    def what_is_due(self) -> None:
        for _, hold in sorted(self.holds.items(), key=lambda item: (item[1].ends_at, item[0])):
            if hold.state == "held" and hold.ends_at <= self.now:
                hold.state = "lapsed"
                self.free(hold.tokens)
        for token in self.at("pending"):
            if token.issue.available_at <= self.now:
                token.place = "available"
        self.pay_debt()
        self.expire()


@dataclass
class Person:
    """One member: the tokens, and what has been posted per (subject, rule)."""

    joined: datetime
    tokens: Tokens
    posted: Posted = field(default_factory=dict)
    spent: dict[int, list[Token]] = field(default_factory=dict)
    captured: dict[int, int] = field(default_factory=dict)


class PlainShop:
    """All members and all facts."""

    def __init__(self, people: Iterable[str], joined: datetime) -> None:
        self.people = {name: Person(joined, Tokens(joined)) for name in people}
        self.facts: list[Fact] = []
        self.parked: list[Fact] = []
        self.now = joined
        self.holder: dict[int, str] = {}
        self.pays: dict[int, str] = {}

    def pass_time(self, upto: datetime) -> None:
        self.now = upto
        for person in self.people.values():
            person.tokens.pass_time(upto)

    def story(self, name: str) -> Story:
        return Story(name, self.people[name].joined, self.facts, self.now)

    # Facts

    def receive(self, facts: Iterable[Fact]) -> None:
        """Take facts that arrive together, in business order; refunds wait for their orders."""
        arrived = [*self.parked, *facts]
        both = in_order([*self.facts, *arrived])
        self.parked = [fact for fact in arrived if all(fact is not each for _p, each in both)]
        for _place, fact in both:
            if any(fact is each for each in arrived):
                self.facts.append(fact)
                for name in self.people:
                    self.post(name, fact)

    def post(self, name: str, fact: Fact) -> None:
        person, story = self.people[name], self.story(name)
        wanted = story.points()
        if fact.kind != "interaction":
            self.tender(name, fact, story)
        known = {each.ref: each for each in self.facts if each.kind != "refund"}
        moves = []
        for subject in wanted.keys() | person.posted.keys():
            about = known[subject[0]]
            source = "app" if about.kind == "interaction" else "shop"
            change = wanted.get(subject, 0) - person.posted.get(subject, 0)
            moves.append(((about.placed, source, subject[0], subject[1]), subject, about, change))
        moves.sort(key=lambda move: move[0])
        for _key, subject, about, change in moves:
            if change > 0:
                self.rise(person, subject, about, change)
        for _key, subject, _about, change in moves:
            if change < 0:
                person.tokens.fall(-change, subject[0], RULES.index(subject[1]))
        person.posted = wanted

    def rise(self, person: Person, subject: tuple[str, str], about: Fact, points: int) -> None:
        placed, tokens = about.placed, person.tokens
        waits = about.kind != "interaction" and about.channel == "web"
        ready = midnight(local(placed) + (WAIT + 1) * ONE_DAY) if waits else placed
        ends = midnight(local(placed) + (EXPIRY + 1) * ONE_DAY)
        tokens.issues += 1
        issue = Issue(tokens.issues, subject[0], RULES.index(subject[1]), ready, ends, placed)
        tokens.earn(points, issue, pending=waits)

    def tender(self, name: str, fact: Fact, story: Story) -> None:
        """Capture what an order is paid with when it counts; give back what is refunded."""
        person, order = self.people[name], story.orders[fact.ref]
        key = order.hold
        if key is None or self.holder.get(key) != name or order.version is None:
            return
        hold = person.tokens.holds[key]
        if order.counts and hold.state == "held":
            self.capture(name, key, None)
        if order.counts and hold.state == "captured":
            self.pays.setdefault(key, fact.ref)
        if self.pays.get(key) != fact.ref:
            return
        captured = person.captured.get(key, 0)
        is_gone = fact.kind == "order" and name not in (fact.member, order.version.member)
        back = captured
        if order.net and not is_gone:
            named = sum(refund.points or 0 for refund in order.refunds)
            others = [refund for refund in order.refunds if refund.points is None]
            sold = sum(amount for _n, _k, amount, _e in order.version.lines)
            left = sum(what_is_left(order.version, others).values())
            back = min(captured, named + captured * (sold - left) // sold)
        given = captured - len(person.spent.get(key, []))
        if back > given:
            person.tokens.give_back(person.spent[key], back - given, self.now, 0)

    # Commands

    def spendable(self, name: str) -> int:
        tokens = self.people[name].tokens
        return 0 if tokens.debt else tokens.count("available")

    def hold(self, name: str, key: int, points: int, ends_at: datetime) -> None:
        tokens = self.people[name].tokens
        tokens.holds[key] = Aside(tokens.move(points, "reserved"), ends_at)
        self.holder[key] = name

    def capture(self, name: str, key: int, points: int | None) -> None:
        person = self.people[name]
        count = len(person.tokens.holds[key].tokens) if points is None else points
        person.spent[key] = list(person.tokens.capture(key, count))
        person.captured[key] = count

    def adjust(self, name: str, points: int) -> None:
        tokens = self.people[name].tokens
        tokens.adjusted += points
        if points < 0:
            tokens.move(-points, "taken")
            return
        ends = midnight(local(self.now) + (EXPIRY + 1) * ONE_DAY)
        tokens.issues += 1
        tokens.earn(
            points, Issue(tokens.issues, None, None, self.now, ends, self.now), pending=False
        )

    # What it comes to

    def report(self, name: str) -> dict[str, Any]:
        """Return everything that can be compared."""
        tokens, story = self.people[name].tokens, self.story(name)
        left: dict[datetime, int] = {}
        for token in tokens.at("available") + tokens.at("pending"):
            left[token.issue.ends_at] = left.get(token.issue.ends_at, 0) + 1
        return {
            "points": story.points(),
            "balance": (
                tokens.count("pending"), tokens.count("available"), tokens.count("reserved"),
                tokens.debt,
            ),
            "gone": (tokens.count("redeemed"), tokens.count("expired"), tokens.adjusted),
            "lots": left,
            "standings": list(story.history()),
            "progress": story.progress(),
        }  # fmt: skip
