"""Facts out of request bodies, read by hand: the same for one order and for a batch of them.

Source: design §5.1, §5.3(1), §6.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.base.api.cursors import ParameterInvalidError
from config.base.api.problems import RequestInvalidError
from config.base.api.reading import MAX_POINTS, MAX_VERSION, ObjectReader
from members.api import reading
from rewards.domain import cart
from rewards.domain.cart import Line, RefundLine
from rewards.domain.submission import (
    InteractionFact,
    MemberRef,
    OrderFact,
    RefundFact,
    Submission,
    Tender,
)
from rewards.services import quote_checks, quote_tokens

CURRENCY = re.compile("[A-Z]{3}", re.ASCII)

MAX_LINES = 2_000
MAX_TENDERS = 50
MAX_DISCOUNTS = 50
MAX_COUPONS = 50
MAX_LINE_NO = 1_000_000
MAX_SOURCE_LENGTH = 64
MAX_ORDER_NO_LENGTH = 100
MAX_REF_LENGTH = 200
MAX_CODE_LENGTH = 64
MAX_NAME_LENGTH = 100
MAX_KIND_LENGTH = 40

ORDER_KEYS = frozenset(
    {
        "version", "changed_at", "member", "identifier", "status", "placed_at", "currency",
        "store", "till", "cashier", "lines", "tenders", "reservation", "reservation_points",
        "coupons", "quote",
    }
)  # fmt: skip
LINE_KEYS = frozenset(
    {
        "line_no", "sku", "kind", "category", "brand", "quantity", "amount", "list_amount",
        "discounts", "cost", "earns",
    }
)  # fmt: skip
REFUND_KEYS = frozenset({"refund_no", "refunded_at", "lines", "amount", "points", "tenders"})
REFUND_LINE_KEYS = frozenset({"line_no", "quantity", "amount"})
INTERACTION_KEYS = frozenset(
    {"source", "ref", "member", "identifier", "kind", "occurred_at", "data"}
)
TENDER_KEYS = frozenset({"kind", "amount"})
DISCOUNT_KEYS = frozenset({"kind", "code", "name", "amount"})
CLAIM_KEYS = frozenset({"member", "identifier"})
ADJUSTMENT_KEYS = frozenset({"points", "reason"})

ORDER_PLACE = frozenset({"type", "source", "order_no"})
INTERACTION_PLACE = frozenset({"type"})


def order(reader: ObjectReader, source: str, order_no: str) -> OrderFact:
    """Return one version of an order; good only when the reader finishes without errors."""
    lines = reader.objects("lines", line, max_items=MAX_LINES, may_be_empty=True)
    fact = OrderFact(
        source=source,
        order_no=order_no,
        version=reader.integer("version", 1, MAX_VERSION, required=False),
        changed_at=reader.time("changed_at", required=False),
        member=member_ref(reading.member(reader)),
        status=reader.choice("status", cart.STATUSES),
        placed_at=reader.time("placed_at"),  # type: ignore[arg-type]
        currency=currency(reader),
        lines=tuple(sorted(lines, key=lambda each: each.line_no)),
        tenders=reader.objects(
            "tenders", _tender, max_items=MAX_TENDERS, required=False, may_be_empty=True
        ),
        store=reader.text("store", MAX_CODE_LENGTH, required=False),
        till=reader.text("till", MAX_CODE_LENGTH, required=False),
        cashier=reader.text("cashier", MAX_CODE_LENGTH, required=False),
        reservation=reader.uuid("reservation", required=False),
        reservation_points=reader.integer("reservation_points", 0, MAX_POINTS, required=False),
        coupons=reader.texts("coupons", MAX_CODE_LENGTH, max_items=MAX_COUPONS),
        quote=_quote(reader),
    )
    refuse_twice(reader, lines)
    return fact


def refuse_twice(reader: ObjectReader, lines: Sequence[Line]) -> None:
    """Note lines that share a number."""
    if len({each.line_no for each in lines}) < len(lines):
        reader.note("lines", "duplicate_line", _("Each line_no may be given once."))


def _quote(reader: ObjectReader) -> dict[str, object] | str | None:
    """Return what the quote of an order said; a token that is not ours is told, never refused."""
    token = reader.text("quote", quote_tokens.MAX_LENGTH, required=False)
    return (quote_tokens.read(token) or quote_checks.QUOTE_INVALID) if token else None


def refund(reader: ObjectReader, source: str, order_no: str) -> RefundFact:
    """Return one refund of an order; without lines and amount it is of all that is left."""
    return RefundFact(
        source=source,
        order_no=order_no,
        refund_no=reader.text("refund_no", MAX_ORDER_NO_LENGTH),
        refunded_at=reader.time("refunded_at"),  # type: ignore[arg-type]
        # An empty list would silently mean "everything".
        lines=reader.objects("lines", _refund_line, max_items=MAX_LINES, required=False),
        amount=reader.money("amount", required=False),
        points=reader.integer("points", 0, MAX_POINTS, required=False),
        # By which means the money went back decides nothing: points go back by `points`.
        tenders=reader.objects(
            "tenders", _tender, max_items=MAX_TENDERS, required=False, may_be_empty=True
        ),
    )


def interaction(reader: ObjectReader) -> InteractionFact:
    """Return one interaction."""
    return InteractionFact(
        source=reader.text("source", MAX_SOURCE_LENGTH),
        ref=reader.text("ref", MAX_REF_LENGTH),
        member=member_ref(reading.required_member(reader)),
        kind=reader.text("kind", MAX_KIND_LENGTH),
        occurred_at=reader.time("occurred_at"),  # type: ignore[arg-type]
        data=reader.free("data"),
    )


def one_order(data: Any, source: str, order_no: str) -> OrderFact:
    """Return the order of a `PUT`.

    Raises: RequestInvalidError.
    """
    reader = ObjectReader(data)
    reader.only(ORDER_KEYS)
    check_place(source, order_no)
    fact = order(reader, source, order_no)
    reader.finish()
    return fact


def one_refund(data: Any, source: str, order_no: str) -> RefundFact:
    """Return the refund of a `POST`.

    Raises: RequestInvalidError.
    """
    reader = ObjectReader(data)
    reader.only(REFUND_KEYS)
    check_place(source, order_no)
    fact = refund(reader, source, order_no)
    reader.finish()
    return fact


def one_interaction(data: Any) -> InteractionFact:
    """Return the interaction of a `POST`.

    Raises: RequestInvalidError.
    """
    reader = ObjectReader(data)
    reader.only(INTERACTION_KEYS)
    fact = interaction(reader)
    reader.finish()
    return fact


def claim(data: Any, source: str, order_no: str) -> MemberRef:
    """Return who claims an order.

    Raises: RequestInvalidError.
    """
    reader = ObjectReader(data)
    reader.only(CLAIM_KEYS)
    check_place(source, order_no)
    named = member_ref(reading.required_member(reader))
    reader.finish()
    assert named is not None
    return named


def adjustment(data: Any) -> tuple[int, str]:
    """Return the points of an adjustment, up or down, and its reason.

    Raises: RequestInvalidError.
    """
    reader = ObjectReader(data)
    reader.only(ADJUSTMENT_KEYS)
    points = reader.integer("points", -MAX_POINTS, MAX_POINTS) or 0
    if reader.data.get("points") == 0:
        reader.note("points", "zero", _("Must not be zero."))
    reason = reader.text("reason", 200)
    if reason and not reason.strip():
        reader.note("reason", "empty", _("Must not be empty."))
    reader.finish()
    return points, reason.strip()


def batch_fact(data: Any) -> Submission | RequestInvalidError:
    """Return one fact of a batch, or what is wrong with it.

    The mistakes of one fact are its own: pointers begin at the fact, and the others go on.
    """
    reader = ObjectReader(data)
    kind = reader.choice("type", tuple(_BATCH_KINDS)) if not reader.errors else ""
    if not kind:
        return RequestInvalidError(reader.errors)
    fact = _BATCH_KINDS[kind](reader)
    return RequestInvalidError(reader.errors) if reader.errors else fact


def _batch_order(reader: ObjectReader) -> Submission:
    reader.only(ORDER_KEYS | ORDER_PLACE)
    return order(reader, *_place(reader))


def _batch_refund(reader: ObjectReader) -> Submission:
    reader.only(REFUND_KEYS | ORDER_PLACE)
    return refund(reader, *_place(reader))


def _batch_interaction(reader: ObjectReader) -> Submission:
    reader.only(INTERACTION_KEYS | INTERACTION_PLACE)
    return interaction(reader)


_BATCH_KINDS: dict[str, Callable[[ObjectReader], Submission]] = {
    "order": _batch_order,
    "refund": _batch_refund,
    "interaction": _batch_interaction,
}


def _place(reader: ObjectReader) -> tuple[str, str]:
    return (
        reader.text("source", MAX_SOURCE_LENGTH),
        reader.text("order_no", MAX_ORDER_NO_LENGTH),
    )


def check_place(source: str, order_no: str) -> None:
    """Refuse a source or order number of an address that no body could carry either.

    Raises: ParameterInvalidError.
    """
    place = ObjectReader({"source": source, "order_no": order_no})
    _place(place)
    if place.errors:
        raise ParameterInvalidError(place.errors[0].pointer.removeprefix("/"))


def member_ref(named: reading.MemberName) -> MemberRef | None:
    """Return whom a body names, as intake takes it; None where it names nobody."""
    if named.public_id is not None:
        return MemberRef(public_id=named.public_id)
    if named.identifier is None:
        return None
    found = named.identifier
    return MemberRef(kind=found.kind, app=found.app, value=found.value)


def currency(reader: ObjectReader) -> str:
    """Return the currency code; intake says which one the programme takes."""
    code = reader.text("currency", 3)
    if code and not CURRENCY.fullmatch(code):
        reader.note("currency", "currency_invalid", _("Must be a code of ISO 4217."))
    return code


def line(reader: ObjectReader) -> Line:
    """Return one line of an order or a cart."""
    reader.only(LINE_KEYS)
    return Line(
        line_no=reader.integer("line_no", 0, MAX_LINE_NO) or 0,
        sku=reader.text("sku", MAX_CODE_LENGTH),
        kind=reader.choice("kind", cart.KINDS, cart.GOODS),
        category=reader.text("category", MAX_NAME_LENGTH, required=False) or None,
        brand=reader.text("brand", MAX_NAME_LENGTH, required=False) or None,
        quantity=reader.quantity("quantity"),
        amount=reader.money("amount") or 0,
        earns=reader.boolean("earns", default=True),
        list_amount=reader.money("list_amount", required=False),
        cost=reader.money("cost", required=False),
        discounts=reader.objects(
            "discounts", _discount, max_items=MAX_DISCOUNTS, required=False, may_be_empty=True
        ),
    )


def _refund_line(reader: ObjectReader) -> RefundLine:
    reader.only(REFUND_LINE_KEYS)
    return RefundLine(
        line_no=reader.integer("line_no", 0, MAX_LINE_NO) or 0,
        quantity=reader.quantity("quantity"),
        amount=reader.money("amount") or 0,
    )


def _tender(reader: ObjectReader) -> Tender:
    reader.only(TENDER_KEYS)
    return Tender(kind=reader.text("kind", MAX_KIND_LENGTH), amount=reader.money("amount") or 0)


def _discount(reader: ObjectReader) -> dict[str, str | int]:
    reader.only(DISCOUNT_KEYS)
    discount: dict[str, str | int] = {"amount": reader.money("amount") or 0}
    for key in ("kind", "code", "name"):
        if text := reader.text(key, MAX_NAME_LENGTH, required=False):
            discount[key] = text
    return discount
