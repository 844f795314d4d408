"""Quotes: a cart in, what it would cost and earn out."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from config.base import money
from config.base.api.problems import RequestInvalidError
from config.base.api.reading import MAX_POINTS, ObjectReader
from members.api import reading
from members.api.views import BODY, TouchpointEndpoint
from rewards import paying_words
from rewards.api import openapi_quotes, parsing
from rewards.api.carts import line_json
from rewards.api.coupon_misses import asker_of, counts_misses
from rewards.api.coupons import checked_json
from rewards.api.naming import member_named
from rewards.api.representation import explained
from rewards.domain.submission import MemberRef
from rewards.services import coupon_misses
from rewards.services import quote as quotes
from rewards.services.quote import Cart, Quote
from tiers.api.representation import benefit_json

QUOTE_KEYS = frozenset(
    {"member", "identifier", "currency", "source", "store", "lines", "coupons", "points"}
)


class QuotesView(TouchpointEndpoint):
    """The result in advance (试算)."""

    scopes = {"POST": "quotes:read"}
    member_token = {"POST": BODY}

    @openapi_quotes.post_quote
    @counts_misses
    def post(self, request: Request) -> Response:
        """Quote a cart for a member."""
        named, cart = quote_request(request.data)
        quoted = quotes.quote(
            member=member_named(named),
            cart=cart,
            touchpoint=self.key_of(request).touchpoint,
            at=self.at(),
        )
        coupon_misses.count(asker_of(self, request), quoted.coupons.unknown, self.at())
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
        "coupons": _coupons(quoted),
        "benefits": [benefit_json(each) for each in quoted.benefits],
        "pay_with_points": _paying(quoted),
        "explanation": explained(quoted.outcome.decided[0].explanation),
        "order": _order(quoted),
        "quote": quoted.token,
    }


def _amounts(quoted: Quote) -> dict[str, str]:
    return {
        "list": money.to_text(quoted.list_total),
        "tier_discount": money.to_text(quoted.discount.amount),
        "coupons": money.to_text(sum(quoted.used_coupons.values())),
        "net": money.to_text(quoted.total),
        "paid_in_points": money.to_text(quoted.payable.amount),
        "to_pay": money.to_text(quoted.to_pay),
    }


def _coupons(quoted: Quote) -> list[dict[str, Any]]:
    """Return the coupons asked for, then the member's others, each with what it would do."""
    asked = [(each, True) for each in quoted.coupons.checked]
    others = [(each, False) for each in quoted.other_coupons]
    return [
        {**checked_json(each, on_cart=True), "asked": is_asked}
        for each, is_asked in [*asked, *others]
    ]


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
    if quoted.used_coupons:
        body["coupons"] = list(quoted.used_coupons)
    if quoted.payable.points:
        amount = money.to_text(quoted.payable.amount)
        body["tenders"] = [{"kind": "points", "amount": amount}]
    return body
