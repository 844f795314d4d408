"""Quotes: a cart in, what it would cost and earn out."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from config.base import money
from config.base.api.problems import RequestInvalidError
from config.base.api.reading import MAX_POINTS, ObjectReader
from members.api import reading
from members.api.views import BODY, MemberNotFoundError, TouchpointEndpoint
from members.services import identity
from rewards import paying_words
from rewards.api import openapi_quotes, parsing
from rewards.api.representation import explained
from rewards.domain.cart import Line
from rewards.domain.submission import MemberRef
from rewards.services import quote as quotes
from rewards.services.quote import Cart, Quote

QUOTE_KEYS = frozenset(
    {"member", "identifier", "currency", "source", "store", "lines", "coupons", "points"}
)


class QuotesView(TouchpointEndpoint):
    """The result in advance (试算)."""

    scopes = {"POST": "quotes:read"}
    member_token = {"POST": BODY}

    @openapi_quotes.post_quote
    def post(self, request: Request) -> Response:
        """Quote a cart for a member."""
        named, cart = quote_request(request.data)
        quoted = quotes.quote(
            member=member_named(named),
            cart=cart,
            touchpoint=self.key_of(request).touchpoint,
            at=self.at(),
        )
        return Response(quote_json(quoted))


def quote_request(data: Any) -> tuple[MemberRef, Cart]:
    """Return for whom which cart is to be quoted.

    Raises: RequestInvalidError.
    """
    reader = ObjectReader(data)
    reader.only(QUOTE_KEYS)
    named = parsing.member_ref(reading.required_member(reader))
    lines = reader.objects("lines", parsing.line, max_items=parsing.MAX_LINES)
    parsing.currency(reader)
    parsing.refuse_twice(reader, lines)
    cart = Cart(
        lines=tuple(sorted(lines, key=lambda line: line.line_no)),
        source=reader.text("source", parsing.MAX_SOURCE_LENGTH, required=False),
        store=reader.text("store", parsing.MAX_CODE_LENGTH, required=False),
        coupons=reader.texts("coupons", parsing.MAX_CODE_LENGTH, max_items=parsing.MAX_COUPONS),
        points=reader.integer("points", 0, MAX_POINTS, required=False),
    )
    reader.finish()
    if named is None:
        raise RequestInvalidError(reader.errors)
    return named, cart


def member_named(named: MemberRef) -> int:
    """Return the member that a body names.

    Raises: MemberNotFoundError.
    """
    if named.public_id is not None:
        found = identity.resolve_public_ids([named.public_id]).get(named.public_id)
    else:
        key = (named.kind, named.app, named.value)
        found = identity.find([key]).get(key)
    if found is None:
        raise MemberNotFoundError
    return found


def quote_json(quoted: Quote) -> dict[str, Any]:
    """Return a quote, with the order to send for it."""
    points = quoted.points
    return {
        "member": quoted.member,
        "tier": {
            "code": quoted.tier.code,
            "after": quoted.tier_after.code,
            "changed": quoted.tier.code != quoted.tier_after.code,
        },
        "points": {
            "earned": sum(points.values()),
            "base": points.get("base", 0),
            "bonus": [
                {"rule": code, "points": value}
                for code, value in sorted(points.items())
                if code != "base"
            ],
        },
        "amounts": _amounts(quoted),
        "tier_discount": {
            "tier": quoted.discount.tier,
            "percent": money.percent_text(quoted.discount.bp),
            "amount": money.to_text(quoted.discount.amount),
        },
        "pay_with_points": _paying(quoted),
        "explanation": explained(quoted.outcome.decided[0].explanation),
        "order": _order(quoted),
        "quote": quoted.token,
    }


def _amounts(quoted: Quote) -> dict[str, str]:
    return {
        "list": money.to_text(quoted.list_total),
        "tier_discount": money.to_text(quoted.discount.amount),
        "net": money.to_text(quoted.total),
        "paid_in_points": money.to_text(quoted.payable.amount),
        "to_pay": money.to_text(quoted.to_pay),
    }


def _paying(quoted: Quote) -> dict[str, Any]:
    terms, payable = quoted.pay_terms, quoted.payable
    return {
        "available": quoted.available,
        "rate": {"points": terms.points, "amount": money.to_text(terms.amount)},
        "min": terms.min_points,
        "step": terms.step_points,
        "max": payable.most,
        "max_percent": money.percent_text(terms.max_bp),
        "points": payable.points,
        "amount": money.to_text(payable.amount),
        "why_not": paying_words.rendered(payable.why),
    }


def _order(quoted: Quote) -> dict[str, Any]:
    """Return what to send as the order besides its number, its time and its status."""
    body: dict[str, Any] = {"lines": [line_json(line) for line in quoted.lines]}
    if quoted.payable.points:
        amount = money.to_text(quoted.payable.amount)
        body["tenders"] = [{"kind": "points", "amount": amount}]
    return body


def line_json(line: Line) -> dict[str, Any]:
    """Return a line as it is sent with an order."""
    whole, part = divmod(line.quantity, 1000)
    body: dict[str, Any] = {
        "line_no": line.line_no,
        "sku": line.sku,
        "kind": line.kind,
        "category": line.category or "",
        "brand": line.brand or "",
        "quantity": f"{whole}.{part:03}",
        "amount": money.to_text(line.amount),
        "earns": line.earns,
    }
    for name in ("list_amount", "cost"):
        if (amount := getattr(line, name)) is not None:
            body[name] = money.to_text(amount)
    if line.discounts:
        body["discounts"] = [
            {**discount, "amount": money.to_text(int(discount["amount"]))}
            for discount in line.discounts
        ]
    return body
