"""Two of the staff at one moment: limits are used up once, a request is carried out once.

Each guarantee has its negative control: without the lock the race must show.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.db.models import Sum

from config.base import clock
from config.base.errors import DomainError
from config.wiring import panels
from members.models import Approval, Member
from members.services import approvals
from rewards.models import Entry
from rewards.presets import PRESETS
from rewards.services import adjustment, presets
from rewards.services.adjustment import Budgets
from tests.factories import members, staff
from tests.members.test_erasure_race import wait_until_somebody_waits_for_a_lock

DAY, EACH = 500, 300


def meanwhile(first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """Do the second while the first is done but not yet committed; return what came of it."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(second())
        except DomainError as error:
            outcome.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        first()
        thread.start()
        wait_until_somebody_waits_for_a_lock()
    thread.join(timeout=20)
    assert not thread.is_alive()
    return outcome[0]


@pytest.fixture
def ann_and_ben(own_database: str) -> tuple[Member, Member]:
    presets.load(preset=PRESETS["classic"], at=clock.now())
    panels.install()
    return members.member(), members.member()


@pytest.fixture
def agent(ann_and_ben: tuple[Member, Member]) -> User:
    return staff.person("agent", **staff.limits(DAY, DAY, DAY))


def give(agent: User, member: Member, points: int = EACH) -> Any:
    return adjustment.adjust_by_staff(
        user_id=agent.pk, member=member.pk, points=points, reason="x", at=clock.now(),
        actor="staff:agent",
    )  # fmt: skip


def given() -> int:
    return Entry.objects.aggregate(sum=Sum("points"))["sum"] or 0


@pytest.mark.req("STF-02", "PTS-15")
def test_two_at_once_do_not_both_take_what_is_left(
    ann_and_ben: tuple[Member, Member], agent: User
) -> None:
    ann, ben = ann_and_ben
    outcome = meanwhile(lambda: give(agent, ann), lambda: give(agent, ben))
    assert isinstance(outcome, Approval)
    assert given() == EACH


@pytest.mark.chance
def test_without_the_conditional_update_a_limit_is_overdrawn(
    ann_and_ben: tuple[Member, Member], agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_first(budgets: Budgets, _member: int, points: int, _at: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(sum(points), 0) FROM rewards_staffbudget")
            (used,) = cursor.fetchone()
            if used + points > budgets.limits.day:
                raise adjustment.AdjustmentOverLimitError("day", budgets.limits.day)
            values = {"owner": budgets.owner, "member": None, "period": "day", "points": points}
            cursor.execute(budgets.take, {**values, "limit": 2**62})

    monkeypatch.setattr(adjustment, "_take_budgets", look_first)
    ann, ben = ann_and_ben
    outcome = meanwhile(lambda: give(agent, ann), lambda: give(agent, ben))
    assert not isinstance(outcome, Approval)
    assert given() == 2 * EACH > DAY


def approve(approval: Approval, actor: str) -> Approval:
    return approvals.approve(approval_id=approval.pk, actor=actor, at=clock.now())


@pytest.mark.req("STF-02", "PTS-15")
def test_two_approvals_at_once_carry_out_once(
    ann_and_ben: tuple[Member, Member], agent: User
) -> None:
    asked = give(agent, ann_and_ben[0], DAY + 1)
    refused = meanwhile(lambda: approve(asked, "staff:li"), lambda: approve(asked, "staff:wu"))
    assert refused.code == "approval_decided"
    assert given() == DAY + 1


@pytest.mark.chance
def test_without_the_row_lock_a_request_is_carried_out_twice(
    ann_and_ben: tuple[Member, Member], agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = give(agent, ann_and_ben[0], DAY + 1)
    monkeypatch.setattr(approvals, "_open", lambda pk: Approval.objects.get(pk=pk))
    outcome = meanwhile(lambda: approve(asked, "staff:li"), lambda: approve(asked, "staff:wu"))
    assert isinstance(outcome, Approval)
    assert given() == 2 * (DAY + 1)
