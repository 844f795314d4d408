"""Lists and searches of the console in a large database beside a small one."""

import statistics
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from config.base import clock
from config.bench import databases, population
from config.bench.measure import Ratio, timed
from config.bench.scale import Scale

SMALL: Final = 10_000
ROUNDS: Final = 7
LISTS: Final = ("members_member", "members_order", "rewards_entry", "tiers_standing")
LookedFor = Callable[[], Mapping[str, tuple[str, ...]]]
"""Tells what to look for in which lists, in the database in use."""

_A_CARD = "SELECT card_number FROM members_member ORDER BY id LIMIT 1 OFFSET 5000"


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure the same pages in both databases, in turns."""
    with databases.clone(template) as small:
        _fill(SMALL)
        with databases.clone(template) as large:
            _fill(scale.large)
            yield _ratio("admin_lists", small, large, _no_search, scale.large)
            yield _ratio("admin_search", small, large, _searches, scale.large)


def _fill(count: int) -> None:
    placed_at = clock.now() - timedelta(days=30)
    population.populate([(placed_at, 120_000)], count - 1)
    get_user_model().objects.create_superuser("bench")


def _no_search() -> Mapping[str, tuple[str, ...]]:
    return {"": LISTS}


def _searches() -> Mapping[str, tuple[str, ...]]:
    """Return what to look for in the database in use, and in which lists."""
    ((card,),) = databases.execute(_A_CARD)
    return {card: LISTS[:1], "13800138000": LISTS[:1], "first-0-5000": LISTS[:2]}


def _ratio(name: str, few: str, many: str, looked_for: LookedFor, members: int) -> Ratio:
    rounds = [(_seconds(few, looked_for), _seconds(many, looked_for)) for _ in range(ROUNDS)]
    reference = statistics.median(small for small, _large in rounds)
    ours = statistics.median(large for _small, large in rounds)
    notes = {"members": [SMALL, members]}
    return Ratio(name, ours, reference, "s", 1.5, 1.0, is_time=True, notes=notes)


def _seconds(database: str, looked_for: LookedFor) -> float:
    """Return how long the pages take together, on a connection that is warm."""
    databases.use(database)
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.get(username="bench"))
    addresses = [
        reverse(f"admin:{page}_changelist") + (f"?q={text}" if text else "")
        for text, pages in looked_for().items()
        for page in pages
    ]
    _open(client, addresses)
    return timed(lambda: _open(client, addresses))


def _open(client: Client, addresses: list[str]) -> None:
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, (address, response.status_code)
