"""The set-based expiry writes what the engine writes."""

import threading
import time
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from config.base import clock
from rewards.domain.transfers import Grounds
from rewards.models import Entry, Lot, LotUse, PointsAccount
from rewards.presets import PRESETS
from rewards.services import due, expiry, presets, reservation
from rewards.services.commands import command
from tests.factories import members

DAY = timedelta(days=1)


@pytest.fixture
def now(own_database: str) -> datetime:
    at = clock.now()
    presets.load(preset=PRESETS["classic"], at=at)
    return at


def give(member: int, points: int, at: datetime, expires_at: datetime | None) -> None:
    with command(member=member, at=at, actor="staff:li.na") as current:
        grounds = Grounds(None, None, "adjustment", current.cause)
        current.account.adjust(grounds, points, at, expires_at=expires_at)


def holder(now: datetime, *expiries: timedelta | None) -> int:
    """Return a member with a lot of 10, 20, … points per expiry, counted from now."""
    member = int(members.member(at=now - 30 * DAY).pk)
    for number, left in enumerate(expiries, 1):
        expires_at = None if left is None else now + left
        give(member, 10 * number, now - (9 - number) * DAY, expires_at)
    return member


def written(member: int) -> list[object]:
    """Return the account and its last entry, without ids and hashes."""
    account = PointsAccount.objects.filter(member=member).values(
        "available", "expired", "earned", "adjusted", "seq", "settled_at", "next_due_at"
    )
    last = Entry.objects.filter(member_id=member).order_by("-seq")[:2]
    uses = LotUse.objects.filter(entry=last[0]).order_by("id")
    lots = Lot.objects.filter(member_id=member).order_by("id")
    return [
        list(account),
        [(e.seq, e.source, e.target, e.points, e.reason, e.actor, e.occurred_at) for e in last],
        list(uses.values_list("points", "lot__points")),
        list(lots.values_list("remaining", "expired")),
    ]


@pytest.mark.req("PTS-07", "PTS-11")
@pytest.mark.parametrize(
    "expiries",
    [(-DAY,), (-DAY, -DAY, 5 * DAY), (-DAY, None), (5 * DAY, -DAY)],
    ids=["one lot", "two lots at once, one later", "one never", "the later lot first"],
)
def test_set_based_and_engine_agree(now: datetime, expiries: tuple[timedelta | None, ...]) -> None:
    ours, engines = holder(now, *expiries), holder(now, *expiries)
    due.settle_members(members=[engines], at=now, recorded_at=now)
    assert list(expiry.expire_lots(at=now, recorded_at=now)) == [1]
    assert written(ours) == written(engines)
    assert due.settle_due(at=now, recorded_at=now) == 0
    call_command("loyalty_audit", stdout=StringIO())


def test_accounts_where_more_is_due_are_left_to_the_engine(now: datetime) -> None:
    twice = holder(now, -DAY, -2 * DAY)
    held = holder(now, -DAY)
    reservation.hold(
        member=held, points=5, ttl=timedelta(hours=1), at=now - 2 * DAY, actor="touchpoint:t"
    )
    assert list(expiry.expire_lots(at=now, recorded_at=now)) == []
    due.settle_due(at=now, recorded_at=now)
    left = PointsAccount.objects.filter(member__in=[twice, held]).values_list(
        "available", flat=True
    )
    assert list(left) == [0, 0]
    call_command("loyalty_audit", stdout=StringIO())


def test_slices_on_several_connections_expire_everybody_once(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "SLICE", 2)
    holders = [holder(now, -DAY) for _number in range(9)]
    holder(now, -DAY, -2 * DAY)
    assert sorted(expiry.expire_lots(at=now, recorded_at=now)) == [1, 2, 2, 2, 2]
    expired = Entry.objects.filter(target="expired").values_list("member_id", flat=True)
    assert sorted(expired) == sorted(holders)
    call_command("loyalty_audit", stdout=StringIO())


def test_a_slice_that_fails_on_another_connection_is_not_silent(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "SLICE", 1)
    for _number in range(4):
        holder(now, -DAY)
    expire, here = expiry._expire, threading.get_ident()

    def fail_elsewhere(*arguments: Any) -> int:
        if threading.get_ident() == here:
            time.sleep(0.1)
            return expire(*arguments)
        raise OSError("gone")

    monkeypatch.setattr(expiry, "_expire", fail_elsewhere)
    with pytest.raises(OSError, match="gone"):
        list(expiry.expire_lots(at=now, recorded_at=now))
    monkeypatch.undo()
    due.settle_due(at=now, recorded_at=now)
    assert Entry.objects.filter(target="expired").count() == 4
