"""Ladders that tests use, written out as the design states them."""

from datetime import UTC, date, datetime, timedelta

from config.base import clock
from tiers.domain.ladder import (
    Criterion,
    Ladder,
    LadderBook,
    Metric,
    Purpose,
    RefundPolicy,
    Requirement,
    ReviewPolicy,
    TierSpec,
)
from tiers.domain.progress import Contribution, ProgressDelta
from tiers.domain.qualification import TierFold
from tiers.domain.windows import (
    CALENDAR_YEAR,
    CURRENT_STANDING,
    LIFETIME,
    MEMBERSHIP_YEAR,
    TenureUnit,
    Window,
    rolling,
)

YEAR = rolling(365)
TIERS = (
    TierSpec("basic", 0),
    TierSpec("silver", 1, (110, 100)),
    TierSpec("gold", 2, (125, 100)),
    TierSpec("diamond", 3, (150, 100)),
)
JOINED_AT = datetime(2026, 1, 10, 2, 0, tzinfo=UTC)


def entry(rank: int, *groups: tuple[Criterion, ...], from_rank: int | None = None) -> Requirement:
    return Requirement(rank, Purpose.ENTRY, groups, from_rank)


def retention(rank: int, *groups: tuple[Criterion, ...]) -> Requirement:
    return Requirement(rank, Purpose.RETENTION, groups)


def spend(threshold: int, window: Window = YEAR) -> Criterion:
    return Criterion(Metric.SPEND, window, threshold)


def classic_ladder(
    *,
    refund_policy: RefundPolicy = RefundPolicy.WITHDRAW,
    review: ReviewPolicy = ReviewPolicy.ONE_LEVEL,
    grace_days: int = 0,
    window: Window = YEAR,
) -> Ladder:
    """Return the preset ``classic``: spend in fen or interactions, over 365 local days."""
    steps = ((1, 100_000, 12), (2, 300_000, 36), (3, 600_000, 72))
    return Ladder(
        version=1,
        effective_from=None,
        tiers=TIERS,
        requirements=tuple(
            entry(rank, (spend(amount, window),), (interactions(count, window),))
            for rank, amount, count in steps
        ),
        refund_policy=refund_policy,
        review=review,
        grace_days=grace_days,
    )


def interactions(threshold: int, window: Window = YEAR) -> Criterion:
    return Criterion(Metric.INTERACTIONS, window, threshold)


def varied_ladder(
    *,
    refund_policy: RefundPolicy = RefundPolicy.WITHDRAW,
    review: ReviewPolicy = ReviewPolicy.TO_EARNED,
    grace_days: int = 0,
) -> Ladder:
    """Return a ladder that uses every metric and window, retention rules and a from-rank."""
    return Ladder(
        version=1,
        effective_from=None,
        tiers=TIERS,
        requirements=(
            entry(
                1,
                (spend(1_000, CALENDAR_YEAR), Criterion(Metric.ORDERS, CALENDAR_YEAR, 2)),
                (Criterion(Metric.REFERRALS, LIFETIME, 2),),
                (Criterion(Metric.TENURE, threshold=5), spend(500, LIFETIME)),
            ),
            retention(1, (spend(600, rolling(90)),)),
            entry(
                2,
                (Criterion(Metric.AVERAGE_ORDER, MEMBERSHIP_YEAR, 800), spend(2_400, YEAR)),
                (Criterion(Metric.LARGEST_ORDER, rolling(60), 1_500),),
            ),
            entry(2, (Criterion(Metric.ORDERS, CURRENT_STANDING, 3),), from_rank=1),
            retention(2, (Criterion(Metric.GROWTH, rolling(120), 15),)),
            entry(
                3,
                (Criterion(Metric.POINTS_EARNED, MEMBERSHIP_YEAR, 3_000),),
                (Criterion(Metric.TENURE, threshold=200, unit=TenureUnit.DAYS), interactions(6)),
            ),
        ),
        validity_days=150,
        growth_spend_weight=(1, 100),
        growth_interaction_weight=(5, 2),
        refund_policy=refund_policy,
        review=review,
        grace_days=grace_days,
    )


class Player:
    """Drives a fold by short sentences; days count from the day of enrolment."""

    def __init__(self, ladder: Ladder | LadderBook, joined_at: datetime = JOINED_AT) -> None:
        self.book = ladder if isinstance(ladder, LadderBook) else LadderBook([ladder])
        self.joined_at = joined_at
        self.fold = TierFold.enrol(joined_at)
        self.orders: dict[str, tuple[date, Contribution]] = {}

    def at(self, day: float) -> datetime:
        """Return the instant some days after enrolment."""
        return self.joined_at + timedelta(days=day)

    def day(self, day: float) -> date:
        return clock.local_day(self.at(day))

    def order(self, day: float, spend: int, key: str | None = None) -> tuple[ProgressDelta, ...]:
        """Pay for an order, or change what is left of one known by its key."""
        key = key or f"o{len(self.orders)}"
        known = self.orders.get(key)
        placed_on = known[0] if known else self.day(day)
        after = Contribution(spend, spend > 0)
        self.orders[key] = (placed_on, after)
        return self.fold.order_changed(
            at=self.at(day),
            placed_on=placed_on,
            order=key,
            before=known[1] if known else None,
            after=after,
            first_payment=known is None,
            book=self.book,
        )

    def interact(self, day: float, kind: str = "survey", times: int = 1) -> None:
        for _ in range(times):
            self.fold.interaction(at=self.at(day), on=self.day(day), kind=kind, book=self.book)

    def settle(self, day: float) -> None:
        self.fold.settle(self.at(day), self.book)

    @property
    def reasons(self) -> list[str]:
        return [str(change.reason) for change in self.fold.changes]
