"""A plain second telling of the tier rules, for comparison: slow, and no code in common.

Keeps every fact and adds up from the full list each time it looks at a window.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction

from config.base import clock
from tiers.domain.ladder import Criterion, Ladder, Metric, Purpose, RefundPolicy, ReviewPolicy
from tiers.domain.windows import TenureUnit, WindowKind

ONE_DAY = timedelta(days=1)


@dataclass
class PlainMember:
    ladder: Ladder
    joined_at: datetime
    rank: int = 0
    kept: date | None = None
    requalify: date | None = None
    orders: dict[str, tuple[date, int]] = field(default_factory=dict)
    interactions: list[tuple[date, str]] = field(default_factory=list)
    points: list[tuple[date, int]] = field(default_factory=list)
    upgrades: list[tuple[date, int]] = field(default_factory=list)
    log: list[tuple[datetime, int, date | None, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.joined_on = self.since_on = self.tenure_seen = clock.local_day(self.joined_at)

    # windows

    def first_day(self, criterion: Criterion, day: date) -> date:
        kind = criterion.window.kind
        if kind is WindowKind.ROLLING_DAYS:
            return day - timedelta(days=(criterion.window.days or 0) - 1)
        if kind is WindowKind.CALENDAR_YEAR:
            return day.replace(month=1, day=1)
        if kind is WindowKind.MEMBERSHIP_YEAR:
            year = day.year
            if clock.anniversary(self.joined_on, year) > day:
                year -= 1
            return clock.anniversary(self.joined_on, year)
        return date.min if kind is WindowKind.LIFETIME else self.since_on

    def figure(self, criterion: Criterion, day: date) -> Fraction:
        if criterion.metric is Metric.TENURE:
            return Fraction(criterion.threshold if self.crossing(criterion) <= day else 0)
        first = self.first_day(criterion, day)
        orders = [amount for on, amount in self.orders.values() if first <= on <= day and amount]
        kinds = [kind for on, kind in self.interactions if first <= on <= day]
        qualifying = sum(kind in self.ladder.qualifying_kinds for kind in kinds)
        growth = sum(orders) * Fraction(*self.ladder.growth_spend_weight)
        growth += qualifying * Fraction(*self.ladder.growth_interaction_weight)
        found: dict[Metric, int | Fraction] = {
            Metric.SPEND: sum(orders),
            Metric.ORDERS: len(orders),
            Metric.AVERAGE_ORDER: Fraction(sum(orders), len(orders) or 1),
            Metric.LARGEST_ORDER: max(orders, default=0),
            Metric.INTERACTIONS: qualifying,
            Metric.REFERRALS: kinds.count("referral"),
            Metric.POINTS_EARNED: sum(points for on, points in self.points if first <= on <= day),
            Metric.GROWTH: growth,
        }
        return Fraction(found[criterion.metric])

    def crossing(self, criterion: Criterion) -> date:
        if criterion.unit is TenureUnit.DAYS:
            return self.joined_on + timedelta(days=criterion.threshold)
        return clock.add_months(self.joined_on, criterion.threshold)

    def meets(
        self, rank: int, purpose: Purpose, day: date, sources: set[int | None] | None = None
    ) -> bool:
        return any(
            all(self.figure(criterion, day) >= criterion.threshold for criterion in group)
            for requirement in self.ladder.requirements
            if (requirement.rank, requirement.purpose) == (rank, purpose)
            and (sources is None or requirement.from_rank in sources)
            for group in requirement.groups
        )

    def keeps(self, rank: int, day: date) -> bool:
        purposes = {r.purpose for r in self.ladder.requirements if r.rank == rank}
        own = Purpose.RETENTION if Purpose.RETENTION in purposes else Purpose.ENTRY
        return self.meets(rank, own, day)

    def earned(self, day: date) -> int:
        higher = [
            rank
            for rank in range(self.rank + 1, len(self.ladder.tiers))
            if self.meets(rank, Purpose.ENTRY, day, {None, self.rank})
        ]
        held = [
            rank
            for rank in range(1, self.rank + 1)
            if self.keeps(rank, day) or self.meets(rank, Purpose.ENTRY, day)
        ]
        return max([*higher, *held], default=0)

    # steps

    def stand(self, at: datetime, rank: int, kept: date | None, reason: str) -> None:
        if rank != self.rank:
            self.since_on = clock.local_day(at)
            self.requalify = None
        self.rank = rank
        self.kept = kept if rank else None
        self.log.append((at, rank, self.kept, reason))

    def evaluate(self, at: datetime) -> None:
        day = clock.local_day(at)
        kept = day + timedelta(days=self.ladder.validity_days)
        for rank in range(len(self.ladder.tiers) - 1, self.rank, -1):
            if self.meets(rank, Purpose.ENTRY, day, {None, self.rank}):
                self.upgrades.append((day, self.rank))
                return self.stand(at, rank, kept, "qualified")
        if self.rank and self.keeps(self.rank, day) and self.kept and kept > self.kept:
            self.stand(at, self.rank, kept, "renewed")
        return None

    def lowered(self, at: datetime) -> None:
        day = clock.local_day(at)
        policy = self.ladder.refund_policy
        if policy is RefundPolicy.WITHDRAW:
            self.withdraw(at, day)
        elif policy is RefundPolicy.IMMEDIATE:
            self.fall_to_earned(at, day)
        elif policy is RefundPolicy.GRACE and self.requalify is None:
            grace = timedelta(days=1 + self.ladder.grace_days)
            self.requalify = day + grace if self.earned(day) < self.rank else None

    def withdraw(self, at: datetime, day: date) -> None:
        self.upgrades = [
            (on, rank)
            for on, rank in self.upgrades
            if on + timedelta(days=self.ladder.withdraw_days) >= day
        ]
        if not self.upgrades:
            return
        reached: set[int] = {min(rank for _, rank in self.upgrades)}
        for rank in range(max(reached) + 1, self.rank + 1):
            if self.meets(rank, Purpose.ENTRY, day, {None, *reached}):
                reached.add(rank)
        if max(reached) < self.rank:
            self.upgrades = [entry for entry in self.upgrades if entry[1] < max(reached)]
            self.stand(at, max(reached), self.kept, "qualification_withdrawn")

    def fall_to_earned(self, at: datetime, day: date) -> None:
        rank = self.earned(day)
        if rank < self.rank:
            self.upgrades = [entry for entry in self.upgrades if entry[1] < rank]
            self.stand(at, rank, self.kept, "refund_requalified")

    def settle(self, upto: datetime) -> None:
        while True:
            due: list[tuple[datetime, int]] = []
            if self.kept is not None:
                grace = timedelta(days=self.ladder.grace_days)
                due.append((clock.day_start(self.kept + ONE_DAY + grace), 1))
            if self.requalify is not None:
                due.append((clock.day_start(self.requalify), 2))
            due += [(clock.day_start(day), 3) for day in self.crossings() if day > self.tenure_seen]
            if not due or min(due)[0] > upto:
                return
            at, kind = min(due)
            if kind == 1:
                self.review(at)
            elif kind == 2:
                self.requalify = None
                self.fall_to_earned(at, clock.local_day(at) - ONE_DAY)
            else:
                self.tenure_seen = clock.local_day(at)
                self.evaluate(at)

    def crossings(self) -> set[date]:
        return {
            self.crossing(criterion)
            for requirement in self.ladder.requirements
            for group in requirement.groups
            for criterion in group
            if criterion.metric is Metric.TENURE
        }

    def review(self, at: datetime) -> None:
        assert self.kept is not None
        day = clock.local_day(at) - ONE_DAY
        lowest = self.rank - 1 if self.ladder.review is ReviewPolicy.ONE_LEVEL else 0
        rank = max(self.earned(day), lowest)
        kept = self.kept + timedelta(days=self.ladder.validity_days)
        reason = "review_kept"
        if rank < self.rank:
            reason = "review_downgrade"
            self.upgrades = []
        elif rank > self.rank:
            reason = "review_upgrade"
            self.upgrades.append((clock.local_day(at), self.rank))
        self.stand(at, rank, kept, reason)

    # facts

    def order(self, at: datetime, placed_on: date, key: str, spend: int) -> None:
        self.settle(at)
        first, before = key not in self.orders, self.orders.get(key, (placed_on, 0))[1]
        self.orders[key] = (placed_on, spend)
        if spend > before or first:
            self.evaluate(at)
        elif spend < before:
            self.lowered(at)

    def interact(self, at: datetime, kind: str) -> None:
        self.settle(at)
        self.interactions.append((clock.local_day(at), kind))
        if kind in self.ladder.qualifying_kinds or kind == "referral":
            self.evaluate(at)
