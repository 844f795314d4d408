"""Whether rewards are there and can be reached: low stock, days of cover, prices beyond reach.

Read for the console; estimated where exactness would cost a walk over all members.
Source: RWD-13, RWD-15.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from config.base import bulk

VELOCITY_DAYS: Final = 30
SAMPLE_ROWS: Final = 20_000
WHOLE: Final = 100.0

_SUPPLY: Final = """
SELECT w.id, w.code, w.name_zh, w.name_en, s.free, coalesce(d.taken, 0), w.low_stock_at,
       w.cover_days
FROM rewards_reward w
JOIN (SELECT reward_id, sum(on_hand - held)::bigint AS free FROM rewards_stock GROUP BY reward_id) s
  ON s.reward_id = w.id
LEFT JOIN (
    SELECT reward_id, sum(quantity)::bigint AS taken FROM rewards_redemption
    WHERE requested_at > %s AND status <> 'cancelled' GROUP BY reward_id
) d ON d.reward_id = w.id
WHERE w.is_active AND w.tracks_stock
ORDER BY w.id
"""

# A sample of pages is enough for a warning, and costs the same for any number of members.
_BALANCE: Final = """
SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY a.available)
FROM rewards_pointsaccount a TABLESAMPLE SYSTEM ({share})
LEFT JOIN tiers_standing s ON s.member_id = a.member_id AND s.ended_at IS NULL
LEFT JOIN tiers_tier t ON t.id = s.tier_id
WHERE coalesce(t.rank, 0) >= %s::int
"""
_SIZE: Final = (
    "SELECT reltuples::bigint FROM pg_class WHERE oid = 'rewards_pointsaccount'::regclass"
)


@dataclass(frozen=True, slots=True)
class Supply:
    """How much of a reward is free, and how long that lasts at the pace of the last days.

    Units: `cover_days` in days, None where nothing is taken.
    """

    reward: int
    code: str
    name_zh: str
    name_en: str
    free: int
    taken: int
    low_stock_at: int | None
    wanted_days: int | None

    @property
    def cover_days(self) -> int | None:
        """Return how many days the stock lasts."""
        return self.free * VELOCITY_DAYS // self.taken if self.taken else None

    @property
    def is_low(self) -> bool:
        """Say whether the stock is below what was set."""
        return self.low_stock_at is not None and self.free <= self.low_stock_at

    @property
    def is_short(self) -> bool:
        """Say whether the stock lasts less long than it should."""
        days = self.cover_days
        return self.wanted_days is not None and days is not None and days < self.wanted_days


def supplies(at: datetime) -> list[Supply]:
    """Return the stock of every reward that has one."""
    return [Supply(*row) for row in bulk.fetch(_SUPPLY, [at - timedelta(days=VELOCITY_DAYS)])]


def running_out(at: datetime) -> list[Supply]:
    """Return what has to be ordered, the shortest cover first."""
    found = [supply for supply in supplies(at) if supply.is_low or supply.is_short]
    return sorted(found, key=lambda supply: (supply.cover_days is None, supply.cover_days or 0))


def balance_within_reach(min_rank: int) -> int | None:
    """Return the balance that 95 of 100 members of a rank or above do not exceed, estimated."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZE)
        size = int(cursor.fetchone()[0])
        share = WHOLE if size <= SAMPLE_ROWS else WHOLE * SAMPLE_ROWS / size
        cursor.execute(_BALANCE.format(share=f"{share:.6f}"), [min_rank])
        (points,) = cursor.fetchone()
    return None if points is None else int(points)


def is_beyond_reach(points: int, min_rank: int) -> bool:
    """Say whether hardly any eligible member could afford a price."""
    reach = balance_within_reach(min_rank)
    return reach is not None and points > reach
