"""Every page of the console renders in both languages, with bounded queries."""

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from members.models import Member
from tests.factories import console

pytestmark = pytest.mark.django_db

LANGUAGES = ("zh-hans", "en")
LIST_QUERIES = 12
MEMBER_PAGE_QUERIES = 25

REGISTERED = sorted(
    (model._meta.app_label, model._meta.model_name or "") for model in admin.site._registry
)


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
    return client


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("model", REGISTERED, ids=".".join)
def test_every_list_opens_with_few_queries(
    visitor: Client,
    member: Member,
    model: tuple[str, str],
    language: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    address = reverse("admin:{}_{}_changelist".format(*model))
    with django_assert_max_num_queries(LIST_QUERIES):
        response = visitor.get(address, headers={"accept-language": language})
    assert response.status_code == 200
    assert f'lang="{language}"' in response.text


@pytest.mark.parametrize("model", REGISTERED, ids=".".join)
def test_the_first_row_of_every_list_opens(
    visitor: Client, member: Member, model: tuple[str, str]
) -> None:
    found = next(m for m in admin.site._registry if m._meta.label_lower == ".".join(model))
    row = found._default_manager.first()
    if row is None:
        pytest.skip("no such row in the small programme")
    response = visitor.get(reverse("admin:{}_{}_change".format(*model), args=[row.pk]))
    assert response.status_code == 200
