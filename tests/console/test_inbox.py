"""The approvals inbox: what waits for whom, what it would change, and taking a request back."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base import clock
from config.wiring import panels
from members.models import Approval, Member, StaffAuthority
from members.models.staff import ApprovalState
from members.services import approvals
from members.services.authority import OwnAccountError
from rewards.models import PointsAccount, StaffBudget
from rewards.services import adjustment
from tests.factories import console, members, staff
from tiers.models import Tier
from tiers.services import standing

pytestmark = pytest.mark.django_db

INBOX_QUERIES, QUERIES_OF_EACH = 10, 4


@pytest.fixture(autouse=True)
def _kinds() -> None:
    panels.install()


@pytest.fixture
def member() -> Member:
    console.programme()
    return members.member(at=console.AT)


@pytest.fixture
def agent() -> User:
    return staff.person("agent", "service_agent")


@pytest.fixture
def lead() -> User:
    return staff.person("lead", "service_lead")


def ask(agent: User, member: Member, points: int = 600) -> Approval:
    asked = adjustment.adjust_by_staff(
        user_id=agent.pk, member=member.pk, points=points, reason="投诉安抚", at=clock.now(),
        actor=f"staff:{agent.username}",
    )  # fmt: skip
    assert isinstance(asked, Approval)
    return asked


def override(member: Member) -> Approval:
    terms = standing.OverrideTerms(
        member.pk, Tier.objects.get(code="gold").pk, clock.now().replace(year=2099), "VIP"
    )
    return standing.request_override(terms=terms, actor="staff:somebody", at=clock.now())


def inbox(client: Client, user: User, show: str = "") -> str:
    client.force_login(user)
    address = reverse("admin:approvals_inbox")
    return client.get(address, {"show": show}, headers={"accept-language": "en"}).text


def decide_address(approval: Approval) -> str:
    return reverse("admin:members_approval_decide", args=[approval.pk])


@pytest.mark.req("PTS-15", "STF-02")
def test_a_lead_finds_what_waits_with_what_it_changes(
    client: Client, member: Member, agent: User, lead: User
) -> None:
    approval = ask(agent, member)
    text = inbox(client, lead)
    assert decide_address(approval) in text
    assert 'Available points: 0 → <span class="lc-strong">600</span>' in text
    assert 'of 2,000 alone: 0 → <span class="lc-strong">600</span>' in text
    client.post(decide_address(approval), {"decision": "approve"})
    assert PointsAccount.objects.get(member=member).available == 600
    assert decide_address(approval) not in inbox(client, lead)
    assert "投诉安抚" in inbox(client, lead, "decided")


def test_nobody_finds_kinds_that_are_not_theirs_to_decide(
    client: Client, member: Member, lead: User
) -> None:
    approval = override(member)
    assert decide_address(approval) not in inbox(client, lead)
    assert client.post(decide_address(approval), {"decision": "approve"}).status_code == 403
    manager = staff.person("manager", "programme_manager")
    text = inbox(client, manager)
    assert decide_address(approval) in text
    assert 'Tier: Basic → <span class="lc-strong">Gold</span>' in text


def test_makers_find_their_own_and_take_them_back(
    client: Client, member: Member, agent: User
) -> None:
    approval = ask(agent, member)
    assert decide_address(approval) not in inbox(client, agent)
    assert decide_address(approval) in inbox(client, agent, "mine")
    assert client.get(decide_address(approval)).status_code == 200
    client.post(decide_address(approval), {"decision": "approve"})
    approval.refresh_from_db()
    assert approval.state == ApprovalState.REQUESTED
    client.post(decide_address(approval), {"decision": "withdraw"})
    approval.refresh_from_db()
    assert (approval.state, approval.decided_by) == (ApprovalState.WITHDRAWN, "staff:agent")
    assert set(StaffBudget.objects.values_list("points", flat=True)) == {0}


def test_only_its_maker_takes_a_request_back(member: Member, agent: User) -> None:
    approval = ask(agent, member)
    with pytest.raises(approvals.ApprovalError, match="approval_not_own"):
        approvals.withdraw(approval_id=approval.pk, actor="staff:lead", at=clock.now())
    approvals.withdraw(approval_id=approval.pk, actor="staff:agent", at=clock.now())
    with pytest.raises(approvals.ApprovalError, match="approval_decided"):
        approvals.approve(approval_id=approval.pk, actor="staff:lead", at=clock.now())


@pytest.mark.req("STF-02")
def test_nobody_decides_about_their_own_account(member: Member, agent: User, lead: User) -> None:
    StaffAuthority.objects.create(user=lead, member=member)
    approval = ask(agent, member)
    for decide in (approvals.approve, approvals.refuse):
        with pytest.raises(OwnAccountError, match="own_account"):
            decide(approval_id=approval.pk, actor="staff:lead", at=clock.now())
    with pytest.raises(OwnAccountError):
        approvals.request(
            kind=standing.APPROVAL_KIND, member_id=member.pk, payload={}, reason="x",
            actor=f"staff:#{lead.pk}", at=clock.now(),
        )  # fmt: skip
    approval.refresh_from_db()
    assert approval.state == ApprovalState.REQUESTED


def test_the_menu_counts_what_waits(
    client: Client, member: Member, agent: User, lead: User
) -> None:
    badge = '<span class="lc-badge warning" style="margin-left: auto">'
    assert badge not in inbox(client, lead)
    ask(agent, member)
    assert f"{badge}1</span>" in inbox(client, lead)
    assert badge not in inbox(client, agent)


def test_the_inbox_is_refused_to_who_has_nothing_to_do_with_requests(client: Client) -> None:
    client.force_login(staff.person("finance", "finance"))
    assert client.get(reverse("admin:approvals_inbox")).status_code == 403


def test_each_request_costs_few_queries(
    client: Client,
    member: Member,
    agent: User,
    lead: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _number in range(2):
        ask(agent, member)
    client.force_login(lead)
    with django_assert_max_num_queries(INBOX_QUERIES + 2 * QUERIES_OF_EACH):
        assert client.get(reverse("admin:approvals_inbox")).status_code == 200
