"""What staff decide in the console: alone within limits, by two people beyond them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.base import clock
from members.models import Approval, Member, MemberEvent, StaffAuthority
from members.models.staff import ApprovalState
from members.services import approvals
from rewards.models import Entry, PointsAccount
from rewards.services import adjustment
from tests.factories import console, members
from tiers.models import StandingOverride, Tier
from tiers.services import standing
from tiers.services.standing import OverrideTerms

pytestmark = pytest.mark.django_db

WIDE = {
    "adjustment_daily_limit_points": 10_000, "adjustment_member_month_limit_points": 10_000,
}  # fmt: skip


@pytest.fixture
def member() -> Member:
    console.programme()
    return console.member()


@pytest.fixture
def maker() -> User:
    return console.staff("maker")


@pytest.fixture
def checker() -> User:
    return console.staff("checker")


def ask_for_override(client: Client, member: Member, **changes: str) -> int:
    last_day = clock.local_day(clock.now() + timedelta(days=30)).isoformat()
    gold = str(Tier.objects.get(code="gold").pk)
    body = {"tier": gold, "until_on": last_day, "reason": "VIP 客诉安抚", **changes}
    response = client.post(reverse("admin:tier_override", args=[member.pk]), body)
    return response.status_code


def decide(client: Client, approval: Approval, decision: str) -> None:
    client.post(
        reverse("admin:members_approval_decide", args=[approval.pk]), {"decision": decision}
    )
    approval.refresh_from_db()


def test_an_override_takes_two_people(
    client: Client, member: Member, maker: User, checker: User
) -> None:
    client.force_login(maker)
    assert ask_for_override(client, member) == 302
    approval = Approval.objects.get()
    assert not StandingOverride.objects.exists()

    decide(client, approval, "approve")
    assert approval.state == ApprovalState.REQUESTED, "nobody approves their own request"

    client.force_login(checker)
    decide(client, approval, "approve")
    override = StandingOverride.objects.get()
    assert override.tier.code == "gold"
    assert (override.set_by, override.approved_by) == ("staff:maker", "staff:checker")
    assert MemberEvent.objects.filter(member=member, kind="tier.override").count() == 1


def test_a_refused_request_changes_nothing(
    client: Client, member: Member, maker: User, checker: User
) -> None:
    client.force_login(maker)
    ask_for_override(client, member)
    client.force_login(checker)
    approval = Approval.objects.get()
    decide(client, approval, "refuse")
    assert approval.state == ApprovalState.REFUSED
    decide(client, approval, "approve")
    assert approval.state == ApprovalState.REFUSED
    assert not StandingOverride.objects.exists()


def test_many_requests_cost_no_more_queries_than_one(
    client: Client, member: Member, maker: User
) -> None:
    client.force_login(maker)
    address = reverse("admin:members_approval_changelist")
    client.get(address)
    counts = []
    for _ in range(2):
        ask_for_override(client, member)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "changes", [{"until_on": "2020-01-01"}, {"reason": " "}, {"tier": "999999"}, {"until_on": "x"}]
)
def test_a_bad_override_is_shown_again_with_its_error(
    client: Client, member: Member, maker: User, changes: dict[str, str]
) -> None:
    client.force_login(maker)
    assert ask_for_override(client, member, **changes) == 200
    assert not Approval.objects.exists()


def test_a_new_override_ends_the_one_before(member: Member) -> None:
    at = clock.now()
    silver, gold = Tier.objects.get(code="silver"), Tier.objects.get(code="gold")
    for tier in (silver, gold):
        at += timedelta(minutes=1)
        terms = OverrideTerms(member.pk, tier.pk, at + timedelta(days=9), "reason")
        standing.set_override(terms=terms, actor="staff:a", approver="staff:b", at=at)
    first, second = StandingOverride.objects.order_by("id")
    assert first.revoked_at == second.from_at
    assert second.revoked_at is None


def test_one_person_cannot_set_an_override(member: Member) -> None:
    at = clock.now()
    tier = Tier.objects.get(code="gold")
    terms = OverrideTerms(member.pk, tier.pk, at + timedelta(days=9), "reason")
    with pytest.raises(standing.OverrideError, match="four_eyes"):
        standing.set_override(terms=terms, actor="staff:a", approver="staff:a", at=at)
    assert not StandingOverride.objects.exists()


def test_an_override_is_ended_once(client: Client, member: Member, maker: User) -> None:
    at = clock.now()
    tier = Tier.objects.get(code="gold")
    terms = OverrideTerms(member.pk, tier.pk, at + timedelta(days=9), "reason")
    override = standing.set_override(terms=terms, actor="staff:a", approver="staff:b", at=at)
    client.force_login(maker)
    address = reverse("admin:tiers_standingoverride_revoke", args=[override.pk])
    assert client.get(address).status_code == 200
    override.refresh_from_db()
    assert override.revoked_at is None, "looking at the question ends nothing"
    client.post(address)
    override.refresh_from_db()
    ended_at = override.revoked_at
    assert ended_at is not None
    client.post(address)
    override.refresh_from_db()
    assert override.revoked_at == ended_at


@pytest.fixture
def saver() -> Member:
    """Return a member whose points all came by the ledger's own service."""
    console.programme()
    made = members.member(at=console.AT)
    adjustment.adjust(
        member=made.pk, points=500, reason="opening", at=clock.now(), actor="system",
        limit_points=None,
    )  # fmt: skip
    return made


def adjust(client: Client, member: Member, points: str, reason: str = "安抚补偿") -> int:
    address = reverse("admin:points_adjustment", args=[member.pk])
    return client.post(address, {"points": points, "reason": reason}).status_code


def available(member: Member) -> int:
    return PointsAccount.objects.get(member=member).available


def test_points_within_the_limit_are_adjusted_at_once(
    client: Client, saver: Member, maker: User
) -> None:
    StaffAuthority.objects.create(user=maker, adjustment_limit_points=100, **WIDE)
    client.force_login(maker)
    before = available(saver)
    assert adjust(client, saver, "100") == 302
    assert available(saver) == before + 100
    entry = Entry.objects.filter(member=saver).latest("seq")
    assert (entry.actor, entry.reason) == ("staff:maker", "adjustment")
    assert not Approval.objects.exists()


@pytest.mark.parametrize("points", ["101", "-101"])
def test_points_beyond_the_limit_wait_for_a_second_person(
    client: Client, saver: Member, maker: User, checker: User, points: str
) -> None:
    StaffAuthority.objects.create(user=maker, adjustment_limit_points=100, **WIDE)
    client.force_login(maker)
    before = available(saver)
    assert adjust(client, saver, points) == 302
    assert available(saver) == before
    approval = Approval.objects.get()
    client.force_login(checker)
    decide(client, approval, "approve")
    assert available(saver) == before + int(points)
    assert Entry.objects.filter(member=saver).latest("seq").actor == "staff:maker"


def test_an_approval_that_cannot_be_carried_out_stays_open(
    client: Client, saver: Member, maker: User, checker: User
) -> None:
    client.force_login(maker)
    assert adjust(client, saver, f"-{available(saver)}") == 302
    spent = available(saver)
    adjustment.adjust(
        member=saver.pk, points=-1, reason="x", at=clock.now(), actor="s", limit_points=None
    )
    client.force_login(checker)
    approval = Approval.objects.get()
    before = available(saver)
    assert before == spent - 1
    decide(client, approval, "approve")
    assert approval.state == ApprovalState.REQUESTED
    assert available(saver) == before


def test_points_that_are_not_there_are_refused_before_anybody_is_asked(
    client: Client, saver: Member, maker: User
) -> None:
    client.force_login(maker)
    before = available(saver)
    assert adjust(client, saver, "-999999") == 200
    assert not Approval.objects.exists()
    assert available(saver) == before


@pytest.mark.parametrize(("points", "reason"), [("0", "x"), ("", "x"), ("5", ""), ("1e9", "x")])
def test_a_bad_adjustment_is_shown_again(
    client: Client, saver: Member, maker: User, points: str, reason: str
) -> None:
    client.force_login(maker)
    before = available(saver)
    assert adjust(client, saver, points, reason) == 200
    assert available(saver) == before
    assert not Approval.objects.exists()


def test_staff_without_the_permission_are_refused(client: Client, member: Member) -> None:
    user = console.staff("reader", is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    assert adjust(client, member, "5") == 403
    assert ask_for_override(client, member) == 403
    assert not Approval.objects.exists()
    client.force_login(console.staff("asker"))
    ask_for_override(client, member)
    client.force_login(user)
    approval = Approval.objects.get()
    decide(client, approval, "approve")
    assert approval.state == ApprovalState.REQUESTED


def test_an_unknown_kind_of_request_is_refused() -> None:
    with pytest.raises(approvals.ApprovalError, match="approval_kind_unknown"):
        approvals.request(
            kind="nothing", member_id=1, payload={}, reason="x", actor="staff:a", at=console.AT
        )
