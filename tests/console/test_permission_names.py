"""Permissions are named in the language of whoever gives them; link tables are nobody's."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import translation

from members.admin.permissions import label_of
from tests.console.test_language import KEPT, WORD
from tests.factories import console, staff

pytestmark = [pytest.mark.django_db, pytest.mark.req("STF-08")]

ZH = {"accept-language": "zh-hans"}


def options(html: str, name: str) -> list[str]:
    found = re.search(rf'<select[^>]*name="{name}".*?</select>', html, re.DOTALL)
    assert found
    return re.findall(r"<option[^>]*>([^<]+)</option>", found[0])


def permissions() -> QuerySet[Permission]:
    return Permission.objects.select_related("content_type")


def test_every_permission_is_named_in_chinese(client: Client) -> None:
    client.force_login(console.staff())
    group = Group.objects.get_or_create(name="service_lead")[0]
    page = client.get(reverse("admin:auth_group_change", args=[group.pk]), headers=ZH)
    named = options(page.text, "permissions")
    wrong = {label for label in named if set(WORD.findall(label)) - KEPT}
    assert len(named) == permissions().count() > 300
    assert wrong == set()
    assert "会员 · 工单 · 可处理工单" in named


def test_a_permission_says_what_it_is_about_and_what_it_allows() -> None:
    found = {row.codename: row for row in permissions()}
    with translation.override("en"):
        said = label_of(found["view_order"]), label_of(found["move_order"])
    assert said[0].endswith("· order · View")
    assert said[1].endswith("· Can move an order to another member")


def test_the_name_of_a_table_that_is_gone_is_that_of_its_row() -> None:
    row = permissions().filter(codename="view_order").get()
    row.content_type.model = "gone"
    row.content_type.app_label = "past"
    assert label_of(row) == "past · Can view order"


def test_who_may_only_look_reads_the_same_names(client: Client) -> None:
    user = staff.person("mei", "auditor")
    client.force_login(user)
    group = Group.objects.get(name="service_agent")
    page = client.get(reverse("admin:auth_group_change", args=[group.pk]), headers=ZH)
    assert "可处理工单" in page.text
    assert "Can " not in page.text
    assert page.text.count("可处理工单") == 1


def test_who_may_change_a_role_sees_its_permissions_once(client: Client) -> None:
    staff.person("mei", "service_agent")
    client.force_login(console.staff())
    group = Group.objects.get(name="service_agent")
    page = client.get(reverse("admin:auth_group_change", args=[group.pk]), headers=ZH)
    assert page.text.count("可处理工单") == 1


def test_deleting_a_group_lists_no_rows_of_link_tables(client: Client) -> None:
    client.force_login(console.staff())
    staff.person("mei", "service_agent")
    group = Group.objects.get(name="service_agent")
    page = client.get(reverse("admin:auth_group_delete", args=[group.pk]))
    assert page.status_code == 200
    assert "object (" not in page.text
    assert "Group_permissions" not in page.text
    client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert not Group.objects.filter(pk=group.pk).exists()
