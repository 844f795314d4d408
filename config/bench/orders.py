"""Orders over HTTP, one by one and in batches, beside pgbench writing the same rows."""

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from config.base import clock
from config.bench import databases, pgbench, population, replay, server, statements
from config.bench.measure import Meter, Ratio
from config.bench.scale import Scale
from members.domain.scopes import SCOPES
from members.models import Channel
from members.services import api_keys, touchpoints

CONNECTIONS: Final = 16
BATCH_CONNECTIONS: Final = 4
BATCH: Final = 100
CLIENTS: Final = 16
MAX_RATE: Final = 10_000_000
LINES: Final = 3
BATCHES_PER_ROUND: Final = 30

LARGE_BATCH: Final = 200
MOST_STATEMENTS: Final = 8
# A connection's first request also sets the connection up: the least of a few is what one takes.
COUNTS: Final = 5

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Load:
    """One round of one load: its rate, and what else is worth knowing."""

    rate: float
    notes: dict[str, float]


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure single orders and batches of a hundred."""
    with databases.clone(template):
        now = clock.now()
        population.populate([(now - timedelta(days=30), 120_000)], scale.members - 1)
        with server.running(_secret(now)) as site:
            yield from Orders(site, now, scale).ratios()


def _secret(now: datetime) -> str:
    touchpoint = touchpoints.create_or_reuse(code="bench", channel=Channel.POS, at=now)
    # What is measured is counted, but never refused.
    touchpoint.requests_per_minute = MAX_RATE
    touchpoint.save(update_fields=["requests_per_minute"])
    return api_keys.issue(touchpoint, SCOPES, at=now)


def _median(rounds: Sequence[Load]) -> Load:
    return sorted(rounds, key=lambda load: load.rate)[len(rounds) // 2]


def _cpu_notes(meter: Meter, events: float) -> dict[str, float]:
    return {
        "cpu_us": round(meter.cpu / events * 1_000_000),
        "strangers": round(meter.strangers, 2),
    }


class Orders:
    """One server, and the orders sent to it."""

    def __init__(self, site: server.Site, now: datetime, scale: Scale) -> None:
        """Read the members and make the script of the reference from a first order."""
        self.site, self.now, self.scale = site, now, scale
        rows = databases.execute("SELECT public_id::text FROM members_member ORDER BY id")
        self.members = [row[0] for row in rows]
        self.draw = random.Random(1)  # noqa: S311 - the same load every time
        site.load(self.singles(200), CONNECTIONS)
        site.load(self.singles(1), 1)
        self.script = replay.script(replay.last_order(), replay.members())

    def ratios(self) -> Iterator[Ratio]:
        """Run all three loads in turns and return the ratios of their rates and of statements."""
        pgbench.rate(self.script, clients=CLIENTS, seconds=1)
        self.site.load(self.batches(4), BATCH_CONNECTIONS)
        databases.settle()  # as the server does once a minute: both sides know what has grown
        rounds = [
            (self._reference_round(), self._single_round(), self._batch_round())
            for _round in range(self.scale.rounds)
        ]
        reference, single, batch = (_median(part) for part in zip(*rounds, strict=True))
        notes = {"connections": CONNECTIONS, "members": len(self.members), **single.notes}
        reference_cpu = {f"reference_{name}": value for name, value in reference.notes.items()}
        yield Ratio(
            "put_order", single.rate, reference.rate, "requests/s", 0.10, 1.0,
            notes=notes | reference_cpu,
        )  # fmt: skip
        yield Ratio(
            "facts_batch", batch.rate, reference.rate, "events/s", 1.0, 5.0,
            notes={"connections": BATCH_CONNECTIONS, **batch.notes},
        )  # fmt: skip
        yield from self._statements()

    def _statements(self) -> Iterator[Ratio]:
        """Count the statements of one order and of a batch of 200."""
        if databases.server_pid() is None:
            return
        one = min(self._counted(self.singles(1)) for _time in range(COUNTS))
        few = min(self._counted(self.batches(1, 1)) for _time in range(COUNTS))
        many = min(self._counted(self.batches(1, LARGE_BATCH)) for _time in range(COUNTS))
        yield Ratio("order_statements", one, MOST_STATEMENTS, "statements", 1.0, 0.375, True)
        yield Ratio("batch_200_statements", many, few, "statements", 1.0, 1.0, True)

    def _counted(self, requests: list[bytes]) -> int:
        return statements.counted(databases.current(), lambda: self.site.load(requests, 1))

    def _reference_round(self) -> Load:
        with Meter(databases.server_pid()) as meter:
            rate = pgbench.rate(self.script, clients=CLIENTS, seconds=self.scale.load_seconds)
        return Load(rate, _cpu_notes(meter, rate * self.scale.load_seconds))

    def _single_round(self) -> Load:
        requests = self.singles(self.scale.load_seconds * self.scale.expected_rate)
        with Meter(databases.server_pid()) as meter:
            done = self.site.load(requests, CONNECTIONS)
        notes = {name: round(done[name], 1) for name in ("p50_ms", "p99_ms")}
        rate = done["requests"] / done["seconds"]
        return Load(rate, notes | _cpu_notes(meter, done["requests"]))

    def _batch_round(self) -> Load:
        requests = self.batches(BATCHES_PER_ROUND)
        with Meter(databases.server_pid()) as meter:
            done = self.site.load(requests, BATCH_CONNECTIONS)
        events = BATCH * done["requests"]
        return Load(events / done["seconds"], _cpu_notes(meter, events))

    def singles(self, count: int) -> list[bytes]:
        """Return requests for so many new orders of any members."""
        requests = []
        for _number in range(count):
            path = f"/orders/{population.SOURCE}/{self._order_no()}"
            requests.append(self.site.request("PUT", path, json.dumps(self._body()).encode()))
        return requests

    def batches(self, count: int, size: int = BATCH) -> list[bytes]:
        """Return requests for so many batches of new orders."""
        return [self.batch(size) for _number in range(count)]

    def batch(self, size: int) -> bytes:
        """Return the request for one batch of new orders."""
        place = {"type": "order", "source": population.SOURCE}
        facts = [{**place, "order_no": self._order_no(), **self._body()} for _n in range(size)]
        body = json.dumps({"facts": facts}).encode()
        return self.site.request("POST", "/facts/batch", body)

    def _order_no(self) -> str:
        return f"T{next(_numbers):09}"

    def _amount(self) -> str:
        minor = self.draw.randint(500, 9900)
        return f"{minor // 100}.{minor % 100:02}"

    def _body(self) -> dict[str, Any]:
        # Each order a little later than the one before, as a till reports them.
        placed_at = self.now - timedelta(hours=1) + timedelta(milliseconds=next(_numbers))
        lines = [
            {
                "line_no": number, "sku": f"SKU-{number:05}", "category": "dairy",
                "brand": "house", "quantity": 1, "amount": self._amount(),
            }
            for number in range(1, LINES + 1)
        ]  # fmt: skip
        return {
            "member": self.draw.choice(self.members), "status": "paid", "lines": lines,
            "placed_at": placed_at.isoformat(), "currency": settings.LOYALTY_CURRENCY,
        }  # fmt: skip
