"""Every route × method × scope, taken from the resolver: a route without a row fails.

Each cell asserts the status and that a refused call has changed nothing.
"""

import uuid
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.fixtures import Settings

from campaigns.models import MessageTemplate, Purpose
from campaigns.services import sending
from config.base import clock
from config.base.api.views import Endpoint, NotFound
from members.api.views import TouchpointEndpoint
from members.domain.scopes import SCOPES
from members.domain.tokens import MEMBER_SCOPES
from members.models import IdempotencyKey, Member
from members.services import founding
from rewards.models import Coupon
from rewards.services import coupon_redemption
from rewards.services.coupon_redemption import Redeeming
from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import catalogue, coupons, feedback, members
from tests.messages import world as messages

pytestmark = pytest.mark.django_db

PUBLIC = {
    "api/v1/schema", "api/docs", "api/problems/<slug:code>", "api/v1/programme",
    "api/v1/inbound/<slug:code>",
}  # fmt: skip
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

Build = Callable[[Member], tuple[str, Any]]


def _order_path(suffix: str = "") -> str:
    return f"/orders/till/{bodies.number()}{suffix}"


def _with_mailbox(member: Member) -> str:
    key = ("email", "", f"{bodies.number('m')}@example.com")
    founding.attach([(member, [key])], at=clock.now())
    return f"/members/{member.public_id}"


def _reward() -> str:
    """Make a reward that costs nothing, so that anybody can have it."""
    return catalogue.reward(f"r-{bodies.number()}", 0, pieces=5).code


def _redeemed(member: Member) -> UUID:
    return catalogue.redeem(member, _reward(), at=clock.now()).redemption.public_id


def _held(member: Member) -> UUID:
    return catalogue.hold(member, _reward(), at=clock.now()).reservation.public_id


def _coupon(member: Member) -> Coupon:
    return coupons.coupon(member, at=clock.now())


def _coupon_use(member: Member) -> UUID:
    wanted = Redeeming(_coupon(member).code)
    return coupon_redemption.redeem(
        member=member.pk, wanted=wanted, touchpoint=None, at=clock.now(), actor="test"
    ).public_id


def _message(member: Member) -> UUID:
    """Owe a member a message, and send it to the inbox."""
    messages.template(f"t-{bodies.number()}", Purpose.SERVICE, messages.INBOX)
    code = MessageTemplate.objects.latest("pk").code
    message = messages.owe(member, code, bodies.number())
    sending.send_due(at=messages.NOON)
    return message.public_id


def _claimable() -> str:
    return coupons.template(is_claimable=True).code


# How to call each route with success, given a member; the scope is not repeated here.
ROWS: dict[tuple[str, str], Build] = {
    ("members", "POST"): lambda _m: ("/members", bodies.enrolment()),
    ("members/batch", "POST"): lambda _m: (
        "/members/batch",
        {"members": [bodies.enrolment()]},
    ),
    ("members/lookup", "POST"): lambda m: (
        "/members/lookup",
        {"kind": "card", "value": m.card_number},
    ),
    ("members/<uuid:public_id>", "GET"): lambda m: (f"/members/{m.public_id}", None),
    ("members/<uuid:public_id>", "PATCH"): lambda m: (
        f"/members/{m.public_id}",
        {"attributes": {"shoe_size": 39}},
    ),
    ("members/<uuid:public_id>/consents", "PUT"): lambda m: (
        f"/members/{m.public_id}/consents",
        {"consents": [{"purpose": "sms", "granted": True}]},
    ),
    ("members/<uuid:public_id>/messages", "GET"): lambda m: (
        f"/members/{m.public_id}/messages",
        None,
    ),
    ("members/<uuid:public_id>/messages/<uuid:message_id>/read", "POST"): lambda m: (
        f"/members/{m.public_id}/messages/{_message(m)}/read",
        {},
    ),
    ("messages/receipts", "POST"): lambda m: (
        "/messages/receipts",
        {
            "receipts": [
                {
                    "message": str(_message(m)),
                    "kind": "delivered",
                    "occurred_at": "2026-03-08T12:30:00+08:00",
                }
            ]
        },
    ),
    ("members/<uuid:public_id>/cases", "GET"): lambda m: (f"/members/{m.public_id}/cases", None),
    ("prospects", "POST"): lambda _m: (
        "/prospects",
        {"identifiers": [{"kind": "phone", "value": members.phone()}], "source": "landing"},
    ),
    ("cases", "POST"): lambda m: (
        "/cases",
        {"member": str(m.public_id), "kind": "enquiry", "title": "Opening hours?"},
    ),
    ("members/<uuid:public_id>/timeline", "GET"): lambda m: (
        f"/members/{m.public_id}/timeline",
        None,
    ),
    ("members/<uuid:public_id>/offers", "GET"): lambda m: (
        f"/members/{m.public_id}/offers",
        None,
    ),
    ("members/<uuid:public_id>/feedback", "GET"): lambda m: (
        f"/members/{m.public_id}/feedback",
        None,
    ),
    ("members/<uuid:public_id>/feedback/<uuid:form_id>", "PUT"): lambda m: (
        f"/members/{m.public_id}/feedback/{feedback.asked(m, at=clock.now()).form.public_id}",
        {"answers": {"q1": 9}},
    ),
    ("members/<uuid:public_id>/referral", "GET"): lambda m: (
        f"/members/{m.public_id}/referral",
        None,
    ),
    ("members/<uuid:public_id>/tier", "GET"): lambda m: (f"/members/{m.public_id}/tier", None),
    ("members/<uuid:public_id>/points", "GET"): lambda m: (
        f"/members/{m.public_id}/points",
        None,
    ),
    ("members/<uuid:public_id>/entries", "GET"): lambda m: (
        f"/members/{m.public_id}/entries",
        None,
    ),
    ("members/<uuid:public_id>/statements", "GET"): lambda m: (
        f"/members/{m.public_id}/statements?month=2026-01",
        None,
    ),
    ("members/<uuid:public_id>/adjustments", "POST"): lambda m: (
        f"/members/{m.public_id}/adjustments",
        {"points": 5, "reason": "goodwill"},
    ),
    ("members/<uuid:public_id>/summary", "GET"): lambda m: (
        f"/members/{m.public_id}/summary",
        None,
    ),
    ("members/<uuid:public_id>/check-ins", "POST"): lambda m: (
        f"/members/{m.public_id}/check-ins",
        {},
    ),
    ("members/verifications/<uuid:verification>", "POST"): lambda _m: (
        f"/members/verifications/{uuid.uuid4()}",
        {"same_person": True, "staff": "s"},
    ),
    ("members/<uuid:public_id>/token", "POST"): lambda m: (f"/members/{m.public_id}/token", {}),
    ("members/<uuid:public_id>/code", "POST"): lambda m: (f"/members/{m.public_id}/code", {}),
    ("members/<uuid:public_id>/otp", "POST"): lambda m: (f"{_with_mailbox(m)}/otp", {}),
    ("entries/<int:entry_id>/explanation", "GET"): lambda _m: ("/entries/1/explanation", None),
    ("facts/batch", "POST"): lambda m: (
        "/facts/batch",
        {
            "facts": [
                {
                    "type": "order",
                    "source": "till",
                    "order_no": bodies.number(),
                    **bodies.order(member=str(m.public_id)),
                }
            ]
        },
    ),
    ("interactions", "POST"): lambda m: (
        "/interactions",
        bodies.interaction(member=str(m.public_id)),
    ),
    ("quotes", "POST"): lambda m: (
        "/quotes",
        {"member": str(m.public_id), "currency": "CNY", "lines": [bodies.line()]},
    ),
    ("orders/<str:source>/<path:order_no>", "PUT"): lambda m: (
        _order_path(),
        bodies.order(member=str(m.public_id)),
    ),
    ("orders/<str:source>/<path:order_no>", "GET"): lambda _m: (_order_path(), None),
    ("orders/<str:source>/<path:order_no>/refunds", "POST"): lambda _m: (
        _order_path("/refunds"),
        bodies.refund(),
    ),
    ("orders/<str:source>/<path:order_no>/claim", "POST"): lambda m: (
        _order_path("/claim"),
        {"member": str(m.public_id)},
    ),
    ("webhooks", "GET"): lambda _m: ("/webhooks", None),
    ("webhooks", "POST"): lambda _m: (
        "/webhooks",
        {"url": "https://shop.example/loyalty", "kinds": ["tier.changed", "points.*"]},
    ),
    ("webhooks/<uuid:public_id>", "GET"): lambda m: (f"/webhooks/{m.public_id}", None),
    ("webhooks/<uuid:public_id>", "PATCH"): lambda m: (
        f"/webhooks/{m.public_id}",
        {"kinds": ["tier.changed"]},
    ),
    ("webhooks/<uuid:public_id>", "DELETE"): lambda m: (f"/webhooks/{m.public_id}", None),
    ("webhooks/<uuid:public_id>/rotate", "POST"): lambda m: (
        f"/webhooks/{m.public_id}/rotate",
        {},
    ),
    ("webhooks/<uuid:public_id>/test", "POST"): lambda m: (f"/webhooks/{m.public_id}/test", {}),
    ("webhooks/<uuid:public_id>/deliveries", "GET"): lambda m: (
        f"/webhooks/{m.public_id}/deliveries",
        None,
    ),
    ("webhooks/<uuid:public_id>/deliveries/<uuid:delivery_id>/replay", "POST"): lambda m: (
        f"/webhooks/{m.public_id}/deliveries/{m.public_id}/replay",
        {},
    ),
    ("members/<uuid:public_id>/benefits", "GET"): lambda m: (
        f"/members/{m.public_id}/benefits",
        None,
    ),
    ("members/<uuid:public_id>/benefits/<slug:code>/use", "POST"): lambda m: (
        f"/members/{m.public_id}/benefits/easy_returns/use",
        {},
    ),
    ("benefits/uses/<uuid:use>/give-back", "POST"): lambda m: (
        f"/benefits/uses/{m.public_id}/give-back",
        {},
    ),
    ("members/<uuid:public_id>/memberships", "GET"): lambda m: (
        f"/members/{m.public_id}/memberships",
        None,
    ),
    ("members/<uuid:public_id>/memberships", "POST"): lambda m: (
        f"/members/{m.public_id}/memberships",
        {"plan": "gold_plus", "purchase_ref": "W-1"},
    ),
    ("memberships/plans", "GET"): lambda _m: ("/memberships/plans", None),
    ("memberships/<uuid:membership>/renew", "POST"): lambda m: (
        f"/memberships/{m.public_id}/renew",
        {"purchase_ref": "W-2"},
    ),
    ("memberships/<uuid:membership>/cancel", "POST"): lambda m: (
        f"/memberships/{m.public_id}/cancel",
        {},
    ),
    ("memberships/<uuid:membership>/refund", "POST"): lambda m: (
        f"/memberships/{m.public_id}/refund",
        {},
    ),
    ("rewards", "GET"): lambda m: (f"/rewards?member={m.public_id}", None),
    ("rewards/<slug:code>", "GET"): lambda m: (
        f"/rewards/{_reward()}?member={m.public_id}",
        None,
    ),
    ("redemptions", "POST"): lambda m: (
        "/redemptions",
        {"member": str(m.public_id), "reward": _reward()},
    ),
    ("redemptions/<uuid:redemption_id>", "GET"): lambda m: (f"/redemptions/{_redeemed(m)}", None),
    ("redemptions/<uuid:redemption_id>/cancel", "POST"): lambda m: (
        f"/redemptions/{_redeemed(m)}/cancel",
        {},
    ),
    ("members/<uuid:public_id>/redemptions", "GET"): lambda m: (
        f"/members/{m.public_id}/redemptions",
        None,
    ),
    ("reservations", "POST"): lambda m: (
        "/reservations",
        {"member": str(m.public_id), "rewards": [{"reward": _reward()}]},
    ),
    ("reservations/<uuid:reservation_id>", "GET"): lambda m: (f"/reservations/{_held(m)}", None),
    ("reservations/<uuid:reservation_id>/capture", "POST"): lambda m: (
        f"/reservations/{_held(m)}/capture",
        {},
    ),
    ("reservations/<uuid:reservation_id>/release", "POST"): lambda m: (
        f"/reservations/{_held(m)}/release",
        {},
    ),
    ("coupons/validate", "POST"): lambda m: (
        "/coupons/validate",
        {"member": str(m.public_id), "codes": [_coupon(m).code]},
    ),
    ("coupons/redeem", "POST"): lambda m: (
        "/coupons/redeem",
        {"member": str(m.public_id), "code": _coupon(m).code},
    ),
    ("coupons/<uuid:use_id>/rollback", "POST"): lambda m: (
        f"/coupons/{_coupon_use(m)}/rollback",
        {},
    ),
    ("members/<uuid:public_id>/coupons", "GET"): lambda m: (
        f"/members/{m.public_id}/coupons",
        None,
    ),
    ("members/<uuid:public_id>/coupons", "POST"): lambda m: (
        f"/members/{m.public_id}/coupons",
        {"template": _coupon(m).template.code},
    ),
    ("members/<uuid:public_id>/coupons/claim", "POST"): lambda m: (
        f"/members/{m.public_id}/coupons/claim",
        {"template": _claimable()},
    ),
    ("members/<uuid:public_id>/coupons/claimable", "GET"): lambda m: (
        f"/members/{m.public_id}/coupons/claimable",
        None,
    ),
}  # fmt: skip

# Where a member token finds its member by a row, that is tested where the row is at home.
BY_ROW = {("entries/<int:entry_id>/explanation", "GET")}

# What a key with the scope gets where the row names nothing that exists.
NOTHING_THERE = {
    ("members/verifications/<uuid:verification>", "POST"),
    ("entries/<int:entry_id>/explanation", "GET"),
    ("orders/<str:source>/<path:order_no>", "GET"),
    ("orders/<str:source>/<path:order_no>/claim", "POST"),
    ("webhooks/<uuid:public_id>", "GET"),
    ("webhooks/<uuid:public_id>", "PATCH"),
    ("webhooks/<uuid:public_id>", "DELETE"),
    ("webhooks/<uuid:public_id>/rotate", "POST"),
    ("webhooks/<uuid:public_id>/test", "POST"),
    ("webhooks/<uuid:public_id>/deliveries", "GET"),
    ("webhooks/<uuid:public_id>/deliveries/<uuid:delivery_id>/replay", "POST"),
    ("benefits/uses/<uuid:use>/give-back", "POST"),
    ("members/<uuid:public_id>/memberships", "POST"),
    ("memberships/<uuid:membership>/renew", "POST"),
    ("memberships/<uuid:membership>/cancel", "POST"),
    ("memberships/<uuid:membership>/refund", "POST"),
}


def routes() -> Iterator[tuple[str, Any]]:
    """Return every route below /api/ with its view class."""

    def walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern) and route.startswith("api/"):
                view: Any = pattern.callback
                yield route, getattr(view, "cls", None) or getattr(view, "view_class", view)

    yield from walk(get_resolver().url_patterns, "")


def endpoints() -> list[tuple[str, str, str]]:
    """Return (route below v1, method, scope) of every endpoint for touchpoints."""
    found = []
    for route, view in routes():
        if isinstance(view, type) and issubclass(view, Endpoint) and not view.is_public:
            for method in METHODS:
                if view.offers(method):
                    short = route.removeprefix("api/v1/")
                    found.append((short, method, view.scopes.get(method, "")))
    return sorted(found)


ENDPOINTS = endpoints()
OURS = ("members", "tiers", "rewards", "campaigns")
TABLES = [m._meta.db_table for label in OURS for m in apps.get_app_config(label).get_models()]
COUNT_ROWS = f"SELECT {' + '.join(f'(SELECT count(*) FROM {table})' for table in TABLES)}"
ACCEPTS_TOKENS = {
    (route.removeprefix("api/v1/"), method)
    for route, view in routes()
    if isinstance(view, type) and issubclass(view, TouchpointEndpoint)
    for method in view.member_token
}


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    """Let mail be sent, into the test's own box."""
    settings.EMAIL_HOST = "mail.example.com"


def token_of(till: Caller, member: Member) -> Caller:
    """Return a caller with a member token that has every scope there is for one."""
    asked = {"scopes": list(MEMBER_SCOPES)}
    answer = till.post(f"/members/{member.public_id}/token", asked)
    return Caller(till.touchpoint, answer.body["token"])


def rows_written() -> int:
    """Return how many rows there are in the apps' tables."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_ROWS)
        return int(cursor.fetchone()[0])


def test_every_endpoint_has_a_row_and_a_known_scope() -> None:
    assert {(route, method) for route, method, _scope in ENDPOINTS} == set(ROWS)
    assert {scope for _route, _method, scope in ENDPOINTS} <= set(SCOPES)


def test_what_is_public_is_listed() -> None:
    found = set()
    for route, view in routes():
        is_ours = isinstance(view, type) and issubclass(view, Endpoint)
        if view is not NotFound and (not is_ours or view.is_public):
            found.add(route)
    assert found == PUBLIC


@pytest.mark.parametrize(("route", "method", "scope"), ENDPOINTS)
def test_without_a_key_nothing_happens(till: Caller, route: str, method: str, scope: str) -> None:
    path, _body = ROWS[route, method](members.member())
    before = rows_written()
    response = Client().generic(
        method, f"/api/v1{path}", content_type="application/json", data=b"{}"
    )
    assert response.status_code == 401
    assert rows_written() == before


@pytest.mark.parametrize(("route", "method", "scope"), ENDPOINTS)
def test_with_every_other_scope_nothing_happens(
    caller: Callable[..., Caller], route: str, method: str, scope: str
) -> None:
    till = caller(*(set(SCOPES) - {scope}))
    path, body = ROWS[route, method](members.member())
    before = rows_written()
    answer = till.call(method, path, body, Idempotency_Key="k")
    assert (answer.status, answer.code) == (403, "scope_missing")
    assert answer.body["scope"] == scope
    assert rows_written() == before


@pytest.mark.parametrize(("route", "method", "scope"), ENDPOINTS)
def test_with_the_scope_alone_it_is_done(
    caller: Callable[..., Caller], route: str, method: str, scope: str
) -> None:
    till = caller(scope)
    path, body = ROWS[route, method](members.member())
    answer = till.call(method, path, body, Idempotency_Key="k")
    if (route, method) in NOTHING_THERE:
        assert answer.status == 404
    else:
        assert answer.status < 300, answer.body


def test_what_earns_or_enrols_never_accepts_member_tokens() -> None:
    for never in (
        ("orders/<str:source>/<path:order_no>", "PUT"),
        ("orders/<str:source>/<path:order_no>/refunds", "POST"),
        ("orders/<str:source>/<path:order_no>/claim", "POST"),
        ("interactions", "POST"),
        ("members/<uuid:public_id>/check-ins", "POST"),
        ("facts/batch", "POST"),
        ("members", "POST"),
        ("members/batch", "POST"),
        ("members/lookup", "POST"),
        ("members/<uuid:public_id>", "PATCH"),
        ("members/<uuid:public_id>/adjustments", "POST"),
        ("members/<uuid:public_id>/token", "POST"),
    ):
        assert never in ROWS
        assert never not in ACCEPTS_TOKENS


@pytest.mark.parametrize(("route", "method", "scope"), ENDPOINTS)
def test_a_member_token_does_what_is_its_members(
    till: Caller, route: str, method: str, scope: str
) -> None:
    member = members.member()
    path, body = ROWS[route, method](member)
    shopper = token_of(till, member)
    before = rows_written()
    answer = shopper.call(method, path, body, Idempotency_Key="k")
    if (route, method) not in ACCEPTS_TOKENS:
        assert (answer.status, answer.code) == (403, "token_not_accepted")
        assert rows_written() == before
    elif (route, method) in NOTHING_THERE:
        assert answer.status == 404
    else:
        assert answer.status < 300, answer.body


@pytest.mark.parametrize(("route", "method"), sorted(ACCEPTS_TOKENS - BY_ROW))
def test_a_member_token_of_another_member_does_nothing(
    till: Caller, route: str, method: str
) -> None:
    path, body = ROWS[route, method](members.member())
    shopper = token_of(till, members.member())
    before = rows_written() - IdempotencyKey.objects.count()
    answer = shopper.call(method, path, body, Idempotency_Key="k")
    assert (answer.status, answer.code) == (403, "token_other_member")
    # What a row says is found out inside the command, whose refusal is an answer to be kept.
    assert rows_written() - IdempotencyKey.objects.count() == before
