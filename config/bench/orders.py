"""Orders over HTTP, one by one and in batches, beside pgbench writing the same rows."""

import itertools
import json
import random
import statistics
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from config.base import clock
from config.bench import databases, pgbench, population, replay, server
from config.bench.measure import Ratio, cpu_seconds
from config.bench.scale import Scale
from members.domain.scopes import SCOPES
from members.models import Channel
from members.services import api_keys, touchpoints

CONNECTIONS: Final = 16
BATCH_CONNECTIONS: Final = 4
BATCH: Final = 100
CLIENTS: Final = 16
LINES: Final = 3
BATCHES_PER_ROUND: Final = 30

_numbers = itertools.count(1)


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure single orders and batches of a hundred."""
    with databases.clone(template):
        now = clock.now()
        population.populate([(now - timedelta(days=30), 120_000)], scale.members - 1)
        with server.running(_secret(now)) as site:
            yield from Orders(site, now, scale).ratios()


def _secret(now: datetime) -> str:
    touchpoint = touchpoints.create_or_reuse(code="bench", channel=Channel.POS, at=now)
    return api_keys.issue(touchpoint, SCOPES, at=now)


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
        self.cpu: list[float] = []

    def ratios(self) -> Iterator[Ratio]:
        """Run all three loads in turns and return both ratios."""
        references, singles, batches = [], [], []
        pgbench.rate(self.script, clients=CLIENTS, seconds=1)
        self.site.load(self.batches(4), BATCH_CONNECTIONS)
        for _round in range(self.scale.rounds):
            references.append(
                pgbench.rate(self.script, clients=CLIENTS, seconds=self.scale.load_seconds)
            )
            singles.append(self._single_round())
            batches.append(self._batch_round())
        reference = statistics.median(references)
        notes = {
            "p50_ms": round(statistics.median(done["p50_ms"] for done in singles), 2),
            "p99_ms": round(statistics.median(done["p99_ms"] for done in singles), 2),
            "web_cpu_us": round(statistics.median(self.cpu) * 1e6),
            "connections": CONNECTIONS,
            "members": len(self.members),
        }
        rate = statistics.median(done["requests"] / done["seconds"] for done in singles)
        yield Ratio("put_order", rate, reference, "requests/s", 0.10, 1.0, notes=notes)
        events = statistics.median(BATCH * done["requests"] / done["seconds"] for done in batches)
        yield Ratio("facts_batch", events, reference, "events/s", 1.0, 5.0)

    def _single_round(self) -> dict[str, Any]:
        count = self.scale.load_seconds * self.scale.expected_rate
        before = cpu_seconds([self.site.pid])
        done = self.site.load(self.singles(count), CONNECTIONS)
        self.cpu.append((cpu_seconds([self.site.pid]) - before) / done["requests"])
        return done

    def _batch_round(self) -> dict[str, Any]:
        return self.site.load(self.batches(BATCHES_PER_ROUND), BATCH_CONNECTIONS)

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
