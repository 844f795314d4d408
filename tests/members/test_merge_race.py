"""Orders that meet a merge: whoever comes second waits, and sees what the first has done."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from members.models import Member, MemberStatus, Order
from members.services import merging as persons
from rewards.services import merging
from rewards.services.answers import Outcome
from tests.engine.shop import Shop, day, order, unknown
from tests.flows.test_merge_story import prove
from tests.members.test_erasure_race import wait_until_somebody_waits_for_a_lock

pytestmark = pytest.mark.req("MEM-04")

Merge = Callable[[Member, Member], object]


def merge(away: Member, into: Member) -> object:
    return merging.merge(away=away.pk, into=into.pk, note="same", actor="staff:li", at=day(2))


def merge_without_the_accounts(away: Member, into: Member) -> object:
    """Merge the persons alone: what the locks are for is left out."""
    return persons.begin(away=away.pk, into=into.pk, note="same", actor="staff:li", at=day(2))


def buy_during(
    change: Merge, shop: Shop, away: Member, into: Member, number: str, *, waits: bool
) -> list[Outcome]:
    """Send an order of the merged member's while the merge is done but not yet committed."""
    answers: list[Outcome] = []

    def run() -> None:
        try:
            answers.extend(shop.send(order(unknown("bea"), number, 50, on=1), at=2))
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        change(away, into)
        thread.start()
        if waits:
            wait_until_somebody_waits_for_a_lock()
        else:
            thread.join(timeout=20)
    thread.join(timeout=20)
    assert not thread.is_alive()
    return answers


@pytest.fixture
def two(own_database: str) -> tuple[Shop, Member, Member]:
    shop = Shop()
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B0", 70, on=1)
    return shop, ann, bea


def test_a_new_order_waits_for_the_merge_and_is_the_survivors(
    two: tuple[Shop, Member, Member],
) -> None:
    shop, ann, bea = two
    (answer,) = buy_during(merge, shop, bea, ann, "B1", waits=True)
    assert answer.data["member"] == str(ann.public_id)
    assert Order.objects.get(order_no="B1").member == ann
    assert (shop.balance(ann), shop.balance(bea)) == ((0, 120, 0, 0), (0, 0, 0, 0))
    prove()


def test_an_order_that_was_first_goes_over_with_the_merge(
    two: tuple[Shop, Member, Member],
) -> None:
    shop, ann, bea = two
    started = threading.Event()

    def run() -> None:
        started.set()
        try:
            merge(bea, ann)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        shop.send(order(unknown("bea"), "B1", 50, on=1), at=2)
        thread.start()
        wait_until_somebody_waits_for_a_lock()
    thread.join(timeout=20)
    assert Order.objects.get(order_no="B1").member == bea
    assert (shop.balance(ann), shop.balance(bea)) == ((0, 120, 0, 0), (0, 0, 0, 0))
    prove()


def test_two_merges_of_one_member_have_one_winner(two: tuple[Shop, Member, Member]) -> None:
    shop, ann, bea = two
    cat = shop.join("cat")
    refused: list[str] = []

    def run() -> None:
        try:
            merge(bea, cat)
        except persons.MergeError as error:
            refused.append(error.code)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        merge(bea, ann)
        thread.start()
        wait_until_somebody_waits_for_a_lock()
    thread.join(timeout=20)
    assert refused == ["merge_away_not_active"]
    assert shop.balance(cat) == (0, 0, 0, 0)


@pytest.mark.chance
def test_without_the_accounts_locked_an_order_stays_behind(
    two: tuple[Shop, Member, Member],
) -> None:
    shop, ann, bea = two
    buy_during(merge_without_the_accounts, shop, bea, ann, "B1", waits=False)
    assert Member.objects.get(pk=bea.pk).status == MemberStatus.MERGED
    assert Order.objects.get(order_no="B1").member == bea
    assert shop.balance(bea)[1] > 0
