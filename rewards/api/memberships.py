"""Paid memberships: plans, buying, renewing, cancelling, refunding."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import cursors
from config.base.api.reading import ObjectReader
from members.api.idempotency import idempotent
from members.api.views import PATH, TouchpointEndpoint, member_of
from rewards.api import openapi_memberships
from rewards.services import membership_sales
from rewards.services.membership_sales import Sale
from tiers.api.representation import membership_json, plan_json
from tiers.models import MembershipPlan, PaidMembership
from tiers.services.memberships import Purchase

MAX_CODE_LENGTH = 40
MAX_REF_LENGTH = 128


class PlansView(TouchpointEndpoint):
    """What there is to buy. Source: BEN-16."""

    scopes = {"GET": "members:read"}

    @openapi_memberships.get_plans
    def get(self, request: Request) -> Response:
        """Return the plans that are on sale."""
        cursors.check_parameters(request.query_params, ())
        plans = MembershipPlan.objects.filter(is_active=True).select_related("tier")
        return Response({"plans": [plan_json(plan) for plan in plans.order_by("price", "code")]})


class MembershipsView(TouchpointEndpoint):
    """Memberships of one member. Source: BEN-16."""

    scopes = {"GET": "members:read", "POST": "memberships:write"}
    member_token = {"GET": PATH}

    @openapi_memberships.get_memberships
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return all that the member has bought, the latest first."""
        cursors.check_parameters(request.query_params, ())
        rows = PaidMembership.objects.filter(member=member_of(public_id))
        found = rows.select_related("plan__tier").order_by("-from_at", "-pk")
        return Response({"memberships": [membership_json(row) for row in found]})

    @openapi_memberships.post_membership
    @idempotent(required=True)
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Sell a plan to the member; the same purchase again is the same answer."""
        reader = ObjectReader(request.data)
        reader.only(frozenset({"plan", "purchase_ref"}))
        plan = reader.text("plan", MAX_CODE_LENGTH)
        ref = reader.text("purchase_ref", MAX_REF_LENGTH)
        reader.finish()
        purchase = _purchase(self, request, ref)
        sale = membership_sales.buy(member=member_of(public_id).pk, plan=plan, purchase=purchase)
        return _sold(sale)


class MembershipRenewView(TouchpointEndpoint):
    """The next period of a membership."""

    scopes = {"POST": "memberships:write"}

    @openapi_memberships.post_renew
    @idempotent(required=True)
    def post(self, request: Request, membership: uuid.UUID) -> Response:
        """Sell the next period; it begins where this one ends, or now if that is over."""
        reader = ObjectReader(request.data)
        reader.only(frozenset({"purchase_ref"}))
        ref = reader.text("purchase_ref", MAX_REF_LENGTH)
        reader.finish()
        purchase = _purchase(self, request, ref)
        return _sold(membership_sales.renew(membership=membership, purchase=purchase))


class MembershipCancelView(TouchpointEndpoint):
    """The end of renewing."""

    scopes = {"POST": "memberships:write"}

    @openapi_memberships.post_cancel
    @idempotent(required=True)
    def post(self, request: Request, membership: uuid.UUID) -> Response:
        """Let a membership run to its end; again is the same answer."""
        _nothing(request)
        row = membership_sales.cancel(
            membership=membership, at=self.at(), actor=self.key_of(request).actor
        )
        return Response(membership_json(row))


class MembershipRefundView(TouchpointEndpoint):
    """The price back, and the tier with it."""

    scopes = {"POST": "memberships:write"}

    @openapi_memberships.post_refund
    @idempotent(required=True)
    def post(self, request: Request, membership: uuid.UUID) -> Response:
        """Refund a membership within its days; `price` is what to give back."""
        _nothing(request)
        row = membership_sales.refund(
            membership=membership, at=self.at(), actor=self.key_of(request).actor
        )
        body = membership_json(row)
        return Response({**body, "refunded": body["price"]})


def _purchase(view: TouchpointEndpoint, request: Request, ref: str) -> Purchase:
    key = view.key_of(request)
    return Purchase(ref, key.touchpoint, view.at(), key.actor)


def _sold(sale: Sale) -> Response:
    body = {**membership_json(sale.membership), "issued": sale.issued}
    return Response(body, status=201 if sale.is_new else 200)


def _nothing(request: Request) -> None:
    reader = ObjectReader(request.data)
    reader.only(frozenset())
    reader.finish()
