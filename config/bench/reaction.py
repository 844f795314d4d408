"""From an order to the message about it, while the whole site is under a steady load of orders.

Web, workers and scheduler run as `serve` runs them, on a broker of their own. The automation
"points of an order" is on, and its messages go to a receiver of signed messages. Every order is
another member's, so a message tells which order it is about.

Source: CMP-05.
"""

import itertools
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db.models import Count

from campaigns.models import Message
from campaigns.services import automations
from config.base import clock
from config.base.embedded import broker
from config.bench import databases, peer, population, server
from config.bench.measure import Ratio
from config.bench.peer import Peer
from config.bench.scale import Scale
from config.bench.server import LoadError, Site
from members.domain.scopes import SCOPES
from members.models import Channel, EventDelivery
from members.services import api_keys, touchpoints

NAME: Final = "event_to_message"
AUTOMATION: Final = "points-reminder"
RATE: Final = 100
ROUNDS_OF_LOAD: Final = 5
CONNECTIONS: Final = 16
BOUND_SECONDS: Final = 5.0
WARM_UP: Final = 100
ENROLLED_AT_ONCE: Final = 500
WAIT_SECONDS: Final = 120.0
MAX_RATE: Final = 10_000_000
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the bench's own peer
ACTOR: Final = "bench"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Reaction:
    """How long messages took, shortest first, and how many orders a second were sent."""

    seconds: Sequence[float]
    rate: float

    def share(self, part: float) -> float:
        """Return what a share of the messages did not exceed."""
        return self.seconds[min(len(self.seconds) - 1, int(part * len(self.seconds)))]


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure a hundred orders a second, where a broker of the bench's own can be had."""
    if broker.find_program() is None:
        return
    orders = RATE * scale.load_seconds * ROUNDS_OF_LOAD
    with databases.clone(template):
        done = measure(orders=orders, rate=RATE)
    notes = {
        "p50_s": round(done.share(0.5), 2), "max_s": round(done.seconds[-1], 2),
        "orders_per_s": round(done.rate, 1), "orders": orders,
    }  # fmt: skip
    p95 = done.share(0.95)
    yield Ratio(NAME, p95, BOUND_SECONDS, "s (p95)", 1.0, 0.5, is_time=True, notes=notes)


def measure(*, orders: int, rate: float) -> Reaction:
    """Send so many orders to the whole site on the database in use, so many a second.

    Raises: LoadError where a message does not arrive, or arrives twice.
    """
    at = clock.now()
    _enrol(orders + WARM_UP, at - timedelta(days=30))
    automations.install(actor=ACTOR, at=at)
    automations.switch_on(code=AUTOMATION, actor=ACTOR, at=at)
    found = databases.execute("SELECT public_id::text FROM members_member ORDER BY id")
    members = [row[0] for row in found]
    with peer.listening() as receiver, tempfile.TemporaryDirectory() as home:
        queue = broker.EmbeddedValkey(Path(home))
        queue.ensure()
        try:
            given = _environment(receiver, broker.url(Path(home)))
            with server.running(_secret(), is_whole=True, environment=given) as site:
                _send(site, receiver, members[:WARM_UP], rate / 4)
                return _send(site, receiver, members[WARM_UP:], rate)
        finally:
            queue.release()


def _enrol(count: int, at: datetime) -> None:
    """Enrol members one by one: what is sealed of a copied member does not open."""
    names = [f"told-{number}" for number in range(count)]
    for start in range(0, count, ENROLLED_AT_ONCE):
        population.enrol(names[start : start + ENROLLED_AT_ONCE], at)
    databases.settle()


def _secret() -> str:
    at = clock.now()
    touchpoint = touchpoints.create_or_reuse(code=ACTOR, channel=Channel.POS, at=at)
    touchpoint.requests_per_minute = MAX_RATE
    touchpoint.save(update_fields=["requests_per_minute"])
    return api_keys.issue(touchpoint, SCOPES, at=at)


def _environment(receiver: Peer, queue: str) -> dict[str, str]:
    """Return what sends messages to the receiver, over the accounts that members have."""
    return {
        "CELERY_BROKER_URL": queue,
        "LOYALTY_PUSH_URL": receiver.url,
        "LOYALTY_PUSH_SECRET": SECRET,
        "LOYALTY_PUSH_APP": "",
        "LOYALTY_WEBHOOK_ALLOW_PRIVATE": "true",
    }


def _send(site: Site, receiver: Peer, members: Sequence[str], rate: float) -> Reaction:
    """Send an order of each member and wait for the messages about them."""
    before = len(receiver.arrivals)
    done = site.load([_order(site, member) for member in members], CONNECTIONS, rate)
    if not receiver.wait_for(before + len(members), seconds=WAIT_SECONDS):
        arrived = len(receiver.arrivals) - before
        raise LoadError(f"{arrived} of {len(members)} messages arrived: {_standing()}")
    time.sleep(1.0)  # time for what should not come
    arrivals = receiver.arrivals[before:]
    told = Counter(member for member, _at in arrivals)
    if told != Counter(members):
        raise LoadError(f"{len(arrivals)} messages about {len(members)} orders")
    sent_at = dict(zip(members, done["sent_at"], strict=True))
    return Reaction(
        sorted(at - sent_at[member] for member, at in arrivals),
        len(members) / (done["sent_at"][-1] - done["sent_at"][0]),
    )


def _standing() -> list[Any]:
    """Return how many messages are in which state and why, and how many events are owed."""
    return [
        *Message.objects.values_list("state", "reason").annotate(Count("pk")).order_by("state"),
        *EventDelivery.objects.values_list("state", "error_code").annotate(Count("pk")).order_by(),
    ]


def _order(site: Site, member: str) -> bytes:
    line = {
        "line_no": 1, "sku": "SKU-00001", "category": "dairy", "brand": "house", "quantity": 1,
        "amount": "88.00",
    }  # fmt: skip
    body: dict[str, Any] = {
        "member": member, "status": "paid", "lines": [line],
        "placed_at": clock.now().isoformat(), "currency": settings.LOYALTY_CURRENCY,
    }  # fmt: skip
    path = f"/orders/{population.SOURCE}/R{next(_numbers):09}"
    return site.request("PUT", path, json.dumps(body).encode())
