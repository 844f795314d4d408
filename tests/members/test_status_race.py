"""A freeze that meets a command: whoever comes second waits, and sees what the first has done."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from members.domain.status import Verb
from members.models import Member
from members.services import status
from rewards.models import Reservation
from rewards.services import membership
from rewards.services.commands import MemberFrozenError
from tests.engine.shop import Shop, day
from tests.members.test_erasure_race import wait_until_somebody_waits_for_a_lock


def freeze(member: Member) -> None:
    membership.change_status(
        verb=Verb.FREEZE, member=member.pk, reason="other", note="", actor="staff:li", at=day(2)
    )


def freeze_without_the_account(member: Member) -> None:
    status.freeze(member_id=member.pk, reason="other", note="", actor="staff:li", at=day(2))


def hold_during(
    change: Callable[[Member], None], shop: Shop, member: Member, *, waits: bool
) -> list[BaseException]:
    """Hold points while the change is done but not yet committed; return what was raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            shop.hold(member, 10, on=2)
        except MemberFrozenError as error:
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        change(member)
        thread.start()
        if waits:
            wait_until_somebody_waits_for_a_lock()
        else:
            thread.join(timeout=20)
    thread.join(timeout=20)
    assert not thread.is_alive()
    return raised


def test_a_command_waits_for_the_freeze_and_is_refused(own_database: str) -> None:
    shop = Shop()
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1)
    (refused,) = hold_during(freeze, shop, ann, waits=True)
    assert isinstance(refused, MemberFrozenError)
    assert not Reservation.objects.exists()


@pytest.mark.chance
def test_without_the_account_locked_the_command_slips_through(own_database: str) -> None:
    shop = Shop()
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1)
    assert hold_during(freeze_without_the_account, shop, ann, waits=False) == []
    assert Reservation.objects.exists()
