"""Dedicated agents: given, seen by touchpoints, and handed on when somebody leaves."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User

from config.wiring import due
from members.models import Case, Member, MemberEvent
from members.services import account_managers, cases
from members.services.account_managers import AccountManagerError
from members.services.cases import NewCase
from tests.factories import console, members

pytestmark = [pytest.mark.django_db, pytest.mark.req("BEN-09")]

AT = members.AT


def agent(name: str, count: int = 0) -> User:
    """Return somebody who works on cases and looks after so many members."""
    user = console.staff(name, is_superuser=False)
    user.user_permissions.add(Permission.objects.get(codename="work_case"))
    for _number in range(count):
        give(members.member(), user)
    return user


def give(member: Member, user: User | None) -> None:
    account_managers.assign(
        member_id=member.pk, agent_id=None if user is None else user.pk, at=AT, actor="staff:lead"
    )


def looked_after(user: User) -> int:
    return Member.objects.filter(account_manager=user).count()


def test_a_change_is_an_event_and_no_change_is_none() -> None:
    member, user = members.member(), agent("li")
    for _again in range(2):
        give(member, user)
    events = MemberEvent.objects.filter(kind="member.agent_changed")
    assert [event.payload for event in events] == [{"reason": "assigned"}]
    give(member, None)
    assert Member.objects.get().account_manager is None


def test_nobody_is_given_who_is_gone() -> None:
    member, user = members.member(), agent("li")
    User.objects.filter(pk=user.pk).update(is_active=False)
    with pytest.raises(AccountManagerError, match="agent_not_active"):
        give(member, user)
    assert Member.objects.get().account_manager is None


def test_a_leavers_members_go_to_whoever_has_fewest() -> None:
    leaver, busy, free = agent("leaver", 4), agent("busy", 3), agent("free", 1)
    moved = account_managers.hand_over(leaver_id=leaver.pk, at=AT, actor="staff:lead")
    assert (moved, looked_after(leaver)) == (4, 0)
    assert (looked_after(busy), looked_after(free)) == (4, 4)
    reasons = MemberEvent.objects.filter(payload__reason="handed_over")
    assert reasons.count() == 4
    assert account_managers.hand_over(leaver_id=leaver.pk, at=AT, actor="staff:lead") == 0


def test_a_leavers_members_go_to_the_one_chosen() -> None:
    leaver, chosen, _free = agent("leaver", 3), agent("chosen", 5), agent("free")
    account_managers.hand_over(leaver_id=leaver.pk, to_id=chosen.pk, at=AT, actor="staff:lead")
    assert looked_after(chosen) == 8
    with pytest.raises(AccountManagerError, match="agent_not_active"):
        account_managers.hand_over(leaver_id=chosen.pk, to_id=chosen.pk, at=AT, actor="s")


def test_handing_over_takes_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_managers, "SLICE", 2)
    leaver, heir = agent("leaver", 5), agent("heir")
    assert account_managers.hand_over(leaver_id=leaver.pk, at=AT, actor="s") == 5
    assert looked_after(heir) == 5


def test_the_sweep_hands_over_whom_nobody_has_handed_over() -> None:
    leaver, heir = agent("leaver", 2), agent("heir")
    new = NewCase(member_id=members.member().pk, kind="enquiry", channel="cs", title="t")
    cases.register(new=new, at=AT, actor="s", owner_id=leaver.pk)
    assert account_managers.sweep(at=AT) == 0
    User.objects.filter(pk=leaver.pk).update(is_active=False)
    assert account_managers.sweep(at=AT + timedelta(days=1)) == 2
    assert account_managers.sweep(at=AT + timedelta(days=1)) == 0
    assert (looked_after(heir), looked_after(leaver)) == (2, 0)
    case = Case.objects.get()
    assert (case.owner, case.state) == (None, "open")
    due.install()


def test_without_a_colleague_the_members_stay() -> None:
    leaver = agent("leaver", 1)
    User.objects.filter(pk=leaver.pk).update(is_active=False)
    assert account_managers.sweep(at=AT) == 0
    assert looked_after(leaver) == 1
