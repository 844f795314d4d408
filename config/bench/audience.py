"""The audience of a segment of five conditions, beside a statement written by hand.

The members of the population have an order each; here every other one gets two more and a consent,
so that each condition leaves some out.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from config.base import clock
from config.bench import databases, population
from config.bench.measure import Ratio, alternate, timed
from config.bench.scale import Scale
from members.services import segments

BY_HAND: Final = (Path(__file__).parent / "sql" / "audience.sql").read_text()
FIRST_DAY: Final = datetime(2025, 6, 1, 4, tzinfo=UTC)
DAYS: Final = 200
SPENT: Final = 120_000
NOW: Final = datetime(2026, 2, 1, 4, tzinfo=UTC)

_MORE_ORDERS: Final = """
INSERT INTO members_order (source, order_no, member_id, channel, version, status, placed_at,
                           currency, sold_amount, net_amount, qualifying_amount)
SELECT source, order_no || '-more-' || n, member_id, channel, version, status,
       placed_at - n * interval '20 days', currency, sold_amount, net_amount / (1 + n),
       qualifying_amount
FROM members_order, generate_series(1, 2) n WHERE member_id %% 2 = 0
"""
_CONSENTS: Final = """
INSERT INTO members_consent
    (member_id, purpose, channel, granted, text_version, source, given_at, recorded_at)
SELECT id, 'marketing', 'sms', id %% 5 < 4, '', '', joined_at, joined_at
FROM members_member WHERE id %% 3 > 0
"""


def _leaf(field: str, op: str, value: object) -> dict[str, Any]:
    return {"field": f"customer.{field}", "op": op, "value": value}


CONDITIONS: Final = {
    "all": [
        _leaf("tier", "in", ["silver", "gold"]),
        _leaf("consent_marketing_sms", "eq", True),
        _leaf("orders_365d", "gte", 2),
        _leaf("spend_365d", "gte", "1000"),
        _leaf("days_since_order", "gte", 60),
    ]
}


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure how long it takes to find the ids of the audience."""
    with databases.clone(template):
        orders = [(FIRST_DAY + timedelta(days=day), SPENT) for day in range(DAYS)]
        members = population.populate(orders, scale.large // DAYS - 1)
        databases.execute(_MORE_ORDERS, {})
        databases.execute(_CONSENTS, {})
        databases.settle()
        sizes: set[int] = set()
        ours, reference = alternate(
            lambda: timed(lambda: sizes.add(len(_compiled()))),
            lambda: timed(lambda: sizes.add(len(_by_hand()))),
            max(scale.rounds, 5),
        )
    assert len(sizes) == 1, f"the two sides disagree: {sizes}"
    notes = {"members": members, "found": sizes.pop()}
    yield Ratio("audience", ours, reference, "s", 1.5, 1.0, is_time=True, notes=notes)


def _compiled() -> list[tuple[Any, ...]]:
    statement, parameters = segments.member_ids_sql(CONDITIONS, at=NOW)
    return databases.execute(statement, parameters)


def _by_hand() -> list[tuple[Any, ...]]:
    parameters = {
        "at": NOW, "today": clock.local_day(NOW), "zone": settings.LOYALTY_TIME_ZONE,
    }  # fmt: skip
    return databases.execute(BY_HAND, parameters)
