"""A plain reference of the points account: every single point is a token that lies somewhere.

Written as differently from the engine as the rules allow: no counters, no lot arithmetic, time
passes hour by hour, and every choice is a sort over all tokens.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
FOREVER = datetime.max.replace(tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(eq=False)
class Issue:
    """Where tokens come from: their common expiry and origin."""

    number: int
    subject: str | None
    rule: int | None
    available_at: datetime
    ends_at: datetime
    earned_at: datetime


@dataclass(eq=False)
class Token:
    """One point."""

    issue: Issue
    place: str

    def debit_key(self) -> tuple[datetime, datetime, int]:
        return (self.issue.ends_at, self.issue.earned_at, self.issue.number)


@dataclass(eq=False)
class Aside:
    """Tokens set aside or spent, in the order taken."""

    tokens: list[Token]
    ends_at: datetime = FOREVER
    state: str = "held"


@dataclass
class TokenAccount:
    """All tokens of a member."""

    now: datetime
    tokens: list[Token] = field(default_factory=list)
    holds: dict[int, Aside] = field(default_factory=dict)
    debt: int = 0
    reversed_into_debt: int = 0
    adjusted: int = 0
    issues: int = 0

    def at(self, place: str) -> list[Token]:
        found = [token for token in self.tokens if token.place == place]
        return sorted(found, key=Token.debit_key)

    def count(self, place: str) -> int:
        return len(self.at(place))

    def pass_time(self, upto: datetime) -> None:
        while self.now < upto:
            self.now += HOUR
            for _, hold in sorted(self.holds.items(), key=lambda item: (item[1].ends_at, item[0])):
                if hold.state == "held" and hold.ends_at <= self.now:
                    hold.state = "lapsed"
                    self.free(hold.tokens)
            for token in self.at("pending"):
                if token.issue.available_at <= self.now:
                    token.place = "available"
            self.pay_debt()
            self.expire()

    def free(self, tokens: list[Token]) -> None:
        for token in tokens:
            token.place = "available"
        self.pay_debt()

    def pay_debt(self) -> None:
        for token in self.at("available"):
            if self.debt and token.issue.ends_at > self.now:
                token.place = "paid"
                self.debt -= 1

    def expire(self) -> None:
        for token in self.at("available"):
            if token.issue.ends_at <= self.now:
                token.place = "expired"

    def earn(self, points: int, issue: Issue, *, pending: bool) -> None:
        place = "pending" if pending and issue.available_at > self.now else "available"
        self.tokens += [Token(issue, place) for _ in range(points)]
        self.pay_debt()
        self.expire()

    def fall(self, points: int, subject: str, rule: int) -> None:
        def rank(token: Token) -> int:
            own = token.issue.subject == subject
            other_rule = token.issue.rule != rule
            if own and token.place in ("pending", "available", "expired"):
                return 2 * ("pending", "available", "expired").index(token.place) + other_rule
            return 6 if token.place == "available" else 9

        candidates = [token for token in self.tokens if rank(token) < 9]
        candidates.sort(key=lambda token: (rank(token), token.debit_key()))
        for token in candidates[:points]:
            token.place = "reversed"
        short = max(0, points - len(candidates))
        self.debt += short
        self.reversed_into_debt += short

    def move(self, points: int, place: str) -> list[Token]:
        taken = self.at("available")[:points]
        for token in taken:
            token.place = place
        return taken

    def give_back(self, spent: list[Token], points: int, at: datetime, min_days: int) -> None:
        back = [spent.pop() for _ in range(points)]
        for token in back:
            if min_days and token.issue.ends_at <= at:
                token.issue.ends_at = max(token.issue.ends_at, midnight_after(at, min_days))
        self.free(back)
        self.expire()

    def capture(self, key: int, points: int) -> list[Token]:
        hold = self.holds[key]
        hold.state = "captured"
        for token in hold.tokens[:points]:
            token.place = "redeemed"
        self.free(hold.tokens[points:])
        self.expire()
        return hold.tokens[:points]

    def release(self, key: int) -> None:
        self.holds[key].state = "released"
        self.free(self.holds[key].tokens)
        self.expire()


def midnight_after(at: datetime, days: int) -> datetime:
    day = at.astimezone(SHANGHAI).date() + timedelta(days=days + 1)
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
