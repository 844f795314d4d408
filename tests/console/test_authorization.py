"""Every address of the console × every role: one without a row fails, a mutated role too."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from config.base.settings.environment import BASE_DIR
from config.wiring import roles
from config.wiring.capabilities import CAPABILITIES
from config.wiring.roles import BY_CODE, ROLES, Role
from tests.console import authorization
from tests.console.authorization import Cell, actions_of, cells, differences, listed
from tests.factories import console, members, staff

pytestmark = [pytest.mark.django_db, pytest.mark.req("STF-08", "ORG-01")]

# Given to roles, asked by services or inside pages, and no page's own permission.
NOT_OF_A_PAGE = {
    "members.add_approval", "members.assign_case", "campaigns.export_monthend",
    "campaigns.publish_templateversion",
}  # fmt: skip
# Ladders and policies are worked on by pages of their own; until then these wait.
WAITING_FOR_A_PAGE = {
    "rewards.add_rule", "rewards.change_rule", "rewards.change_ruleversion",
    "rewards.change_pointspolicy", "members.change_approval",
}  # fmt: skip
# What nobody but a superuser may do: whoever could, could give themselves the rest.
KEPT_BY_SUPERUSERS = {
    "auth.add_user", "auth.change_user", "auth.delete_user", "auth.add_group", "auth.change_group",
    "auth.delete_group", "members.add_staffauthority", "members.change_staffauthority",
    "members.add_roleauthority", "members.change_roleauthority", "members.add_apikey",
}  # fmt: skip
WRITES_OF_THE_GROUPS = ("benefits_operator", "data", "member_communication", "coordination")


@pytest.fixture(autouse=True)
def _nothing_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin.site, "each_context", lambda request: {})


def member_of(role: Role) -> User:
    return staff.person(f"in_{role.code}", role.code)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.code)
def test_each_role_opens_what_its_row_says(role: Role) -> None:
    assert differences(member_of(role), role.permissions, cells()) == []


def test_a_superuser_opens_all_that_is_offered_and_no_more() -> None:
    every = frozenset(
        f"{app}.{code}"
        for app, code in Permission.objects.values_list("content_type__app_label", "codename")
    )
    assert differences(console.staff(), every, cells()) == []


def test_staff_without_a_role_open_nothing_of_the_programme() -> None:
    assert differences(staff.person("new"), frozenset(), cells()) == []


def test_nobody_gets_in_without_logging_in(client: Client) -> None:
    for name, pattern in authorization.patterns():
        if name in {"login", "logout"}:
            continue
        if name in listed()["apart"] and name != "autocomplete":
            continue
        names = dict.fromkeys(pattern.pattern.converters, "0")
        names = names or {"app_label": "members"} if name == "app_list" else names
        space = "" if name.startswith("console_") else "admin:"
        answer = client.get(reverse(f"{space}{name}", kwargs=names))
        assert answer.status_code == 302, name
        assert reverse("admin:login") in answer["Location"], name


def test_an_address_that_is_not_listed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    data = {part: dict(rows) for part, rows in listed().items()}
    del data["pages"]["fulfilment"]
    monkeypatch.setattr(authorization, "listed", lambda: data)
    with pytest.raises(KeyError, match="fulfilment"):
        cells()


@pytest.mark.parametrize(
    ("code", "permission", "is_given", "found"),
    [
        ("service_agent", "rewards.add_entry", False, "GET points_adjustment"),
        ("finance", "rewards.change_redemption", True, "POST fulfilment"),
        ("auditor", "members.change_store", True, "POST members_store_change"),
    ],
)
def test_a_permission_that_is_changed_fails(
    code: str, permission: str, is_given: bool, found: str
) -> None:
    user = member_of(BY_CODE[code])
    app, codename = permission.split(".")
    row = Permission.objects.get(content_type__app_label=app, codename=codename)
    held = Group.objects.get(name=code).permissions
    change = held.add if is_given else held.remove
    change(row)
    about = [cell for cell in cells() if permission in cell.needs]
    assert found in differences(user, BY_CODE[code].permissions, about)


def test_every_permission_of_a_role_opens_something() -> None:
    """So that a role cannot gain or lose one without a cell that answers otherwise."""
    asked: set[str] = set()
    for cell in cells():
        look = {need for need in cell.needs if ".view_" in need}
        asked |= look or cell.needs
    asked |= {need for needs in listed()["actions"].values() for need in needs.split()}
    given = frozenset[str]().union(*(each.permissions for each in CAPABILITIES.values()))
    assert given - asked == NOT_OF_A_PAGE | WAITING_FOR_A_PAGE


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.code)
def test_each_role_is_offered_its_bulk_actions_only(role: Role) -> None:
    user, data = member_of(role), listed()
    for model, page in admin.site._registry.items():
        label = model._meta.label_lower
        app, name = label.split(".")
        expected = {
            action.removeprefix(f"{label}.")
            for action, needs in data["actions"].items()
            if action.startswith(f"{label}.") and set(needs.split()) & role.permissions
        }
        if "delete" in data["models"][label] and f"{app}.delete_{name}" in role.permissions:
            expected.add("delete_selected")
        assert actions_of(page, user) == expected, label


def completions() -> Iterator[tuple[dict[str, str], frozenset[str]]]:
    for model, page in admin.site._registry.items():
        for name in page.autocomplete_fields:
            of, remote = model._meta, model._meta.get_field(name).related_model
            assert isinstance(remote, type)
            app, kind = remote._meta.app_label, remote._meta.model_name
            look = frozenset({f"{app}.view_{kind}", f"{app}.change_{kind}"})
            asked = {"app_label": of.app_label, "model_name": str(of.model_name)}
            yield {**asked, "field_name": name}, look


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.code)
def test_completion_needs_the_permission_to_look(role: Role) -> None:
    (pattern,) = (p for name, p in authorization.patterns() if name == "autocomplete")
    user = member_of(role)
    found = list(completions())
    assert found
    for asked, needs in found:
        cell = Cell("autocomplete", "GET", needs, pattern, asked)
        assert authorization.opens(cell, user) is cell.opens_for(role.permissions), asked


@pytest.mark.parametrize("code", WRITES_OF_THE_GROUPS)
def test_none_of_the_four_groups_has_the_writes_of_another(code: str) -> None:
    def writes(role: str) -> set[str]:
        return {name for name in BY_CODE[role].permissions if ".view_" not in name}

    mine = writes(code)
    assert mine
    for other in set(WRITES_OF_THE_GROUPS) - {code}:
        assert not mine & writes(other)


def test_no_role_can_give_itself_more() -> None:
    for role in ROLES:
        assert not role.permissions & KEPT_BY_SUPERUSERS


def test_reading_roles_write_nothing() -> None:
    allowed = {
        "finance": {"campaigns.export_monthend", "campaigns.pay_payout"},
        "auditor": set(),
        "store_manager": set(),
    }
    writes = {
        code: {name for name in BY_CODE[code].permissions if ".view_" not in name}
        for code in allowed
    }
    assert writes == allowed


def test_the_document_says_what_the_code_does() -> None:
    assert roles.table() in (BASE_DIR / "docs" / "roles.md").read_text()


def test_roles_are_made_once_and_brought_back(db: None) -> None:
    roles.reset()
    group = Group.objects.get(name="finance")
    group.permissions.clear()
    assert roles.make_missing() == []
    assert not group.permissions.exists()
    roles.reset()
    assert {
        f"{app}.{code}"
        for app, code in group.permissions.values_list("content_type__app_label", "codename")
    } == BY_CODE["finance"].permissions
    Group.objects.filter(name="auditor").delete()
    assert roles.make_missing() == ["auditor"]


LEAKS = (
    {"user__password__startswith": "pbkdf2"}, {"member__profile__name_mask__startswith": "张"},
    {"_to_field": "password"}, {"_popup": "1", "_to_field": "secret_hash"},
    {"touchpoint__keys__secret_hash__gt": "0"},
)  # fmt: skip


@pytest.mark.parametrize("query", LEAKS)
def test_lists_do_not_filter_across_relations(client: Client, query: dict[str, str]) -> None:
    console.programme()
    members.member()
    client.force_login(staff.person("auditor", "auditor"))
    for label in ("members_staffauthority", "members_order", "members_apikey", "auth_user"):
        answer = client.get(reverse(f"admin:{label}_changelist"), query)
        assert answer.status_code in {302, 400}, label
