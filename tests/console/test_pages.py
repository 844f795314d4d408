"""Every page of the console renders in both languages, with bounded queries."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base.settings.environment import BASE_DIR
from members.models import Member
from tests.factories import console

pytestmark = pytest.mark.django_db

LANGUAGES = ("zh-hans", "en")
LIST_QUERIES = 15

# By app, as a visitor and a member for each model would cost more than the pages.
APPS = sorted({model._meta.app_label for model in admin.site._registry})


@pytest.fixture(autouse=True)
def _fresh_figures() -> None:
    cache.clear()


@pytest.fixture
def member() -> Member:
    console.programme()
    return console.member()


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(console.staff())
    # The first page of a session notes when it began.
    client.get(reverse("admin:jsi18n"))
    return client


def pages_of(app: str) -> list[tuple[Any, str]]:
    """Return the pages of an app's models, and the names that their addresses begin with."""
    return [
        (page, f"admin:{app}_{model._meta.model_name}")
        for model, page in admin.site._registry.items()
        if model._meta.app_label == app
    ]


@pytest.mark.parametrize("app", APPS)
def test_every_list_opens_with_few_queries(
    visitor: Client,
    member: Member,
    app: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _page, name in pages_of(app):
        for language in LANGUAGES:
            with django_assert_max_num_queries(LIST_QUERIES, info=name):
                response = visitor.get(
                    reverse(f"{name}_changelist"), headers={"accept-language": language}
                )
            assert response.status_code == 200, name
            assert f'lang="{language}"' in response.text


def test_the_first_row_of_every_list_opens(visitor: Client, member: Member) -> None:
    opened = 0
    for model in admin.site._registry:
        row = model._default_manager.first()
        if row is None:
            continue
        label = (model._meta.app_label, model._meta.model_name)
        response = visitor.get(reverse("admin:{}_{}_change".format(*label), args=[row.pk]))
        assert response.status_code == 200, label
        opened += 1
    assert opened > 20


@pytest.mark.parametrize("app", APPS)
def test_an_add_page_opens_or_is_refused(visitor: Client, app: str) -> None:
    for page, name in pages_of(app):
        response = visitor.get(reverse(f"{name}_add"))
        may_add = page.has_add_permission(response.wsgi_request)
        assert response.status_code == (200 if may_add else 403), name


def test_every_model_of_the_programme_has_a_page() -> None:
    ours = {"config", "members", "tiers", "rewards", "campaigns"}
    missing = {
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in ours and model not in admin.site._registry
    }
    assert not missing


def test_nothing_that_services_write_can_be_written_here(visitor: Client) -> None:
    request = visitor.get(reverse("admin:index")).wsgi_request
    for label in (
        "members.Member",
        "members.Order",
        "rewards.Entry",
        "rewards.Lot",
        "rewards.PointsAccount",
        "tiers.Standing",
        "members.ReceivedFact",
    ):
        page = admin.site._registry[apps.get_model(label)]
        assert not page.has_add_permission(request)
        assert not page.has_change_permission(request)
        assert not page.has_delete_permission(request)


@pytest.mark.parametrize("app", APPS)
def test_searching_any_list_is_answered(visitor: Client, app: str, rf: RequestFactory) -> None:
    user = visitor.get(reverse("admin:jsi18n")).wsgi_request.user
    for page, name in pages_of(app):
        for term in ("13800138000", "x' OR 1=1", "%", "6" * 16):
            request = rf.get(reverse(f"{name}_changelist"), {"q": term})
            request.user, request.session = user, visitor.session
            answer = page.changelist_view(request)
            assert answer.status_code == 200, (name, term)
            # What is found, without the page around it: that is tested above.
            list(answer.context_data["cl"].result_list)


def test_the_catalogue_is_complete() -> None:
    for path in (BASE_DIR / "locale").rglob("zh_Hans/**/django.po"):
        entries = path.read_text().split("\n\n")[1:]
        assert entries
        assert not [entry for entry in entries if entry.rstrip().endswith(' ""')]
        assert "fuzzy" not in path.read_text()
