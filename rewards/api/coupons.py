"""Coupons: check, redeem, roll back, claim, issue and list."""

import uuid
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from config.base import clock, money
from config.base.api import cursors
from config.base.api.cursors import ParameterInvalidError
from config.base.api.reading import ObjectReader
from config.base.names import name_of
from members.api import reading
from members.api.idempotency import idempotent
from members.api.views import BODY, PATH, PRESENCE_KEYS, TouchpointEndpoint, member_of
from members.models import Touchpoint
from rewards import coupon_words
from rewards.api import facts, openapi_coupons, parsing
from rewards.api.carts import line_json
from rewards.api.coupon_misses import asker_of, counts_misses
from rewards.api.naming import member_named
from rewards.domain import coupon_codes
from rewards.models import Coupon, CouponTemplate, CouponUse
from rewards.services import coupon_misses, coupon_reading, coupon_redemption
from rewards.services.coupon_orders import reference_of
from rewards.services.coupon_reading import Check, Checked, CouponCart, Shopper
from rewards.services.coupon_redemption import Redeeming
from rewards.services.coupon_terms import terms_of
from rewards.services.rehearsal import Rehearsal

CART_KEYS = frozenset({"member", "identifier", "lines", "source", "store"})
VALIDATE_KEYS = CART_KEYS | {"codes"}
REDEEM_KEYS = CART_KEYS | PRESENCE_KEYS | {"code", "reference", "order_no"}
CLAIM_KEYS = frozenset({"template"})
ISSUE_KEYS = frozenset({"template", "count"})
ROLL_BACK_KEYS = frozenset[str]()
MAX_CODES = 20
MAX_TEMPLATE = 40
MAX_REFERENCE = 128
MAX_COUNT = 100


class ValidateCouponsView(TouchpointEndpoint):
    """Whether coupons can be used, alone or on a cart."""

    scopes = {"POST": "coupons:read"}
    member_token = {"POST": BODY}

    @openapi_coupons.post_validate
    def post(self, request: Request) -> Response:
        """Check codes together; nothing is set aside."""
        touchpoint = self.key_of(request).touchpoint
        reader = ObjectReader(request.data)
        reader.only(VALIDATE_KEYS)
        codes = reader.texts("codes", parsing.MAX_CODE_LENGTH, max_items=MAX_CODES)
        if not codes and not reader.errors:
            reader.note("codes", "empty", _("Must not be empty."))
        named = reading.member(reader)
        cart = _cart(reader, _source(reader), touchpoint)
        reader.finish()
        asker = asker_of(self, request)
        coupon_misses.check(asker, self.at())
        shopper = self._shopper(parsing.member_ref(named), touchpoint)
        check = coupon_reading.check(codes=codes, shopper=shopper, cart=cart, at=self.at())
        if check.unknown:
            coupon_misses.count(asker, check.unknown, self.at())
        return Response(check_json(check))

    def _shopper(self, named: Any, touchpoint: Touchpoint) -> Shopper:
        if named is None:
            return Shopper()
        member = member_named(named)
        rehearsal = Rehearsal(member=member, touchpoint=touchpoint, at=self.at())
        return Shopper(member, rehearsal.member_facts)


class RedeemCouponView(TouchpointEndpoint):
    """Using a coupon without an order, or before it is sent."""

    scopes = {"POST": "coupons:write"}
    member_token = {"POST": BODY}

    @openapi_coupons.post_redeem
    @idempotent(required=True)
    @counts_misses
    def post(self, request: Request) -> Response:
        """Use a coupon."""
        key = self.key_of(request)
        reader = ObjectReader(request.data)
        reader.only(REDEEM_KEYS)
        code = reader.text("code", parsing.MAX_CODE_LENGTH)
        named, source = reading.member(reader), _source(reader)
        cart, reference = _cart(reader, source, key.touchpoint), _reference(reader, source)
        proof = self.proof_of(reader)
        reader.finish()
        if source:
            facts.check_source(key.touchpoint, source)
        ref = parsing.member_ref(named)
        use = coupon_redemption.redeem(
            member=None if ref is None else member_named(ref),
            wanted=Redeeming(code, reference, cart, proof),
            touchpoint=key.touchpoint,
            at=self.at(),
            actor=key.actor,
        )
        return Response(use_json(use), status=201)


class RollBackCouponView(TouchpointEndpoint):
    """Giving the use of a coupon back."""

    scopes = {"POST": "coupons:write"}

    @openapi_coupons.post_rollback
    @idempotent(required=True)
    def post(self, request: Request, use_id: uuid.UUID) -> Response:
        """Give a use back; the coupon keeps its own expiry."""
        reader = ObjectReader(request.data)
        reader.only(ROLL_BACK_KEYS)
        reader.finish()
        actor = self.key_of(request).actor
        return Response(
            use_json(coupon_redemption.roll_back(use=use_id, at=self.at(), actor=actor))
        )


class MemberCouponsView(TouchpointEndpoint):
    """A member's coupons."""

    scopes = {"GET": "coupons:read", "POST": "coupons:write"}
    member_token = {"GET": PATH}

    @openapi_coupons.get_member_coupons
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return coupons, those made last first."""
        cursors.check_parameters(request.query_params, ("cursor", "limit", "live"))
        live = request.query_params.get("live", "false")
        if live not in {"true", "false"}:
            raise ParameterInvalidError("live")
        position = cursors.read(request.query_params.get("cursor"), 1)
        limit = cursors.limit_of(request.query_params)
        rows = coupon_reading.coupons_of(
            member_of(public_id).pk, at=self.at(), live=live == "true",
            before=position[0] if position else None, limit=limit,
        )  # fmt: skip
        page = cursors.page(rows, limit, lambda coupon: (coupon.pk,))
        return Response(page.to_json(self._coupon))

    @openapi_coupons.post_member_coupons
    @idempotent(required=True)
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Give a member coupons."""
        reader = ObjectReader(request.data)
        reader.only(ISSUE_KEYS)
        template = reader.text("template", MAX_TEMPLATE)
        count = reader.integer("count", 1, MAX_COUNT, required=False)
        reader.finish()
        issued = coupon_redemption.give(
            member=member_of(public_id).pk, template=template, count=count or 1, at=self.at(),
            actor=self.key_of(request).actor,
        )  # fmt: skip
        return Response({"issued": [self._coupon(coupon) for coupon in issued]}, status=201)

    def _coupon(self, coupon: Coupon) -> dict[str, Any]:
        return coupon_json(coupon, coupon.status_at(self.at()))


class ClaimCouponView(TouchpointEndpoint):
    """Members taking coupons that are there for them."""

    scopes = {"POST": "coupons:write"}
    member_token = {"POST": PATH}

    @openapi_coupons.post_claim
    @idempotent(required=True)
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Claim a coupon for a member."""
        reader = ObjectReader(request.data)
        reader.only(CLAIM_KEYS)
        template = reader.text("template", MAX_TEMPLATE)
        reader.finish()
        coupon = coupon_redemption.claim(
            member=member_of(public_id).pk, template=template, at=self.at(),
            actor=self.key_of(request).actor,
        )  # fmt: skip
        return Response(coupon_json(coupon, coupon.status_at(self.at())), status=201)


class ClaimableCouponsView(TouchpointEndpoint):
    """What a member may claim. Source: RWD-08."""

    scopes = {"GET": "coupons:read"}
    member_token = {"GET": PATH}

    @openapi_coupons.get_claimable
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return the templates of which the member may claim a coupon now."""
        cursors.check_parameters(request.query_params, ())
        member, at = member_of(public_id), self.at()
        touchpoint = self.key_of(request).touchpoint
        rehearsal = Rehearsal(member=member.pk, touchpoint=touchpoint, at=at)
        found = coupon_reading.claimable(member.pk, rehearsal.member_facts, at)
        return Response({"items": [template_json(template) for template in found]})


def _source(reader: ObjectReader) -> str:
    return reader.text("source", parsing.MAX_SOURCE_LENGTH, required=False)


def _cart(reader: ObjectReader, source: str, touchpoint: Touchpoint) -> CouponCart | None:
    """Return the cart, None where no lines are given."""
    store = reader.text("store", parsing.MAX_CODE_LENGTH, required=False)
    if reader.data.get("lines") is None:
        return None
    lines = reader.objects("lines", parsing.line, max_items=parsing.MAX_LINES)
    parsing.refuse_twice(reader, lines)
    return CouponCart(
        lines=tuple(sorted(lines, key=lambda line: line.line_no)),
        source=source,
        store=store,
        channel=touchpoint.channel,
    )


def _reference(reader: ObjectReader, source: str) -> str:
    """Return what the purchase is called: an order that will be sent, or by the till's own name."""
    reference = reader.text("reference", MAX_REFERENCE, required=False)
    order_no = reader.text("order_no", parsing.MAX_ORDER_NO_LENGTH, required=False)
    if not order_no:
        return reference
    if reference:
        reader.note("reference", "reference_or_order", _("Name the purchase once."))
    if not source:
        reader.note("source", "required", _("An order number belongs to a source."))
    return reference_of(source, order_no)


def check_json(check: Check) -> dict[str, Any]:
    """Return a check of coupons as the API shows it."""
    body: dict[str, Any] = {
        "usable": all(
            each.verdict is not None and each.verdict.is_usable for each in check.checked
        ),
        "coupons": [
            checked_json(each, on_cart=check.discount is not None) for each in check.checked
        ],
    }
    if check.discount is not None:
        body["discount"] = money.to_text(check.discount)
        body["lines"] = [line_json(line) for line in check.lines]
    return body


def checked_json(each: Checked, *, on_cart: bool) -> dict[str, Any]:
    """Return the verdict on one coupon; with a cart, what it takes off too."""
    if each.coupon is None or each.verdict is None:
        is_mistyped = coupon_codes.is_mistyped(coupon_codes.normalise(each.sent))
        code = "coupon_code_mistyped" if is_mistyped else "coupon_unknown"
        return {
            "code": each.sent, "usable": False, "reasons": coupon_words.rendered([{"code": code}])
        }  # fmt: skip
    body: dict[str, Any] = {
        "code": each.sent,
        "usable": each.verdict.is_usable,
        "reasons": coupon_words.rendered(each.verdict.reasons),
        **template_json(each.coupon.template),
        "expires_at": _time(each.coupon.expires_at),
    }
    if on_cart:
        body["discount"] = money.to_text(each.verdict.discount)
    return body


def template_json(template: CouponTemplate) -> dict[str, Any]:
    """Return what the coupons of a template are, in the reader's language."""
    return {
        "template": template.code,
        "name": name_of(template),
        "kind": template.kind,
        "worth": coupon_words.worth(terms_of(template)),
        "min_spend": money.to_text(terms_of(template).min_spend),
    }


def coupon_json(coupon: Coupon, status: str) -> dict[str, Any]:
    """Return a coupon as the API shows it."""
    return {
        "id": str(coupon.public_id),
        "code": coupon_codes.for_people(coupon.code),
        **template_json(coupon.template),
        "status": str(status),
        "issued_at": _time(coupon.issued_at),
        "valid_from": _time(coupon.valid_from),
        "expires_at": _time(coupon.expires_at),
    }


def use_json(use: CouponUse) -> dict[str, Any]:
    """Return the use of a coupon as the API shows it."""
    return {
        "id": str(use.public_id),
        "coupon": str(use.coupon.public_id),
        "code": coupon_codes.for_people(use.coupon.code),
        "template": use.coupon.template.code,
        "status": str(use.status),
        "reference": use.reference,
        "discount": None if use.discount is None else money.to_text(money.to_minor(use.discount)),
        "redeemed_at": _time(use.redeemed_at),
        "returned_at": _time(use.returned_at),
    }


def _time(at: Any) -> str | None:
    return None if at is None else clock.rfc3339(at)
