"""Pages of the console in a large database beside a small one: each page on its own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse

from campaigns.services import measuring
from config.base import clock
from config.bench import databases, shop
from config.bench.measure import Ratio, timed
from config.bench.scale import Scale
from members.models import Member

SMALL: Final = 10_000
ROUNDS: Final = 5
FLOOR: Final = 1.5

_A_MEMBER = "SELECT id, card_number FROM members_member ORDER BY id LIMIT 1 OFFSET 5007"
_A_COUPON = "SELECT code FROM rewards_coupon ORDER BY id LIMIT 1 OFFSET 2000"
_AN_ORDER = "SELECT order_no FROM members_order ORDER BY id LIMIT 1 OFFSET 9000"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its address, and what is posted to it, if anything is."""

    address: str
    posted: Mapping[str, str] | None = None

    def open(self, client: Client) -> None:
        """Open the page as it is after a minute without visitors: nothing is kept."""
        cache.clear()
        response = self._response(client)
        assert response.status_code == 200, (self, response.status_code)

    def _response(self, client: Client) -> Any:
        if self.posted is None:
            return client.get(self.address)
        return client.post(self.address, self.posted, follow=True)


Pages = Mapping[str, Page]
"""Pages of the database in use, by names that are the same in the other."""


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure the same pages in both databases, in turns."""
    with databases.clone(template) as small:
        _fill(SMALL)
        with databases.clone(template) as large:
            _fill(scale.large)
            members = [SMALL, scale.large]
            for name, pages, floor in GROUPS:
                rounds = ROUNDS if floor else 0
                yield _ratio(name, _times(small, large, pages, rounds), floor, members)


def _fill(members: int) -> None:
    shop.fill(members, clock.now())
    get_user_model().objects.create_superuser("bench")


def _lists() -> Pages:
    """Return the lists of what there is much of, as they open and as they are filtered."""
    models = [
        model for model in map(apps.get_model, shop.MODELS) if admin.site.is_registered(model)
    ]
    names = [f"{model._meta.app_label}_{model._meta.model_name}" for model in models]
    found = {name: Page(reverse(f"admin:{name}_changelist")) for name in names}
    members = found["members_member"].address
    return found | {
        **{f"members, by {place}": Page(f"{members}?o={place}") for place in _places()},
        "members, active": Page(f"{members}?status__exact=active"),
        "members, page 100": Page(f"{members}?p=100"),
    }


def _places() -> list[str]:
    """Return the places of all columns of the list of members, to be sorted both ways."""
    request = RequestFactory().get("/")
    request.user = get_user_model().objects.get(username="bench")
    columns = admin.site.get_model_admin(Member).get_list_display(request)
    return [f"{way}{place}" for place in range(len(columns)) for way in ("", "-")]


def _searches() -> Pages:
    """Return the ways to search, on the list and at the desk."""
    (((_id, card),), ((code,),), ((order,),)) = (
        databases.execute(each) for each in (_A_MEMBER, _A_COUPON, _AN_ORDER)
    )
    terms = {
        "phone": shop.phone(3), "no phone": "13700137000", "card": card, "tail": "0007",
        "name": shop.NAME, "order": order, "coupon": code,
    }  # fmt: skip
    members, orders, entries, coupons = (
        reverse(f"admin:{name}_changelist")
        for name in ("members_member", "members_order", "rewards_entry", "rewards_coupon")
    )
    return {
        **{f"list, {name}": Page(f"{members}?q={term}") for name, term in terms.items()},
        **{
            f"desk, {name}": Page(reverse("admin:desk"), {"term": term})
            for name, term in terms.items()
        },
        "orders, order": Page(f"{orders}?q={order}"),
        "orders, phone": Page(f"{orders}?q={terms['phone']}"),
        "entries, order": Page(f"{entries}?q={order}"),
        "entries, phone": Page(f"{entries}?q={terms['phone']}"),
        "coupons, coupon": Page(f"{coupons}?q={code}"),
    }


def _member() -> Pages:
    """Return the page of a member and what belongs to it."""
    ((member, _card),) = databases.execute(_A_MEMBER)
    return {
        "member": Page(reverse("admin:members_member_change", args=[member])),
        "timeline": Page(reverse("admin:member_timeline", args=[member])),
        "statement": Page(reverse("admin:points_statement", args=[member])),
    }


def _start() -> Pages:
    """Return the start page, its figures measured as the scheduler has it done all the time."""
    measuring.measure_start_page(at=clock.now())
    return {"today": Page(reverse("admin:index"))}


def _dashboards() -> Pages:
    groups = ("members", "tiers", "points", "commerce", "rewards")
    found = {name: Page(reverse("admin:dashboard", args=[name])) for name in groups}
    return found | {
        "month end": Page(reverse("admin:month_end")),
        "charts of today": Page(reverse("admin:today_charts")),
    }


GROUPS: Final[tuple[tuple[str, Callable[[], Pages], float | None], ...]] = (
    ("admin_lists", _lists, FLOOR),
    ("admin_search", _searches, FLOOR),
    ("admin_member", _member, FLOOR),
    ("admin_today", _start, FLOOR),
    ("admin_dashboards", _dashboards, None),
)

Times = dict[str, tuple[float, float]]
"""Seconds of each page, among few members and among many."""


def _times(few: str, many: str, pages: Callable[[], Pages], rounds: int) -> Times:
    """Return the best time of each page in both; whatever else runs only ever adds to one.

    With no rounds, that of its first opening: such pages read everything, and nothing bounds them.
    """
    pairs = [
        (_seconds(few, pages, is_warm=rounds > 0), _seconds(many, pages, is_warm=rounds > 0))
        for _round in range(max(rounds, 1))
    ]
    return {
        name: (min(small[name] for small, _ in pairs), min(large[name] for _, large in pairs))
        for name in pairs[0][0]
    }


def _seconds(database: str, pages: Callable[[], Pages], *, is_warm: bool) -> dict[str, float]:
    """Return how long each page takes; a warm one has been opened on the connection before."""
    databases.use(database)
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.get(username="bench"))
    found = pages()
    if is_warm:
        for page in found.values():
            page.open(client)
    return {name: timed(lambda: page.open(client)) for name, page in found.items()}  # noqa: B023


def _ratio(name: str, times: Times, floor: float | None, members: list[int]) -> Ratio:
    """Return the page whose time grows most, with those of all beside it."""
    worst = max(times, key=lambda page: times[page][1] / times[page][0])
    small, large = times[worst]
    notes: dict[str, Any] = {"members": members, "page": worst, "ms": _milliseconds(times)}
    return Ratio(name, large, small, "s", floor, 1.0 if floor else None, is_time=True, notes=notes)


def _milliseconds(times: Times) -> dict[str, list[float]]:
    return {page: [round(1000 * each, 1) for each in pair] for page, pair in times.items()}
