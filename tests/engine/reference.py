"""A plain second telling of the programme: keeps every fact, folds all of them again each time.

No code in common with the engine: lists, dictionaries and fractions, written from the design. The
small programme that it tells is `PROGRAMME`: thresholds, terms and caps that random facts reach.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from rewards.presets import parts
from rewards.presets.shape import Preset, RulePreset, Threshold, TierPreset

ZONE = ZoneInfo("Asia/Shanghai")
ONE_DAY = timedelta(days=1)
WINDOW, TERM, WITHDRAW, LATE, EXPIRY, WAIT = 60, 60, 10, 20, 45, 3
SPEND_OF = (0, 5_000, 12_000, 25_000)
DONE_OF = (0, 5, 9, 14)
FACTOR_OF = (Fraction(1), Fraction(11, 10), Fraction(5, 4), Fraction(3, 2))
EXTRA_CAP, SURVEY_CAP, SURVEY_POINTS = 12, 6, 4
RULES = ("base", "extra", "survey", "tier")
QUALIFYING = ("survey", "review")


def _ways(rank: int) -> tuple[Threshold, ...]:
    return (
        Threshold("spend", Decimal(SPEND_OF[rank]) / 100, WINDOW),
        Threshold("interactions", Decimal(DONE_OF[rank]), WINDOW),
    )


PROGRAMME = Preset(
    code="small",
    tiers=(
        TierPreset("basic", "普通", "Basic"),
        TierPreset("silver", "银卡", "Silver", Decimal("1.1"), Decimal(0), _ways(1)),
        TierPreset("gold", "金卡", "Gold", Decimal("1.25"), Decimal(0), _ways(2)),
        TierPreset("diamond", "钻石", "Diamond", Decimal("1.5"), Decimal(0), _ways(3)),
    ),
    ladder={
        "validity_days": TERM, "withdraw_days": WITHDRAW, "qualifying_kinds": list(QUALIFYING),
    },
    rules=(
        parts.BASE_RULE,
        parts.TIER_RULE,
        RulePreset("extra", "额外", "Extra", {
            "effect": "per_amount", "per_amount": Decimal(2), "priority": 60,
            "cap_points": EXTRA_CAP, "cap_period": "week",
        }),
        RulePreset("survey", "问卷", "Survey", {
            "trigger": "interaction", "effect": "fixed", "points": SURVEY_POINTS, "priority": 50,
            "conditions": {"field": "interaction.kind", "op": "eq", "value": "survey"},
            "cap_points": SURVEY_CAP, "cap_period": "month",
        }),
    ),
    policy={
        "expiry": "rolling_days", "expires_after": EXPIRY, "late_fact_days": LATE,
        "return_window_days": {"web": WAIT},
    },
    kinds=parts.KINDS,
)  # fmt: skip


def local(at: datetime) -> date:
    return at.astimezone(ZONE).date()


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


@dataclass
class Fact:
    """One fact as sent; `own` is its own instant, None for a change without one."""

    kind: str
    ref: str
    member: str
    placed: datetime
    own: datetime | None
    received: datetime
    version: int = 1
    status: str = "paid"
    channel: str = "pos"
    lines: list[tuple[int, str, int, bool]] = field(default_factory=list)
    in_points: int = 0
    refund_no: str = ""
    back: list[tuple[int, int]] = field(default_factory=list)
    amount: int | None = None
    points: int | None = None
    hold: int | None = None
    done: str = ""
    history: bool = False

    @property
    def acts(self) -> datetime:
        if self.own is None:
            return max(self.received, self.placed)
        own = max(self.own, self.placed)
        too_late = own < self.received - LATE * ONE_DAY and not self.history
        return self.received if too_late else own

    @property
    def place(self) -> tuple[Any, ...]:
        number = ("order", "refund", "interaction").index(self.kind)
        source = "app" if self.kind == "interaction" else "shop"
        ref = f"{self.ref}/{self.refund_no}" if self.kind == "refund" else self.ref
        return (self.acts, number, source, ref, self.version)


@dataclass
class Bought:
    """An order as far as the fold has come."""

    rank: int
    version: Fact | None = None
    refunds: list[Fact] = field(default_factory=list)
    paid: bool = False
    points: dict[str, int] = field(default_factory=dict)
    allowed: dict[str, int] = field(default_factory=dict)
    spend: int = 0
    counts: bool = False
    left: dict[int, int] = field(default_factory=dict)
    hold: int | None = None

    @property
    def net(self) -> int:
        return sum(self.left.values())


def in_order(facts: Iterable[Fact]) -> list[tuple[tuple[Any, ...], Fact]]:
    """Return the facts that fold with their places; a refund waits for its order."""
    facts = list(facts)
    first: dict[str, tuple[Any, ...]] = {}
    for fact in facts:
        if fact.kind == "order":
            first[fact.ref] = min(first.get(fact.ref, fact.place), fact.place)
    placed: list[tuple[tuple[Any, ...], Fact]] = []
    for fact in facts:
        if fact.kind != "refund":
            placed.append(((fact.place, ()), fact))
        elif fact.ref in first:
            waits = fact.place < first[fact.ref]
            mine = (fact.acts, fact.refund_no)
            placed.append(((first[fact.ref], mine) if waits else (fact.place, ()), fact))
    return sorted(placed, key=lambda pair: pair[0])


def what_is_left(version: Fact, refunds: list[Fact]) -> dict[int, int]:
    """Return what is left of each line: line refunds, then all amounts at once, then full ones."""
    if version.status == "cancelled" or any(r.amount is None and not r.back for r in refunds):
        return {number: 0 for number, *_ in version.lines}
    gone = Counter[int]()
    for refund in refunds:
        gone.update(dict(refund.back))
    left = {number: max(0, amount - gone[number]) for number, _k, amount, _e in version.lines}
    amount = sum(refund.amount or 0 for refund in refunds if not refund.back)
    total = sum(left.values())
    if amount >= total:
        return dict.fromkeys(left, 0)
    shares = {number: Fraction(amount * rest, total) for number, rest in left.items()}
    floors = {number: int(share) for number, share in shares.items()}
    by_rest = sorted(shares, key=lambda number: (floors[number] - shares[number], number))
    for number in by_rest[: amount - sum(floors.values())]:
        floors[number] += 1
    return {number: rest - floors[number] for number, rest in left.items()}


class Story:
    """One member's facts, folded."""

    def __init__(self, me: str, joined: datetime, facts: Iterable[Fact], upto: datetime) -> None:
        facts = list(facts)
        mine = [f.acts for f in facts if f.kind != "refund" and f.member == me]
        start = min([joined, *mine])
        self.me = me
        self.rank = 0
        self.kept: date | None = None
        self.standings: list[list[Any]] = [[0, start, "enrolled", None]]
        self.upgrades: list[tuple[date, int]] = []
        self.orders: dict[str, Bought] = {}
        self.done: dict[str, tuple[date, dict[str, int]]] = {}
        self.used = Counter[tuple[str, Any]]()
        self.line: list[tuple[Any, int]] = []
        self.placed_on: dict[str, date] = {}
        for place, fact in in_order(facts):
            self.reviews(place[0][0])
            if fact.kind == "interaction":
                self.interaction(fact, place)
            else:
                self.order(fact, place)
        self.reviews(upto)

    # standings

    def stand(self, at: datetime, rank: int, kept: date | None, why: str, place: Any) -> None:
        if rank != self.rank:
            self.standings.append([rank, at, why, None])
            self.line.append((place, rank))
        self.rank, self.kept = rank, kept if rank else None
        self.standings[-1][3] = self.kept

    def figures(self, day: date) -> tuple[int, int]:
        first = day - (WINDOW - 1) * ONE_DAY
        spent = sum(
            order.spend
            for ref, order in self.orders.items()
            if order.counts and first <= self.placed_on[ref] <= day
        )
        return spent, sum(first <= on <= day for on, _points in self.done.values())

    def met(self, rank: int, day: date) -> bool:
        spent, done = self.figures(day)
        return rank == 0 or spent >= SPEND_OF[rank] or done >= DONE_OF[rank]

    def evaluate(self, at: datetime, place: Any) -> None:
        day = local(at)
        kept = day + TERM * ONE_DAY
        best = max(rank for rank in range(4) if self.met(rank, day))
        if best > self.rank:
            self.upgrades.append((day, self.rank))
            self.stand(at, best, kept, "qualified", place)
        elif self.rank and self.kept and self.met(self.rank, day):
            self.stand(at, self.rank, max(kept, self.kept), "renewed", place)

    def withdraw(self, at: datetime, place: Any) -> None:
        day = local(at)
        recent = [each for each in self.upgrades if each[0] + WITHDRAW * ONE_DAY >= day]
        if self.rank and recent:
            floor = min(rank for _day, rank in recent)
            still = max(rank for rank in range(self.rank + 1) if self.met(rank, day))
            still = max(floor, still)
            if still < self.rank:
                self.upgrades = [each for each in recent if each[1] < still]
                self.stand(at, still, self.kept, "qualification_withdrawn", place)

    def reviews(self, upto: datetime) -> None:
        while self.kept is not None and midnight(self.kept + ONE_DAY) <= upto:
            at, last = midnight(self.kept + ONE_DAY), self.kept
            best = max(rank for rank in range(4) if self.met(rank, last))
            rank = max(best, self.rank - 1)
            if rank < self.rank:
                self.upgrades = []
            why = "review_downgrade" if rank < self.rank else "review_upgrade"
            self.stand(at, rank, last + TERM * ONE_DAY, why, ((at, -1), ()))

    # facts

    def interaction(self, fact: Fact, place: Any) -> None:
        if fact.member != self.me:
            return
        on, points = local(fact.placed), {}
        if fact.done == "survey":
            room = max(0, SURVEY_CAP - self.used["survey", (on.year, on.month)])
            given = min(SURVEY_POINTS, room)
            self.used["survey", (on.year, on.month)] += given
            points = {"survey": given} if given else {}
        if fact.done in QUALIFYING:
            self.done[fact.ref] = (on, points)
            self.evaluate(fact.acts, place)

    def order(self, fact: Fact, place: Any) -> None:
        order = self.orders.get(fact.ref)
        if order is None:
            order = self.orders[fact.ref] = Bought(self.rank_before(fact))
            self.placed_on[fact.ref] = local(fact.placed)
        if fact.kind == "refund":
            order.refunds.append(fact)
        elif order.version is not None and fact.version <= order.version.version:
            return
        else:
            order.version = fact
            order.hold = order.hold if fact.hold is None else fact.hold
        version = order.version
        assert version is not None
        order.left = what_is_left(version, order.refunds)
        is_paid = version.member == self.me and version.status != "cancelled"
        spend = sum(order.left[n] for n, kind, *_ in version.lines if kind in ("goods", "service"))
        counts = is_paid and order.net > 0
        before = (order.spend, order.counts)
        order.points = self.capped(order, self.earned(order, version) if counts else {})
        order.spend, order.counts = (spend, True) if counts else (0, False)
        first, order.paid = is_paid and not order.paid, order.paid or is_paid
        after, at = (order.spend, order.counts), place[0][0]
        if first or after[0] > before[0] or after[1] > before[1]:
            self.evaluate(at, place)
        elif after != before:
            self.withdraw(at, place)

    def rank_before(self, fact: Fact) -> int:
        """Return the rank in force when the order was placed, before it."""
        before = ((fact.placed, 0, "shop", fact.ref, 0), ())
        return next((rank for place, rank in reversed(self.line) if place < before), 0)

    def earned(self, order: Bought, version: Fact) -> dict[str, int]:
        lines = [
            (amount, order.left[number])
            for number, kind, amount, earns in version.lines
            if earns and kind in ("goods", "service")
        ]
        sold, left = sum(a for a, _ in lines), sum(rest for _, rest in lines)
        base = Fraction(left) * (1 - Fraction(min(version.in_points, sold), sold or 1)) / 100
        factor = FACTOR_OF[order.rank] - 1
        return {"base": int(base), "tier": int(base * factor), "extra": int(base / 2)}

    def capped(self, order: Bought, wanted: dict[str, int]) -> dict[str, int]:
        """Hold "extra" within its weekly cap; an order's share is set when it first counts."""
        version = order.version
        assert version is not None
        week = local(version.placed).isocalendar()[:2]
        self.used["extra", week] -= order.points.get("extra", 0)
        extra = wanted.get("extra", 0)
        if extra:
            room = max(0, EXTRA_CAP - self.used["extra", week])
            order.allowed["extra"] = min(order.allowed.get("extra", room), room)
            wanted["extra"] = min(extra, order.allowed["extra"])
            self.used["extra", week] += wanted["extra"]
        return {rule: points for rule, points in wanted.items() if points}

    # what it comes to

    def points(self) -> dict[tuple[str, str], int]:
        found = {}
        for ref, order in self.orders.items():
            found.update({(ref, rule): points for rule, points in order.points.items()})
        for ref, (_on, given) in self.done.items():
            found.update({(ref, rule): points for rule, points in given.items()})
        return found

    def progress(self) -> dict[str, int]:
        sums = {
            "spend": sum(order.spend for order in self.orders.values() if order.counts),
            "orders": sum(order.counts for order in self.orders.values()),
            "interactions": len(self.done),
        }
        return {name: amount for name, amount in sums.items() if amount}

    def history(self) -> Iterator[tuple[int, datetime, datetime | None, str, date | None]]:
        ends = [standing[1] for standing in self.standings[1:]]
        for (rank, begins, why, kept), end in zip(self.standings, [*ends, None], strict=True):
            yield rank, begins, end, why, kept
