"""Rows of imported files, checked and typed.

A row that cannot be read gives its faults instead; what can be read of an order's bad row is kept,
so that the other rows of that order are not taken as the whole of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from members.domain.identifiers import IdentifierInvalid, normalise
from members.domain.masking import mask_value
from rewards.domain import cart, import_cells
from rewards.domain.import_cells import CellError
from rewards.domain.mapping import Columns

T = TypeVar("T")

MAX_SOURCE: Final = 64
MAX_ORDER_NO: Final = 100
MAX_CODE: Final = 64
MAX_NAME: Final = 100
MAX_LINE_NO: Final = 1_000_000
MAX_POINTS: Final = 10**12
MAX_SOURCE_REF: Final = 200
MAX_PIECES: Final = 10**6
MAX_REASON: Final = 40

ORDER_COLUMNS: Final = Columns(
    (
        "source", "order_no", "version", "status", "placed_at", "currency", "store",
        "identifier_kind", "identifier", "line_no", "sku", "category", "brand", "quantity",
        "amount", "identifier_app", "changed_at", "kind", "earns",
    ),
    required=frozenset(
        {"source", "order_no", "status", "placed_at", "line_no", "sku", "quantity", "amount"}
    ),
)  # fmt: skip
BALANCE_COLUMNS: Final = Columns(
    (
        "identifier_kind", "identifier", "points", "expires_on", "tier", "tier_until",
        "source_ref", "identifier_app",
    ),
    required=frozenset({"identifier_kind", "identifier", "source_ref"}),
)  # fmt: skip
STOCK_COLUMNS: Final = Columns(
    ("reward", "slot", "tier", "quantity", "reason"), required=frozenset({"reward", "quantity"})
)
MEMBER_COLUMNS: Final = Columns(
    (
        "identifier_kind", "identifier", "identifier_app", "phone", "email", "card",
        "wechat_unionid", "external", "name", "birthday", "city", "channel", "store", "staff",
        "joined_at",
    ),
    required=frozenset(),
)  # fmt: skip
MASKED_FROM_LENGTH: Final = 8
IDENTIFIER_COLUMNS: Final = ("phone", "email", "card", "wechat_unionid", "external")
PERSONAL: Final = frozenset(
    {"identifier", "phone", "email", "card", "wechat_unionid", "external", "name", "birthday",
     "city", "evidence"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell; the value is masked where it is personal."""

    code: str
    field: str = ""
    value: str = ""


class RowError(Exception):
    """A row that cannot be taken."""

    def __init__(self, faults: list[Fault], staged: "StagedLine | None" = None) -> None:
        super().__init__(faults[0].code)
        self.faults = faults
        self.staged = staged


class Named(NamedTuple):
    """An identifier in its normal form; empty where a row names nobody."""

    kind: str
    app: str
    value: str


class StagedLine(NamedTuple):
    """One row of an orders file, in the columns in which it is staged.

    `acts_at` is when its order's version acts, as far as the file says. A bad row carries only
    which order it is of.
    """

    row: int
    source: str
    order_no: str
    version: int
    status: str | None = None
    placed_at: datetime | None = None
    changed_at: datetime | None = None
    acts_at: datetime | None = None
    currency: str | None = None
    store: str | None = None
    identifier_kind: str | None = None
    identifier_app: str | None = None
    identifier: str | None = None
    line_no: int | None = None
    sku: str | None = None
    kind: str | None = None
    category: str | None = None
    brand: str | None = None
    quantity: int | None = None
    amount: int | None = None
    earns: bool | None = None
    is_bad: bool = False


class Cells:
    """The cells of one row, read by name; what is wrong is collected."""

    def __init__(self, columns: Columns, cells: tuple[str, ...]) -> None:
        self._cells = dict(zip(columns.names, cells, strict=True))
        self.faults: list[Fault] = []

    def read(self, name: str, parse: Callable[..., T], *args: Any, **options: Any) -> T | None:
        """Return a cell's value, None where it has none that can be used."""
        try:
            return parse(self._cells[name], *args, **options)
        except CellError as error:
            self.note(error.code, name)
            return None

    def maybe(self, name: str, parse: Callable[..., T], *args: Any) -> T | None:
        """Return a cell's value, None where it is empty as well."""
        return self.read(name, parse, *args) if self._cells[name].strip() else None

    def note(self, code: str, name: str) -> None:
        """Note what is wrong with a cell."""
        value = self._cells.get(name, "")
        shown = _masked(self._cells, name) if name in PERSONAL and value.strip() else value
        self.faults.append(Fault(code, name, shown))

    def named(self) -> Named:
        """Return the identifier of a row."""
        kind, app, value = self["identifier_kind"], self["identifier_app"], self["identifier"]
        return self.identifier(kind, app, value, "identifier")

    def identifier(self, kind: str, app: str, value: str, name: str) -> Named:
        """Return an identifier in its normal form."""
        if not kind and not value:
            return Named("", "", "")
        if not kind or not value:
            self.note("missing", "identifier" if kind else "identifier_kind")
            return Named("", "", "")
        try:
            return Named(kind, app, _normal(kind, value, app))
        except IdentifierInvalid as error:
            reason = str(error.details["reason"])
            self.note(reason, "identifier_kind" if reason == "kind_unknown" else name)
            return Named("", "", "")

    def __getitem__(self, name: str) -> str:
        return self._cells[name].strip()


@lru_cache(maxsize=16_384)
def _normal(kind: str, value: str, app: str) -> str:
    return normalise(kind, value, app)


def _masked(cells: dict[str, str], name: str) -> str:
    """Return as much of a personal value as finds it again in the file."""
    value = cells[name].strip()
    kind = cells.get("identifier_kind", "").strip() if name == "identifier" else name
    if name not in {"identifier", *IDENTIFIER_COLUMNS} or len(value) < MASKED_FROM_LENGTH:
        return "…"
    return mask_value(kind, value)


@dataclass(slots=True)
class OrderRows:
    """Reads the rows of an orders file; what is said of whole orders is read once per order.

    `latest` is the last instant that an order may be of.
    """

    currency: str
    latest: datetime
    _said: tuple[str, ...] = ()
    _header: tuple[Any, ...] | None = field(default=None)

    def read(self, row: int, cells: tuple[str, ...]) -> StagedLine:
        """Return a row as it is staged.

        Raises: RowError.
        """
        said = (*cells[:9], *cells[15:17])
        if self._header is None or said != self._said:
            self._header = None
            self._header = self._read_header(row, cells)
            self._said = said
        try:
            line = (
                row,
                *self._header,
                import_cells.integer(cells[9], 0, MAX_LINE_NO),
                import_cells.text(cells[10], MAX_CODE, required=True),
                import_cells.choice(cells[17], cart.KINDS, cart.GOODS),
                import_cells.text(cells[11], MAX_NAME) or None,
                import_cells.text(cells[12], MAX_NAME) or None,
                import_cells.quantity(cells[13]),
                import_cells.amount(cells[14]),
                import_cells.boolean(cells[18], default=True),
                False,
            )
        except CellError:
            raise RowError(_line_faults(cells), _bad(row, self._header[:3])) from None
        return StagedLine._make(line)

    def _read_header(self, row: int, cells: tuple[str, ...]) -> tuple[Any, ...]:
        read = Cells(ORDER_COLUMNS, cells)
        source = read.read("source", import_cells.text, MAX_SOURCE, required=True)
        order_no = read.read("order_no", import_cells.text, MAX_ORDER_NO, required=True)
        changed_at = read.maybe("changed_at", import_cells.instant)
        version = read.maybe("version", import_cells.integer, 1, import_cells.MAX_NUMBER)
        placed_at = read.read("placed_at", import_cells.instant)
        status = read.read("status", import_cells.choice, cart.STATUSES)
        currency = read.read("currency", import_cells.choice, (self.currency,), self.currency)
        store = read.read("store", import_cells.text, MAX_CODE)
        named = read.named()
        for name, at in (("placed_at", placed_at), ("changed_at", changed_at)):
            if at is not None and at > self.latest:
                read.note("placed_in_future", name)
        known = (source, order_no, version or _as_version(changed_at))
        if read.faults or placed_at is None:
            faults = [*read.faults, *_line_faults(cells)]
            raise RowError(faults, _bad(row, known) if source and order_no else None)
        acts_at = placed_at if changed_at is None else max(changed_at, placed_at)
        return (*known, status, placed_at, changed_at, acts_at, currency, store, *named)


def _bad(row: int, known: tuple[Any, ...]) -> StagedLine:
    source, order_no, version = known
    return StagedLine(row, source, order_no, version, is_bad=True)


def _line_faults(cells: tuple[str, ...]) -> list[Fault]:
    read = Cells(ORDER_COLUMNS, cells)
    read.read("line_no", import_cells.integer, 0, MAX_LINE_NO)
    read.read("sku", import_cells.text, MAX_CODE, required=True)
    read.read("kind", import_cells.choice, cart.KINDS, cart.GOODS)
    read.read("category", import_cells.text, MAX_NAME)
    read.read("brand", import_cells.text, MAX_NAME)
    read.read("quantity", import_cells.quantity)
    read.read("amount", import_cells.amount)
    read.read("earns", import_cells.boolean, default=True)
    return read.faults


def _as_version(changed_at: datetime | None) -> int:
    """Order versions by their instant where the file does not count them."""
    if changed_at is None:
        return 1
    return int(changed_at.timestamp()) * 1_000_000 + changed_at.microsecond


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """What one member brings along: points with an expiry, a tier with a validity, or both."""

    row: int
    named: Named = field(repr=False)
    points: int
    expires_on: date | None
    tier: str
    tier_until: date | None
    source_ref: str


def balance_row(row: int, cells: tuple[str, ...]) -> BalanceRow:
    """Return a row of a balances file.

    Raises: RowError.
    """
    read = Cells(BALANCE_COLUMNS, cells)
    named = read.named()
    points = read.maybe("points", import_cells.integer, 0, MAX_POINTS) or 0
    expires_on = read.maybe("expires_on", import_cells.day)
    tier = read.read("tier", import_cells.text, MAX_CODE) or ""
    tier_until = read.maybe("tier_until", import_cells.day)
    source_ref = read.read("source_ref", import_cells.text, MAX_SOURCE_REF, required=True) or ""
    if not named.value and not read.faults:
        read.note("missing", "identifier")
    if tier_until is not None and not tier and not read.faults:
        read.note("missing", "tier")
    if read.faults:
        raise RowError(read.faults)
    return BalanceRow(row, named, points, expires_on, tier, tier_until, source_ref)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One person of a members file."""

    row: int
    identifiers: tuple[Named, ...] = field(repr=False)
    name: str = field(repr=False)
    birthday: date | None = field(repr=False)
    city: str = field(repr=False)
    channel: str
    store: str
    staff: str
    joined_at: datetime | None


def member_row(row: int, cells: tuple[str, ...]) -> MemberRow:
    """Return a row of a members file; the identifier columns may be used beside one another.

    Raises: RowError.
    """
    read = Cells(MEMBER_COLUMNS, cells)
    identifiers = [
        read.named(),
        *(read.identifier(kind, "", read[kind], kind) for kind in IDENTIFIER_COLUMNS if read[kind]),
    ]
    person = MemberRow(
        row,
        tuple(dict.fromkeys(found for found in identifiers if found.value)),
        read.read("name", import_cells.text, MAX_NAME) or "",
        read.maybe("birthday", import_cells.day),
        read.read("city", import_cells.text, MAX_NAME) or "",
        read.read("channel", import_cells.text, MAX_CODE) or "",
        read.read("store", import_cells.text, MAX_CODE) or "",
        read.read("staff", import_cells.text, MAX_CODE) or "",
        read.maybe("joined_at", import_cells.instant_or_day),
    )
    if not person.identifiers and not read.faults:
        read.note("missing", "identifier")
    if read.faults:
        raise RowError(read.faults)
    return person


@dataclass(frozen=True, slots=True)
class StockRow:
    """Pieces of a reward that came, or went where the quantity is negative."""

    row: int
    reward: str
    slot: str
    tier: str
    quantity: int
    reason: str


def stock_row(row: int, cells: tuple[str, ...]) -> StockRow:
    """Return a row of a stock file.

    Raises: RowError.
    """
    read = Cells(STOCK_COLUMNS, cells)
    moved = StockRow(
        row,
        read.read("reward", import_cells.text, MAX_CODE, required=True) or "",
        read.read("slot", import_cells.text, MAX_CODE) or "",
        read.read("tier", import_cells.text, MAX_CODE) or "",
        read.read("quantity", import_cells.integer, -MAX_PIECES, MAX_PIECES) or 0,
        read.read("reason", import_cells.text, MAX_REASON) or "",
    )
    if not moved.quantity and not read.faults:
        read.note("zero", "quantity")
    if read.faults:
        raise RowError(read.faults)
    return moved
