"""Two agents at once: whoever comes second waits, and sees what the first has done."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from config.base.errors import DomainError
from members.models import Approval, Member, Order, StaffAuthority
from rewards.models import Coupon, CouponTemplate
from rewards.services import goodwill, loading, order_moves
from rewards.services.loading import Locked
from tests.factories import console, coupons
from tests.members.test_erasure_race import wait_until_somebody_waits_for_a_lock
from tests.proof import ledgers
from tests.proof.ledgers import DAY, START, Programme


def during(first: Callable[[], object], second: Callable[[], object], *, waits: bool) -> list[str]:
    """Do the second while the first is done but not committed; return how it was refused."""
    refused: list[str] = []

    def run() -> None:
        try:
            second()
        except DomainError as error:
            refused.append(error.code)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        first()
        thread.start()
        if waits:
            wait_until_somebody_waits_for_a_lock()
        else:
            thread.join(timeout=20)
    thread.join(timeout=20)
    assert not thread.is_alive()
    return refused


# Goodwill


def give(member: Member, template: CouponTemplate) -> None:
    authority = StaffAuthority.objects.get()
    act = goodwill.Act(
        authority.user_id, member.pk, "card_at_hand", "sorry", "staff:li.na", START + DAY
    )
    goodwill.give_coupon(act=act, template=template.code)


def two_coupons(made: Programme, *, waits: bool) -> int:
    """Give two coupons of two templates at once, one being allowed; return how many were given."""
    ann, bob = made.members
    user = console.staff("li.na")
    StaffAuthority.objects.create(user=user, goodwill_coupons_per_day=1)
    templates = [coupons.template(is_goodwill=True) for _number in range(2)]
    during(lambda: give(ann, templates[0]), lambda: give(bob, templates[1]), waits=waits)
    return Coupon.objects.count()


@pytest.mark.req("SVC-11")
def test_two_coupons_at_once_are_counted_one_by_one(own_database: str) -> None:
    assert two_coupons(ledgers.programme("classic", 2), waits=True) == 1
    assert Approval.objects.filter(kind="goodwill").count() == 1


@pytest.mark.chance
def test_without_the_lock_both_are_given(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goodwill, "_locked", lambda _user: StaffAuthority.objects.get())
    assert two_coupons(ledgers.programme("classic", 2), waits=False) == 2


# Moves


def move(made: Programme, to: Member) -> None:
    act = order_moves.Act("card_at_hand", "wrong card", "staff:li.na", made.at)
    order = Order.objects.get(order_no="A1")
    order_moves.move_order(order=order.pk, member=to.pk, act=act)


def two_moves(made: Programme) -> list[str]:
    """Move one order to two members at once; return how the second was refused."""
    ann, bob, cyn = made.members
    made.at = START + DAY
    made.send(ledgers.order(ann, "A1", made.at, 20_000))
    return during(lambda: move(made, bob), lambda: move(made, cyn), waits=True)


@pytest.mark.req("STF-06")
def test_the_second_of_two_moves_is_refused(own_database: str) -> None:
    made = ledgers.programme("classic", 3)
    assert two_moves(made) == ["order_changed"]
    assert Order.objects.get(order_no="A1").member_id == made.members[1].pk


@pytest.mark.chance
def test_without_the_lock_an_order_is_moved_on_from_under_the_first(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(members: set[int]) -> dict[int, Locked]:
        return loading.read(members)[0]

    made = ledgers.programme("classic", 3)
    monkeypatch.setattr(loading, "lock", read)
    assert two_moves(made) == []
    assert Order.objects.get(order_no="A1").member_id == made.members[2].pk
