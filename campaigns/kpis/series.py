"""Series and tables behind the charts: by month, by tier, by cohort, by reward.

Each is one statement over narrow columns; months are local months of the programme.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from campaigns.kpis import reading
from config.base import clock
from config.base.names import in_active_language

_SALES: Final = """
SELECT date_trunc('month', placed_at AT TIME ZONE %(zone)s)::date,
       count(*), count(DISTINCT member_id), sum(net_amount)
FROM members_order
WHERE placed_at >= %(since)s AND placed_at < %(until)s
  AND status <> 'cancelled' AND net_amount > 0
GROUP BY 1 ORDER BY 1
"""

_JOINED: Final = """
SELECT date_trunc('month', joined_at AT TIME ZONE %(zone)s)::date, count(*)
FROM members_member
WHERE joined_at >= %(since)s AND joined_at < %(until)s
  AND status NOT IN ('erased', 'merged', 'closed')
GROUP BY 1 ORDER BY 1
"""

_MIX: Final = """
SELECT p.month, t.rank, count(*)
FROM unnest(%(months)s::date[], %(ends)s::timestamptz[]) AS p (month, ends_at)
JOIN tiers_standing s ON s.from_at < p.ends_at AND (s.ended_at IS NULL OR s.ended_at >= p.ends_at)
JOIN tiers_tier t ON t.id = s.tier_id
JOIN members_member m ON m.id = s.member_id AND m.status NOT IN ('erased', 'merged', 'closed')
GROUP BY 1, 2 ORDER BY 1, 2
"""

# A standing of no length is passed through on the way to the next one: no movement of its own.
_MOVES: Final = """
SELECT date_trunc('month', from_at AT TIME ZONE %(zone)s)::date,
       count(*) FILTER (WHERE rank > before), count(*) FILTER (WHERE rank < before)
FROM (
    SELECT s.from_at, t.rank,
           lag(t.rank) OVER (PARTITION BY s.member_id ORDER BY s.from_at) AS before
    FROM tiers_standing s JOIN tiers_tier t ON t.id = s.tier_id
    WHERE s.from_at < %(until)s AND s.from_at IS DISTINCT FROM s.ended_at
) moved
WHERE from_at >= %(since)s
GROUP BY 1 ORDER BY 1
"""

_FREQUENCY: Final = """
SELECT count(*) FILTER (WHERE n = 1), count(*) FILTER (WHERE n = 2),
       count(*) FILTER (WHERE n BETWEEN 3 AND 5), count(*) FILTER (WHERE n BETWEEN 6 AND 10),
       count(*) FILTER (WHERE n BETWEEN 11 AND 20), count(*) FILTER (WHERE n > 20)
FROM (
    SELECT count(*) AS n FROM members_order
    WHERE placed_at >= %(d365)s AND placed_at < %(until)s
      AND status <> 'cancelled' AND net_amount > 0
    GROUP BY member_id
) buyers
"""
FREQUENCIES: Final = ("1", "2", "3–5", "6–10", "11–20", "21+")

_COHORTS: Final = """
WITH bought AS (
    SELECT member_id, date_trunc('month', placed_at AT TIME ZONE %(zone)s)::date AS month
    FROM members_order
    WHERE placed_at < %(until)s AND status <> 'cancelled' AND net_amount > 0
    GROUP BY 1, 2
), began AS (
    SELECT member_id, min(month) AS cohort FROM bought GROUP BY member_id
)
SELECT g.cohort,
       ((extract(year FROM b.month) - extract(year FROM g.cohort)) * 12
        + extract(month FROM b.month) - extract(month FROM g.cohort))::int,
       count(*)
FROM began g JOIN bought b ON b.member_id = g.member_id
WHERE g.cohort >= %(first)s
GROUP BY 1, 2 ORDER BY 1, 2
"""

_TIERS: Final = """
SELECT t.rank, t.name_zh, t.name_en,
       (SELECT count(*) FROM tiers_standing s
        JOIN members_member m ON m.id = s.member_id
            AND m.status NOT IN ('erased', 'merged', 'closed')
        WHERE s.tier_id = t.id AND s.from_at < %(until)s
          AND (s.ended_at IS NULL OR s.ended_at >= %(until)s)),
       coalesce(b.buyers, 0), coalesce(b.orders, 0), coalesce(b.net, 0)
FROM tiers_tier t
LEFT JOIN (
    SELECT coalesce(st.rank, 0) AS rank, count(DISTINCT o.member_id) AS buyers,
           count(*) AS orders, sum(o.net_amount) AS net
    FROM members_order o
    LEFT JOIN tiers_standing s ON s.member_id = o.member_id
        AND s.from_at < o.placed_at AND (s.ended_at IS NULL OR o.placed_at <= s.ended_at)
    LEFT JOIN tiers_tier st ON st.id = s.tier_id
    WHERE o.placed_at >= %(d365)s AND o.placed_at < %(until)s
      AND o.status <> 'cancelled' AND o.net_amount > 0
    GROUP BY 1
) b ON b.rank = t.rank
ORDER BY t.rank
"""

_REWARDS: Final = """
SELECT w.id, w.name_zh, w.name_en, coalesce(s.on_hand, 0), coalesce(s.held, 0),
       coalesce(r.pieces, 0), coalesce(r.points, 0)
FROM rewards_reward w
LEFT JOIN (
    SELECT reward_id, sum(on_hand) AS on_hand, sum(held) AS held FROM rewards_stock GROUP BY 1
) s ON s.reward_id = w.id
LEFT JOIN (
    SELECT reward_id, sum(quantity) AS pieces, sum(points) AS points FROM rewards_redemption
    WHERE requested_at >= %(d30)s AND requested_at < %(until)s AND status <> 'cancelled' GROUP BY 1
) r ON r.reward_id = w.id
WHERE w.is_active AND (s.reward_id IS NOT NULL OR r.reward_id IS NOT NULL)
ORDER BY coalesce(r.pieces, 0) DESC, w.id
LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class MonthOfSales:
    """What members bought in a month."""

    month: date
    orders: int
    buyers: int
    net: Decimal

    @property
    def spend_per_buyer(self) -> Decimal | None:
        """Return net spend ÷ buyers."""
        return self.net / self.buyers if self.buyers else None

    @property
    def order_value(self) -> Decimal | None:
        """Return net spend ÷ orders."""
        return self.net / self.orders if self.orders else None


@dataclass(frozen=True, slots=True)
class Cohort:
    """The members whose first purchase was in a month, and how many bought in each month after."""

    month: date
    size: int
    counts: Sequence[int]

    def shares(self) -> list[int]:
        """Return the shares of the cohort that bought, in per cent, rounded half up."""
        return [(200 * count + self.size) // (2 * self.size) for count in self.counts]


@dataclass(frozen=True, slots=True)
class TierShare:
    """Who holds a tier, and what was bought by those who held it before the order."""

    rank: int
    name: str
    members: int
    buyers: int
    orders: int
    net: Decimal

    @property
    def spend_per_buyer(self) -> Decimal | None:
        """Return net spend ÷ buyers."""
        return self.net / self.buyers if self.buyers else None

    @property
    def frequency(self) -> Decimal | None:
        """Return orders ÷ buyers."""
        return Decimal(self.orders) / self.buyers if self.buyers else None


@dataclass(frozen=True, slots=True)
class RewardTaken:
    """What is left of a reward, and what members took of it in 30 days."""

    reward: int
    name: str
    on_hand: int
    held: int
    pieces: int
    points: int


def _span(until: datetime, months: int) -> tuple[list[date], dict[str, object]]:
    shown = reading.months_back(until, months)
    return shown, {
        "zone": clock.zone().key, "since": clock.day_start(shown[0]), "until": until,
    }  # fmt: skip


def sales(until: datetime, *, months: int) -> list[MonthOfSales]:
    """Return orders, buyers and net spend by month."""
    shown, values = _span(until, months)
    found = {month: rest for month, *rest in reading.rows(_SALES, values)}
    return [MonthOfSales(month, *found.get(month, (0, 0, Decimal()))) for month in shown]


def joined(until: datetime, *, months: int) -> dict[date, int]:
    """Return how many members joined in each month."""
    shown, values = _span(until, months)
    found = dict(reading.rows(_JOINED, values))
    return {month: found.get(month, 0) for month in shown}


def tier_mix(until: datetime, *, months: int) -> dict[date, dict[int, int]]:
    """Return the members per rank at the end of each month, of the last one at the instant."""
    shown = reading.months_back(until, months)
    ends = [min(until, clock.day_start(clock.add_months(month, 1))) for month in shown]
    found: dict[date, dict[int, int]] = {month: {} for month in shown}
    for month, rank, members in reading.rows(_MIX, {"months": shown, "ends": ends}):
        found[month][rank] = members
    return found


def tier_moves(until: datetime, *, months: int) -> dict[date, tuple[int, int]]:
    """Return how many members rose and fell in each month."""
    shown, values = _span(until, months)
    found = {month: (up, down) for month, up, down in reading.rows(_MOVES, values)}
    return {month: found.get(month, (0, 0)) for month in shown}


def frequencies(until: datetime, since_year: datetime) -> list[int]:
    """Return how many members bought so many times in the last 365 days, as `FREQUENCIES`."""
    (found,) = reading.rows(_FREQUENCY, {"until": until, "d365": since_year})
    return [int(number) for number in found]


def cohorts(until: datetime, *, months: int) -> list[Cohort]:
    """Return the cohorts of the last months: month 0 is that of the first purchase.

    Source: KPI-05.
    """
    shown, values = _span(until, months)
    found: dict[date, dict[int, int]] = {}
    for month, age, members in reading.rows(_COHORTS, {**values, "first": shown[0]}):
        found.setdefault(month, {})[age] = members
    return [
        Cohort(month, found[month][0], [found[month].get(age, 0) for age in range(months - place)])
        for place, month in enumerate(shown)
        if month in found
    ]


def tier_shares(until: datetime, since_year: datetime) -> list[TierShare]:
    """Return the distribution over the tiers at an instant, with what each buys in 365 days.

    Source: TIR-06.
    """
    found = reading.rows(_TIERS, {"until": until, "d365": since_year})
    return [
        TierShare(rank, in_active_language(zh=zh, en=en), *rest) for rank, zh, en, *rest in found
    ]


def rewards_taken(until: datetime, since_month: datetime) -> list[RewardTaken]:
    """Return stock and redemptions by reward, the most wanted first."""
    found = reading.rows(_REWARDS, {"until": until, "d30": since_month})
    return [
        RewardTaken(reward, in_active_language(zh=zh, en=en), *map(int, rest))
        for reward, zh, en, *rest in found
    ]
