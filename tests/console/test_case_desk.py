"""The case desk: registered, queued, worked on and handed over, each by those who may."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base import clock
from members.models import Case, CaseNote, CaseState, Member
from members.services import cases, service_levels
from members.services.cases import NewCase
from tests.factories import console, members
from tiers.models import Benefit, EntitlementUse
from tiers.services import entitlements

pytestmark = pytest.mark.django_db

# One of them reads the brand, which a process reads once.
DESK_QUERIES = 13
CASE_QUERIES = 12
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def member() -> Member:
    console.programme()
    service_levels.load_defaults()
    return members.member(("phone", members.phone(), ""), name="张小明", at=console.AT)


def staff(name: str, *permissions: str) -> User:
    user = console.staff(name, is_superuser=False)
    found = Permission.objects.filter(codename__in=permissions)
    assert found.count() == len(permissions)
    user.user_permissions.set(found)
    return user


@pytest.fixture
def agent() -> User:
    seen = ("view_case", "view_member", "view_standing", "view_entitlement")
    return staff("agent", "work_case", *seen)


@pytest.fixture
def desk(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def opened(member: Member, title: str = "包裹破损", **values: int) -> Case:
    new = NewCase(member_id=member.pk, kind="complaint", channel="cs", title=title, text=HOSTILE)
    return cases.register(new=new, at=clock.now(), actor="staff:x", **values)


def page_of(case: Case) -> str:
    return reverse("admin:members_case_change", args=[case.pk])


@pytest.mark.req("SVC-02", "SVC-10")
def test_a_case_is_taken_down_from_the_member_page(desk: Client, member: Member) -> None:
    address = reverse("admin:case_register", args=[member.pk])
    page = desk.get(reverse("admin:members_member_change", args=[member.pk]))
    assert address in page.text
    body = {
        "kind": "enquiry",
        "channel": "cs",
        "title": "何时发货",
        "text": "订单 12",
        "is_mine": "on",
    }
    answer = desk.post(address, body)
    case = Case.objects.get()
    assert answer["Location"] == page_of(case)
    assert (case.kind, case.state, case.owner and case.owner.username) == (
        "enquiry", CaseState.IN_PROGRESS, "agent",
    )  # fmt: skip
    shown = desk.get(page_of(case)).text
    assert "何时发货" in shown
    assert "订单 12" in shown
    listed = desk.get(reverse("admin:members_member_change", args=[member.pk])).text
    assert "何时发货" in listed
    assert desk.post(address, {**body, "title": "", "kind": "system"}).status_code == 200
    assert Case.objects.count() == 1


@pytest.mark.req("SVC-02")
def test_a_case_is_worked_through_on_its_page(desk: Client, member: Member, agent: User) -> None:
    case = opened(member)
    shown = desk.get(page_of(case)).text
    assert HOSTILE not in shown
    assert "&lt;script&gt;" in shown
    for act, state in (
        ("take", CaseState.IN_PROGRESS), ("note", CaseState.IN_PROGRESS),
        ("wait", CaseState.WAITING_MEMBER), ("hear", CaseState.IN_PROGRESS),
        ("reply", CaseState.IN_PROGRESS), ("resolve", CaseState.RESOLVED),
        ("reopen", CaseState.IN_PROGRESS), ("close", CaseState.CLOSED),
    ):  # fmt: skip
        assert desk.post(page_of(case), {"act": act, "text": f"说 {act}"}).status_code == 302
        case.refresh_from_db()
        assert case.state == state, act
    assert case.owner == agent
    shown = desk.get(page_of(case)).text
    assert all(f"说 {act}" in shown for act in ("note", "wait", "hear", "reply", "resolve"))
    desk.post(page_of(case), {"act": "resolve", "text": "x"})
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED, "what the state refuses is not done"
    assert desk.post(page_of(case), {"act": "burn", "text": "x"}).status_code == 404


@pytest.mark.req("BEN-05")
def test_the_queue_shows_the_most_pressing_first_within_its_queries(
    desk: Client, member: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    address = reverse("admin:case_desk")
    opened(member, "普通")
    Member.objects.filter(pk=member.pk).update(service_level=3)
    urgent = opened(member, "紧急")
    for number in range(4):
        opened(members.member(), f"其他 {number}")
    with django_assert_max_num_queries(DESK_QUERIES):
        text = desk.get(address, {"queue": "unassigned"}).text
    assert text.index("紧急") < text.index("普通")
    answer = desk.post(address)
    assert answer["Location"] == page_of(urgent)
    assert "紧急" in desk.get(address).text
    for queue in ("mine", "unassigned", "breached", "waiting", "all", "odd"):
        assert desk.get(address, {"queue": queue}).status_code == 200


@pytest.mark.req("SVC-02")
def test_what_is_late_is_seen_at_the_desk_and_on_the_start_page(
    client: Client, member: Member
) -> None:
    client.force_login(console.staff())
    case = opened(member)
    assert "包裹破损" not in client.get(reverse("admin:case_desk"), {"queue": "breached"}).text
    due = clock.now() - timedelta(hours=1)
    Case.objects.filter(pk=case.pk).update(first_response_due_at=due)
    text = client.get(
        reverse("admin:case_desk"), {"queue": "breached"}, headers={"accept-language": "en"}
    ).text
    assert "包裹破损" in text
    assert "1 hour late" in text
    start = client.get(reverse("admin:index"), headers={"accept-language": "en"}).text
    assert "Cases that are late" in start


def test_the_page_of_a_case_costs_the_same_however_long_it_is(
    desk: Client, member: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    case = opened(member)
    for number in range(9):
        cases.note(case_id=case.pk, text=f"n{number}", at=clock.now(), actor="staff:x")
    desk.get(page_of(case))
    with django_assert_max_num_queries(CASE_QUERIES):
        assert "n8" in desk.get(page_of(case)).text


def test_only_who_may_works_on_and_assigns_cases(client: Client, member: Member) -> None:
    case, other = opened(member), staff("other", "view_case", "work_case")
    client.force_login(staff("reader", "view_case"))
    assert client.get(page_of(case)).status_code == 200
    assert client.post(page_of(case), {"act": "note", "text": "x"}).status_code == 403
    assert client.post(reverse("admin:case_desk")).status_code == 403
    register = reverse("admin:case_register", args=[member.pk])
    assert client.get(register).status_code == 403
    client.force_login(other)
    give = {"act": "assign", "owner": str(other.pk), "reason": "r"}
    assert client.post(page_of(case), give).status_code == 403
    client.force_login(staff("nobody"))
    assert client.get(page_of(case)).status_code == 403
    assert client.get(reverse("admin:case_desk")).status_code == 403
    assert not CaseNote.objects.exists()
    client.force_login(staff("lead", "view_case", "assign_case"))
    assert client.post(page_of(case), give).status_code == 302
    case.refresh_from_db()
    assert (case.owner, case.state) == (other, CaseState.IN_PROGRESS)
    assert client.post(page_of(case), {"act": "assign", "owner": "0"}).status_code == 404
    client.post(page_of(case), {"act": "assign", "owner": ""})
    case.refresh_from_db()
    assert (case.owner, case.state) == (None, CaseState.OPEN)


@pytest.mark.req("BEN-10")
def test_a_bespoke_service_is_for_who_has_the_benefit(
    client: Client, desk: Client, member: Member
) -> None:
    benefit = Benefit.objects.create(
        code="bespoke_service", name_zh="定制化服务", name_en="Bespoke service"
    )
    address = reverse("admin:service_request", args=[member.pk])
    body = {"channel": "cs", "title": "刻字", "text": "生日"}
    assert desk.post(address, body).status_code == 200
    assert desk.post(address, {**body, "is_favour": "on"}).status_code == 200
    assert not Case.objects.exists()
    assert address not in desk.get(reverse("admin:members_member_change", args=[member.pk])).text

    entitlements.grant(
        member=member.pk, benefit=benefit, quota=1, period="term", from_at=console.AT,
        until_at=None, source="staff", source_ref="1",
    )  # fmt: skip
    assert desk.post(address, body).status_code == 302
    case = Case.objects.get()
    assert (case.kind, case.priority) == ("service_request", 3)
    assert case.resolve_due_at is not None
    assert EntitlementUse.objects.count() == 1
    assert desk.post(address, body).status_code == 200, "the quota is used up"
    assert Case.objects.count() == 1

    client.force_login(staff("lead", "view_case", "work_case", "assign_case"))
    assert client.post(address, {**body, "is_favour": "on"}).status_code == 302
    assert (Case.objects.count(), EntitlementUse.objects.count()) == (2, 1)


@pytest.mark.req("BEN-09")
def test_a_dedicated_agent_is_chosen_seen_and_handed_over(
    client: Client, member: Member, agent: User
) -> None:
    agent.last_name, agent.first_name = "李", "娜"
    agent.save()
    heir = staff("heir", "work_case")
    client.force_login(console.staff("boss"))
    address = reverse("admin:member_agent", args=[member.pk])
    assert client.post(address, {"agent": str(agent.pk)}).status_code == 302
    page = reverse("admin:members_member_change", args=[member.pk])
    assert "李娜" in client.get(page).text
    assert client.post(address, {"agent": "0"}).status_code == 200
    hand_over = reverse("admin:auth_user_hand_over", args=[agent.pk])
    assert client.get(hand_over).status_code == 200
    assert client.post(hand_over, {"agent": ""}).status_code == 302
    member.refresh_from_db()
    assert member.account_manager == heir
    client.force_login(agent)
    assert client.get(address).status_code == 403
    assert client.post(hand_over, {"agent": ""}).status_code == 403
