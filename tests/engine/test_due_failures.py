"""A member that cannot be settled keeps nobody else from it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from config.base import clock
from rewards.domain.transfers import Grounds
from rewards.models import PointsAccount
from rewards.presets import PRESETS
from rewards.services import due, presets
from rewards.services.commands import command
from tests.factories import members


def given_points(at: datetime) -> int:
    """Return a member with points that expire one and two days later, which needs the engine."""
    member = members.member(at=at - timedelta(days=9)).pk
    with command(member=member, at=at, actor="system") as current:
        grounds = Grounds(None, None, "adjustment", current.cause)
        for days in (1, 2):
            current.account.adjust(grounds, 5, at, expires_at=at + timedelta(days=days))
    return int(member)


@pytest.mark.django_db
@pytest.mark.req("ORG-06")
def test_one_broken_member_is_reported_and_the_others_are_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = clock.now()
    presets.load(preset=PRESETS["classic"], at=at)
    first, broken, last = (given_points(at - timedelta(days=3)) for _ in range(3))
    settle = due.settle_members

    def refuse(*, members: list[int], **when: Any) -> None:
        if broken in members:
            raise ValueError("planted")
        settle(members=members, **when)

    monkeypatch.setattr(due, "settle_members", refuse)
    with pytest.raises(due.SettlingFailedError) as failed:
        due.settle_due(at=at, recorded_at=at)

    assert failed.value.members == (broken,)
    left = dict(PointsAccount.objects.values_list("member_id", "available"))
    assert left == {first: 0, broken: 10, last: 0}
