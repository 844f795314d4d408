"""An import beside bare COPY of exactly the rows that it wrote, into the same tables."""

import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model

from config.base import clock
from config.bench import databases, population
from config.bench.measure import Ratio, timed
from config.bench.scale import Scale
from rewards.domain.submission import MemberRef, OrderFact
from rewards.services import intake

ORDERS_AT_ONCE: Final = 5_000
LINES: Final = 5
_WRITTEN: Final = (
    "members.Order", "members.ReceivedFact", "members.OrderLine", "rewards.Evaluation",
    "rewards.Entry", "rewards.Lot", "rewards.LotUse", "tiers.ProgressEntry", "tiers.Standing",
    "members.MemberEvent",
)  # fmt: skip
"""In the order in which the product writes them."""


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure both sides on copies of one database with members and no orders."""
    with databases.clone(template) as empty:
        now = clock.now()
        started_at = now - timedelta(days=300)
        members = scale.orders // 10
        population.populate([(started_at, 100)], members - 1)
        facts = _facts(_members(), started_at, scale.orders)
        pairs = [_round(empty, facts, now) for _number in range(scale.rounds)]
    ours = statistics.median(mine for mine, _theirs in pairs)
    reference = statistics.median(theirs for _mine, theirs in pairs)
    notes = {"orders": len(facts), "lines": len(facts) * LINES, "members": members}
    yield Ratio("import", ours, reference, "orders/s", 0.15, 0.8, notes=notes)


def _members() -> list[MemberRef]:
    rows = databases.execute("SELECT public_id FROM members_member ORDER BY id")
    return [MemberRef(public_id=row[0]) for row in rows]


def _facts(members: Sequence[MemberRef], started_at: datetime, count: int) -> list[OrderFact]:
    """Return orders in business order, each member's spread over the time."""
    step = timedelta(days=290) / count
    return [
        population.order(
            f"I{number:09}", members[number * 7919 % len(members)], started_at + number * step,
            [population.line(line, 990 + number % 1000 + line) for line in range(1, LINES + 1)],
        )
        for number in range(1, count + 1)
    ]  # fmt: skip


def _round(empty: str, facts: Sequence[OrderFact], now: datetime) -> tuple[float, float]:
    """Import, take the rows out, and COPY them into another copy; return both rates."""
    models = [apps.get_model(label) for label in _WRITTEN]
    with databases.clone(empty):
        before = {model: _last_id(model) for model in models}
        ours = timed(lambda: receive(facts, now))
        rows = {model: _taken_out(model, last) for model, last in before.items()}
    with databases.clone(empty):
        theirs = timed(lambda: _copy(rows))
    return len(facts) / ours, len(facts) / theirs


def receive(facts: Sequence[OrderFact], now: datetime) -> None:
    """Import the facts as the import commands do."""
    for start in range(0, len(facts), ORDERS_AT_ONCE):
        part = facts[start : start + ORDERS_AT_ONCE]
        outcomes = intake.receive(part, touchpoint=None, at=now, history=True, actor="import")
        assert all(outcome.status == 200 for outcome in outcomes)


def _last_id(model: type[Model]) -> int:
    ((last,),) = databases.execute(f"SELECT coalesce(max(id), 0) FROM {model._meta.db_table}")  # noqa: S608
    return int(last)


def _taken_out(model: type[Model], last: int) -> bytes:
    """Return the rows that were added, as COPY wants them, in the order of their ids."""
    table = model._meta.db_table
    rows = f"(SELECT * FROM {table} WHERE id > {last} ORDER BY id)"  # noqa: S608
    with connection.cursor() as cursor, cursor.copy(f"COPY {rows} TO STDOUT") as copy:
        return b"".join(copy)


def _copy(rows: dict[type[Model], bytes]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for model, content in rows.items():
            with cursor.copy(f"COPY {model._meta.db_table} FROM STDIN") as copy:
                copy.write(content)
