"""How far staff decide alone: a time, a day, per member and month; never for themselves."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from config.base import clock
from config.management.demo import staff as demo_staff
from config.wiring import panels, roles
from members.models import Approval, Member, MemberStatus, RoleAuthority, StaffAuthority
from members.services import approvals, authority
from members.services.authority import Limits, OwnAccountError
from rewards.domain.posting import Balance
from rewards.models import Entry
from rewards.services import adjustment
from tests.factories import console, members, staff

pytestmark = [pytest.mark.django_db, pytest.mark.req("STF-02")]


@pytest.fixture(autouse=True)
def _programme() -> None:
    panels.install()
    console.programme()


@pytest.fixture
def agent() -> User:
    return staff.person("agent", "service_agent")


def give(user: User, member: Member, points: int, *, days: int = 0) -> Balance | Approval:
    return adjustment.adjust_by_staff(
        user_id=user.pk, member=member.pk, points=points, reason="安抚补偿",
        at=clock.now() + timedelta(days=days), actor=f"staff:{user.username}",
    )  # fmt: skip


def reached(outcome: Balance | Approval) -> str:
    """Return the limit that a request was made for; empty where the points were given."""
    return str(outcome.payload["limit_of"]) if isinstance(outcome, Approval) else ""


def test_limits_are_the_roles_unless_somebody_has_their_own(agent: User) -> None:
    assert authority.limits_of(agent.pk) == Limits(500, 2_000, 1_000)
    mine = StaffAuthority.objects.create(user=agent, adjustment_daily_limit_points=50)
    assert authority.limits_of(agent.pk) == Limits(500, 50, 1_000)
    lead = staff.person("both", "service_agent", "service_lead")
    assert authority.limits_of(lead.pk) == Limits(5_000, 20_000, 10_000)
    assert authority.limits_of(staff.person("nobody").pk) == Limits(0, 0, 0)
    mine.delete()
    RoleAuthority.objects.filter(group__name="service_agent").update(adjustment_limit_points=7)
    roles.reset()
    assert authority.limits_of(agent.pk).call == 7


@pytest.mark.req("SVC-11")
def test_small_amounts_add_up_to_the_limits_of_day_and_member(agent: User) -> None:
    ann, ben, cyn = (members.member() for _number in range(3))
    assert [reached(give(agent, ann, 500)) for _turn in range(2)] == ["", ""]
    assert reached(give(agent, ann, 1)) == "member_month"
    assert reached(give(agent, ben, 501)) == "call"
    # 1,000 given and 502 asked for: what waits counts.
    assert reached(give(agent, cyn, 498)) == ""
    assert reached(give(agent, cyn, 1)) == "day"
    assert reached(give(agent, cyn, 1, days=1)) == ""


def test_taking_points_uses_the_limits_as_giving_does(agent: User) -> None:
    ann = members.member()
    give(agent, ann, 500)
    assert [reached(give(agent, ann, points)) for points in (-300, -200)] == ["", ""]
    assert reached(give(agent, ann, 1)) == "member_month"


@pytest.mark.parametrize("decide", [approvals.approve, approvals.refuse])
def test_what_was_approved_counts_and_what_was_refused_does_not(
    agent: User, decide: Callable[..., Approval]
) -> None:
    ann, ben = members.member(), members.member()
    asked = give(agent, ann, 1_600)
    assert isinstance(asked, Approval)
    decide(approval_id=asked.pk, actor="staff:lead", at=clock.now())
    assert reached(give(agent, ben, 450)) == ("day" if decide is approvals.approve else "")


def test_the_own_account_is_refused_also_after_a_merge(agent: User) -> None:
    own, other = members.member(), members.member()
    StaffAuthority.objects.create(user=agent, member=own)
    for target in (own, other):
        if target is other:
            Member.objects.filter(pk=own.pk).update(status=MemberStatus.MERGED, merged_into=other)
        with pytest.raises(OwnAccountError, match="own_account"):
            give(agent, target, 1)
    assert not Entry.objects.exists()
    assert not Approval.objects.exists()
    assert isinstance(give(agent, members.member(), 1), Balance)


def test_a_cashier_is_known_by_number_or_user_name(agent: User) -> None:
    own, other = members.member(), members.member()
    StaffAuthority.objects.create(user=agent, member=own, staff_no="0815")
    sales = {("0815", own.pk), ("agent", own.pk), ("0815", other.pk), ("", own.pk), ("x", own.pk)}
    assert authority.own_tills(sales) == {("0815", own.pk), ("agent", own.pk)}


@pytest.mark.req("STF-08")
def test_the_demo_has_somebody_in_every_role() -> None:
    log_ins = demo_staff.appoint()
    again = demo_staff.appoint()
    assert len(again) == len(log_ins) == User.objects.count()
    names = set(User.objects.values_list("username", flat=True))
    assert {"admin", "operations", "service", "supervisor", "auditor"} <= names
    held = set(User.objects.values_list("groups__name", flat=True)) - {None}
    assert held == set(roles.BY_CODE)
    assert authority.limits_of(User.objects.get(username="service").pk) == Limits(500, 2_000, 1_000)
    demo_staff.open_district()
