"""A programme of any size from invented members and purchases, for trying out scale."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from django.conf import settings

from config.base import clock
from config.management.demo import people
from config.management.demo.categories import CATEGORIES
from rewards.domain.cart import GOODS, PAID, Line
from rewards.domain.submission import MemberRef, OrderFact
from rewards.services import enrolment, importing
from rewards.services.importing import Batch, Loading, Origin, Progress
from rewards.services.order_loading import OrderTaker
from rewards.services.rejects import RejectsFile

KIND: Final = "synthetic"
SOURCE: Final = "demo"
DAYS: Final = 365
MEMBERS_AT_ONCE: Final = 400
# Beyond the households of the Complete Journey, who are invented people too.
FIRST_PERSON: Final = 10_000_000
MEAN_ORDERS: Final = 12
MOST_LINES: Final = 6
SKUS: Final = 5_000
OPENS, CLOSES = 8 * 3600, 22 * 3600


@dataclass(frozen=True, slots=True)
class Shopper:
    """An invented member with a year of purchases."""

    number: int
    orders: tuple[OrderFact, ...]


@dataclass(frozen=True, slots=True)
class SyntheticYear:
    """A year that ends with a day, of so many members."""

    members: int
    last_day: date

    @property
    def origin(self) -> Origin:
        """Return how this year is recognised."""
        text = f"{self.members} {self.last_day} {settings.LOYALTY_TIME_ZONE}"
        digest = hashlib.sha256(text.encode()).digest()
        return Origin(KIND, SOURCE, digest, {"last_day": self.last_day.isoformat()})

    def batches(self, done: int) -> Iterator[Batch[Shopper]]:
        """Yield the shoppers after the first `done`."""
        for start in range(done, self.members, MEMBERS_AT_ONCE):
            end = min(start + MEMBERS_AT_ONCE, self.members)
            yield Batch([self.shopper(number) for number in range(start, end)], end)

    def shopper(self, number: int) -> Shopper:
        """Return an invented member: most buy now and then, a few often."""
        random = Random(f"{number}")  # noqa: S311 - the same member every time is the point
        count = max(1, round(random.expovariate(1 / MEAN_ORDERS)))
        first = clock.day_start(self.last_day - timedelta(days=DAYS - 1))
        instants = sorted(
            first + timedelta(days=random.randrange(DAYS), seconds=random.randrange(OPENS, CLOSES))
            for _ in range(count)
        )
        orders = (
            self._order(random, number, index, at) for index, at in enumerate(instants, start=1)
        )
        return Shopper(number, tuple(orders))

    @staticmethod
    def _order(random: Random, number: int, index: int, at: datetime) -> OrderFact:
        categories = list(CATEGORIES.values())
        lines = []
        for line_no in range(1, random.randint(1, MOST_LINES) + 1):
            sku = random.randrange(SKUS)
            category = categories[sku % len(categories)]
            amount = round(random.lognormvariate(8, 0.9))
            lines.append(Line(line_no, f"D{sku:05}", GOODS, category, None, 1_000, amount))
        return OrderFact(
            source=SOURCE,
            order_no=f"{number:08}-{index:04}",
            version=1,
            changed_at=None,
            member=MemberRef(kind=_identifier(number)[0], value=_identifier(number)[1]),
            status=PAID,
            placed_at=at,
            currency=settings.LOYALTY_CURRENCY,
            lines=tuple(lines),
        )


def load(*, year: SyntheticYear, at: datetime, progress: Progress) -> dict[str, int]:
    """Enrol the members and load their purchases; returns what became of them."""
    before = importing.finished_before(year.origin)
    if before is not None:
        return {"loaded_before": before.total}
    with importing.job_for(year.origin, at=at) as job, RejectsFile(None) as rejects:
        taker = OrderTaker(at=at, is_history=True, rejects=rejects)

        def take(shoppers: Sequence[Shopper]) -> Counter[str]:
            requests = [
                people.enrolment(
                    FIRST_PERSON + each.number, each.orders[0].placed_at, _identifier(each.number)
                )
                for each in shoppers
            ]
            enrolment.enrol_members(requests, touchpoint=None, at=at)
            orders = [order for each in shoppers for order in each.orders]
            return Counter(members=len(shoppers)) + taker.take(orders)

        Loading(job, rejects, progress).load(year.batches(job.position), take, year.members)
        return dict(job.report)


def _identifier(number: int) -> tuple[str, str, str]:
    return ("external", f"demo-{number}", "")
