"""Short ways to write orders and refunds, and strategies for random ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import strategies as st

from rewards.domain.cart import KINDS, Line, OrderVersion, Refund, RefundLine

INSTANT = datetime(2026, 3, 14, 2, 30, tzinfo=UTC)


def line(  # one keyword for each thing a test may want to set
    number: int,
    amount: int,
    kind: str = "goods",
    *,
    earns: bool = True,
    sku: str | None = None,
    category: str | None = None,
    brand: str | None = None,
    quantity: int = 1_000,
) -> Line:
    """Return a line of one piece."""
    return Line(number, sku or f"sku-{number}", kind, category, brand, quantity, amount, earns)


def order(*lines: Line, paid: int = 0, status: str = "paid", version: int = 1) -> OrderVersion:
    """Return a version of an order, `paid` of it in points."""
    return OrderVersion(version, status, lines, paid, "pos", "store-1", INSTANT)


def refund_of(*lines: tuple[int, int], quantity: int = 0) -> Refund:
    """Return a refund of lines as (line_no, amount)."""
    items = tuple(RefundLine(number, quantity, amount) for number, amount in lines)
    return Refund("r", items, None, None, INSTANT)


def refund_amount(amount: int) -> Refund:
    """Return a refund of an amount without lines."""
    return Refund("r", (), amount, None, INSTANT)


def refund_all() -> Refund:
    """Return a refund of all that is left."""
    return Refund("r", (), None, None, INSTANT)


CATEGORIES = ("dairy", "bakery", None)
BRANDS = ("acme", "zen", None)


@dataclass(frozen=True, slots=True)
class Case:
    """An order with its refunds."""

    version: OrderVersion
    refunds: tuple[Refund, ...]


@st.composite
def orders(draw: st.DrawFn) -> OrderVersion:
    """Return orders of up to six lines of all kinds."""
    count = draw(st.integers(1, 6))
    lines = [
        line(
            number,
            draw(st.integers(0, 5_000)),
            draw(st.sampled_from(("goods", *KINDS))),
            earns=draw(st.integers(0, 5)) > 0,
            sku=f"sku-{draw(st.integers(1, 4))}",
            category=draw(st.sampled_from(CATEGORIES)),
            brand=draw(st.sampled_from(BRANDS)),
        )
        for number in range(1, count + 1)
    ]
    paid = draw(st.sampled_from((0, 0, 100, 750, 9_000)))
    status = draw(st.sampled_from(("paid", "paid", "paid", "completed", "cancelled")))
    return order(*lines, paid=paid, status=status)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return orders with up to four refunds, sometimes of too much."""
    refund = st.one_of(
        st.lists(st.tuples(st.integers(1, 7), st.integers(0, 3_000)), min_size=1, max_size=3).map(
            lambda items: refund_of(*items)
        ),
        st.integers(0, 6_000).map(refund_amount),
        st.integers(0, 9).flatmap(
            lambda n: st.just(refund_all()) if n == 0 else st.just(refund_amount(n))
        ),
    )
    return Case(draw(orders()), tuple(draw(st.lists(refund, max_size=4))))
