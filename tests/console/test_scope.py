"""Staff of a unit see the members and orders of its stores, on every way in."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import models
from django.test import Client
from django.urls import reverse

from config.base import panels
from config.base.admin import scope
from config.wiring.panels import SUBJECTS
from members.admin.scope import store_path
from members.models import Approval, Case, Member, Order, Store
from rewards.models import Coupon
from rewards.services.adjustment import APPROVAL_KIND
from tests.factories import console, coupons, staff

pytestmark = [pytest.mark.django_db, pytest.mark.req("ORG-07")]

MINE, FOREIGN = "sh-01", "bj-01"
# Whose rows name nobody, so that there is nothing to narrow.
OF_NOBODY = {"members.StaffAuthority"}


@pytest.fixture(autouse=True)
def _fresh_figures() -> None:
    cache.clear()


def planted(code: str) -> Member:
    """Return a member of a store with a row in every list that we can fill quickly."""
    made = console.member()
    store = Store.objects.get_or_create(code=code)[0]
    Member.objects.filter(pk=made.pk).update(home_store=store)
    Order.objects.filter(member=made).update(store=store)
    coupons.coupon(made, at=console.AT)
    Approval.objects.create(
        kind=APPROVAL_KIND, member=made, payload={"points": 5}, reason="x",
        requested_by="staff:somebody", requested_at=console.AT,
    )  # fmt: skip
    return Member.objects.get(pk=made.pk)


@pytest.fixture
def shops() -> tuple[Member, Member]:
    """Return a member of a store of the visitor's, and one of another store."""
    console.programme()
    return planted(MINE), planted(FOREIGN)


@pytest.fixture
def manager() -> User:
    """Return somebody who may look at everything, in one district."""
    user = staff.person("manager", org_unit=staff.district(MINE))
    user.user_permissions.set(Permission.objects.exclude(codename__startswith="delete_"))
    return user


@pytest.fixture
def visitor(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def owned() -> Iterator[tuple[type[models.Model], str]]:
    for model in admin.site._registry:
        path = store_path(model)
        if path is not None:
            yield model, path


def test_no_list_page_or_completion_shows_a_foreign_row(
    visitor: Client, shops: tuple[Member, Member]
) -> None:
    request = visitor.get(reverse("admin:index")).wsgi_request
    shown = 0
    for model, path in owned():
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        theirs = model._default_manager.exclude(**{f"{path}__code": MINE})
        page = admin.site._registry[model]
        text = visitor.get(reverse(f"admin:{label}_changelist")).text
        for number in set(re.findall(rf"/{model._meta.model_name}/(\d+)/change/", text)):
            assert not theirs.filter(pk=number).exists(), label
            shown += 1
        row = theirs.first()
        if row is not None:
            address = reverse(f"admin:{label}_change", args=[row.pk])
            assert visitor.get(address).status_code in {302, 403, 404}, label
        assert not theirs.filter(pk__in=page.get_queryset(request).values("pk")).exists(), label
    assert shown > 20


def test_a_new_model_of_a_member_is_narrowed_without_being_told() -> None:
    ours = {"members", "tiers", "rewards", "campaigns"}
    loose = {
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in ours
        and any(field.name == "member" for field in model._meta.concrete_fields)
        and store_path(model) is None
    }
    assert loose == OF_NOBODY


def test_search_finds_nobody_of_another_store(
    visitor: Client, shops: tuple[Member, Member]
) -> None:
    mine, foreign = shops
    order = Order.objects.filter(member=foreign).latest("id")
    for list_ in ("members_member", "members_order", "rewards_entry", "rewards_coupon"):
        address = reverse(f"admin:{list_}_changelist")
        for term in (foreign.card_number, str(foreign.public_id), order.order_no):
            text = visitor.get(address, {"q": term}).text
            assert f"/{foreign.pk}/change/" not in text.replace(f"/order/{order.pk}/", "")
            assert "<td" not in text or foreign.card_number not in text
    own = reverse("admin:members_member_change", args=[mine.pk])
    assert visitor.post(reverse("admin:desk"), {"term": mine.card_number})["Location"] == own
    found = visitor.post(reverse("admin:desk"), {"term": foreign.card_number})
    assert (found.status_code, found.context["cards"]) == (200, [])


def test_completion_offers_nobody_of_another_store(
    visitor: Client, shops: tuple[Member, Member]
) -> None:
    mine, foreign = shops
    asked: dict[str, str] = {
        "app_label": "members",
        "model_name": "staffauthority",
        "field_name": "member",
    }
    for member, found in ((mine, 1), (foreign, 0)):
        answer = visitor.get(reverse("admin:autocomplete"), {**asked, "term": member.card_number})
        assert len(answer.json()["results"]) == found


def test_the_member_page_shows_only_orders_of_the_own_stores(
    visitor: Client, shops: tuple[Member, Member]
) -> None:
    mine, _foreign = shops
    elsewhere = Order.objects.filter(member=mine).latest("id")
    shop = Store.objects.get(code=FOREIGN)
    Order.objects.filter(pk=elsewhere.pk).update(store=shop, net_amount=Decimal("98765.43"))
    page = reverse("admin:members_member_change", args=[mine.pk])
    here = Order.objects.filter(member=mine).exclude(pk=elsewhere.pk).latest("id")
    text = visitor.get(page).text
    assert reverse("admin:members_order_change", args=[here.pk]) in text
    assert "98,765.43" not in text


def test_no_page_opens_for_a_foreign_row(visitor: Client, shops: tuple[Member, Member]) -> None:
    mine, foreign = shops
    arguments = {
        "redemption_id": 0, "coupon_id": Coupon.objects.get(member=foreign).pk,
        "case_id": Case.objects.get(member=foreign).pk, "member_id": foreign.pk,
        "template_id": 1, "reward_id": 1, "verb": "cancel", "column": "issued", "export_id": 1,
        "upload_id": 1, "goal_id": 1, "group": "members", "month": "2026-03", "report_id": 1,
        "delivery_id": 1, "version_id": 1, "bulk_id": 1, "draft_id": 1,
        "tier_id": 1, "benefit_id": 1, "goodwill_id": 0, "segment_id": 1, "campaign_id": 1,
        "festival_id": 1, "act_id": 0, "message_id": 0, "code": "welcome",
        "prospect_id": 0, "offer_id": 1, "form_id": 1,
    }  # fmt: skip
    for page in panels.pages():
        names = re.findall(r"<\w+:(\w+)>", page.route)
        address = reverse(f"admin:{page.name}", kwargs={name: arguments[name] for name in names})
        status = visitor.get(address).status_code
        if set(names) & SUBJECTS.keys():
            assert status == 404, page.name
        else:
            assert status == (200 if page.is_scoped else 403), page.name
    own = reverse("admin:points_statement", args=[mine.pk])
    assert visitor.get(own).status_code == 200


def test_what_a_page_is_about_is_always_known() -> None:
    about_nobody = {
        "template_id", "reward_id", "verb", "column", "export_id", "upload_id", "goal_id", "group",
        "month", "report_id", "delivery_id", "version_id", "bulk_id", "draft_id", "tier_id",
        "benefit_id", "segment_id", "campaign_id", "festival_id", "code", "offer_id", "form_id",
    }  # fmt: skip
    names = {name for page in panels.pages() for name in re.findall(r"<\w+:(\w+)>", page.route)}
    assert names - about_nobody <= SUBJECTS.keys()


def test_a_request_about_a_foreign_member_is_not_decided(
    visitor: Client, shops: tuple[Member, Member]
) -> None:
    _mine, foreign = shops
    approval = Approval.objects.get(member=foreign)
    address = reverse("admin:members_approval_decide", args=[approval.pk])
    assert visitor.post(address, {"decision": "refuse"}).status_code == 404
    approval.refresh_from_db()
    assert approval.decided_at is None


def test_the_overview_shows_no_figures_of_the_whole(
    visitor: Client, shops: tuple[Member, Member]
) -> None:
    mine, foreign = shops
    text = visitor.get(reverse("admin:index"), headers={"accept-language": "en"}).text
    assert 'class="lc-figure"' not in text
    assert reverse("admin:today_charts") not in text
    assert visitor.get(reverse("admin:today_charts")).status_code == 403
    for member in (mine, foreign):
        card = " ".join(member.card_number[n : n + 4] for n in range(0, len(member.card_number), 4))
        assert card not in text


def test_a_unit_without_stores_sees_nothing(client: Client, shops: tuple[Member, Member]) -> None:
    empty = staff.person("nobody", "store_manager", org_unit=staff.district())
    client.force_login(empty)
    mine, _foreign = shops
    assert client.get(reverse("admin:members_member_changelist")).status_code == 200
    page = reverse("admin:members_member_change", args=[mine.pk])
    assert client.get(page).status_code in {302, 403, 404}


def test_who_has_no_unit_sees_all(client: Client, shops: tuple[Member, Member]) -> None:
    client.force_login(staff.person("agent", "service_agent"))
    for member in shops:
        page = reverse("admin:members_member_change", args=[member.pk])
        assert client.get(page).status_code == 200
    assert not scope.is_limited(client.get(reverse("admin:index")).wsgi_request)
