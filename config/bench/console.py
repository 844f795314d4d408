"""Lists and searches of the console in a large database beside a small one."""

import statistics
from collections.abc import Iterator, Mapping
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
_A_CARD = "SELECT card_number FROM members_member ORDER BY id LIMIT 1 OFFSET 5000"


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure the same pages in both databases, in turns."""
    with databases.clone(template) as small:
        _fill(SMALL)
        with databases.clone(template) as large:
            _fill(scale.large)
            yield _ratio("admin_lists", small, large, {"": LISTS}, scale)
            searches = _searches()
            yield _ratio("admin_search", small, large, searches, scale)


def _fill(count: int) -> None:
    placed_at = clock.now() - timedelta(days=30)
    population.populate([(placed_at, 120_000)], count - 1)
    get_user_model().objects.create_superuser("bench")


def _searches() -> Mapping[str, tuple[str, ...]]:
    """Return what to look for, and in which lists."""
    ((card,),) = databases.execute(_A_CARD)
    return {card: LISTS[:1], "13800138000": LISTS[:1], "first-0-5000": LISTS[:2]}


def _ratio(
    name: str, small: str, large: str, searches: Mapping[str, tuple[str, ...]], scale: Scale
) -> Ratio:
    addresses = [
        reverse(f"admin:{page}_changelist") + (f"?q={text}" if text else "")
        for text, pages in searches.items()
        for page in pages
    ]
    rounds = [(_seconds(small, addresses), _seconds(large, addresses)) for _ in range(ROUNDS)]
    reference = statistics.median(few for few, _many in rounds)
    ours = statistics.median(many for _few, many in rounds)
    notes = {"pages": addresses, "members": [SMALL, scale.large]}
    return Ratio(name, ours, reference, "s", 1.5, 1.0, is_time=True, notes=notes)


def _seconds(database: str, addresses: list[str]) -> float:
    """Return how long the pages take together, on a connection that is warm."""
    databases.use(database)
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.get(username="bench"))
    _open(client, addresses)
    return timed(lambda: _open(client, addresses))


def _open(client: Client, addresses: list[str]) -> None:
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, (address, response.status_code)
