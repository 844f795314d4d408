"""An order moved to the right member: as if it had been theirs from the beginning."""

import random
from datetime import timedelta

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from members.models import Member, MemberEvent, Order, OrderMove
from rewards.models import Entry, PointsAccount
from rewards.services import adjustment, due, order_moves, recompute
from rewards.services.order_moves import Act, OrderMoveError, Side
from tests.factories import coupons
from tests.proof import corruption, ledgers
from tests.proof.ledgers import DAY, START, Programme
from tiers.models import Standing

pytestmark = [pytest.mark.django_db, pytest.mark.req("SVC-01", "STF-06")]


@pytest.fixture(autouse=True)
def deliveries_kept(settings: Settings) -> None:
    """Let every delivery of the ledger count as kept: its days are not the wall's."""
    settings.LOYALTY_DELIVERIES_KEPT_DAYS = 36_500


@pytest.fixture
def made() -> Programme:
    return ledgers.programme("classic", 3)


def move(
    made: Programme, order_no: str, member: Member, *, source: str = "shop"
) -> tuple[Side, Side]:
    order = Order.objects.get(source=source, order_no=order_no)
    act = Act("card_at_hand", "wrong card was scanned", "staff:li.na", made.at)
    return order_moves.move_order(order=order.pk, member=member.pk, act=act)


def available(member: Member) -> tuple[int, int]:
    account = PointsAccount.objects.get(member=member, kind="points")
    return account.available, account.debt


def assert_books_are_right() -> None:
    """Every invariant holds, and a fold from zero comes to what is stored."""
    connection.check_constraints()
    assert {code: list(map(str, rows)) for code, rows in corruption.findings().items()} == {}
    found = recompute.recompute_slice(recompute.member_ids())
    assert [str(difference) for _member, difference in found] == []


def test_points_leave_the_one_and_come_to_the_other(made: Programme) -> None:
    ann, bob, _cyn = made.members
    made.at = START + DAY
    made.send(ledgers.order(ann, "A1", made.at, 20_000), ledgers.order(ann, "A2", made.at, 5_000))
    made.at += DAY
    former, new = move(made, "A1", bob)
    assert (former.before.available, former.after.available) == (250, 50)
    assert (new.before.available, new.after.available) == (0, 200)
    assert (available(ann), available(bob)) == ((50, 0), (200, 0))
    order = Order.objects.get(order_no="A1")
    assert order.member_id == bob.pk
    assert order.qualifying_amount == 200
    assert set(order.lines.values_list("member_id", flat=True)) == {bob.pk}
    told = MemberEvent.objects.filter(kind__startswith="order.moved").order_by("kind")
    assert [(event.kind, event.member_id) for event in told] == [
        ("order.moved_away", ann.pk),
        ("order.moved_in", bob.pk),
    ]
    assert told[0].payload["verified_by"] == "card_at_hand"
    assert "wrong card" not in str(told[0].payload)
    assert_books_are_right()


def test_the_only_order_leaves_nothing_behind(made: Programme) -> None:
    ann, bob, _cyn = made.members
    made.at = START + DAY
    made.send(ledgers.order(ann, "A1", made.at, 20_000))
    made.at += DAY
    move(made, "A1", bob)
    assert available(ann) == (0, 0)
    assert_books_are_right()
    made.at += DAY
    made.send(ledgers.order(ann, "A2", made.at, 1_000))
    assert available(ann) == (10, 0)
    assert_books_are_right()


def test_a_tier_that_the_order_made_goes_with_it(made: Programme) -> None:
    ann, bob, _cyn = made.members
    made.at = START + DAY
    made.send(ledgers.order(ann, "A1", made.at, 150_000))
    made.at += DAY
    made.send(ledgers.order(ann, "A2", made.at, 10_000))
    assert Standing.objects.get(member=ann, ended_at=None).tier.code == "silver"
    made.at += DAY
    former, new = move(made, "A1", bob)
    assert (former.before.tier, former.after.tier) == ("silver", "basic")
    assert (new.before.tier, new.after.tier) == ("basic", "silver")
    # 110 of A2 were earned as silver; 10 of them only because of A1.
    assert available(ann) == (100, 0)
    assert available(bob) == (1_500, 0)
    assert_books_are_right()


def test_points_that_are_spent_already_become_debt(made: Programme) -> None:
    ann, bob, _cyn = made.members
    made.at = START + DAY
    made.send(ledgers.order(ann, "A1", made.at, 20_000))
    adjustment.adjust(
        member=ann.pk, points=-150, reason="x", at=made.at, actor="staff:eve", limit_points=None
    )
    made.at += DAY
    former, _new = move(made, "A1", bob)
    assert (former.after.available, former.after.debt) == (0, 150)
    assert_books_are_right()


def test_versions_and_refunds_go_with_their_order(made: Programme) -> None:
    ann, bob, _cyn = made.members
    at = made.at = START + DAY
    made.send(ledgers.order(ann, "A1", at, 20_000))
    at = made.at = made.at + DAY
    made.send(
        ledgers.order(ann, "A1", START + DAY, 30_000, version=2, changed_at=at),
        ledgers.refund("A1", "r1", at + timedelta(minutes=1), amount=10_000),
    )
    made.at += DAY
    move(made, "A1", bob)
    assert (available(ann), available(bob)) == ((0, 0), (200, 0))
    assert_books_are_right()
    made.at += DAY
    made.send(ledgers.refund("A1", "r2", made.at, amount=5_000))
    assert available(bob) == (150, 0)
    assert_books_are_right()


def test_what_the_source_goes_on_sending_follows_the_order(made: Programme) -> None:
    ann, bob, _cyn = made.members
    at = made.at = START + DAY
    first = ledgers.order(ann, "A1", at, 20_000)
    made.send(first)
    made.at += DAY
    move(made, "A1", bob)
    (again,) = made.send(first)
    assert again.data["replayed"]
    made.send(ledgers.order(ann, "A1", at, 25_000, version=2, changed_at=made.at))
    assert (available(ann), available(bob)) == ((0, 0), (250, 0))
    assert Order.objects.get(order_no="A1").member_id == bob.pk
    assert_books_are_right()


def test_it_goes_back_the_same_way(made: Programme) -> None:
    ann, bob, _cyn = made.members
    made.at = START + DAY
    made.send(ledgers.order(ann, "A1", made.at, 20_000), ledgers.order(bob, "B1", made.at, 1_000))
    made.at += DAY
    move(made, "A1", bob)
    made.at += DAY
    move(made, "A1", ann)
    assert (available(ann), available(bob)) == ((200, 0), (10, 0))
    assert OrderMove.objects.count() == 2
    assert_books_are_right()


def test_doing_it_again_changes_nothing(made: Programme) -> None:
    ann, bob, _cyn = made.members
    made.at = START + DAY
    made.send(ledgers.order(ann, "A1", made.at, 20_000))
    move(made, "A1", bob)
    entries = Entry.objects.count()
    with pytest.raises(OrderMoveError) as refused:
        move(made, "A1", bob)
    assert refused.value.code == "order_is_theirs"
    assert Entry.objects.count() == entries


def test_a_preview_tells_the_same_and_writes_nothing(made: Programme) -> None:
    ann, bob, _cyn = made.members
    made.at = START + DAY
    made.send(ledgers.order(ann, "A1", made.at, 20_000))
    order = Order.objects.get(order_no="A1")
    act = Act("document_seen", "wrong card", "staff:li.na", made.at)
    seen = order_moves.preview(order=order.pk, member=bob.pk, act=act)
    order.refresh_from_db()
    assert order.member_id == ann.pk
    assert not OrderMove.objects.exists()
    assert available(bob) == (0, 0)
    assert order_moves.move_order(order=order.pk, member=bob.pk, act=act) == seen


def test_an_order_paid_with_coupons_stays(made: Programme) -> None:
    ann, bob, _cyn = made.members
    made.at = START + DAY
    coupon = coupons.coupon(ann, at=START)
    made.send(ledgers.order(ann, "A1", made.at, 20_000, coupons=(coupon.code,)))
    with pytest.raises(OrderMoveError) as refused:
        move(made, "A1", bob)
    assert refused.value.code == "order_paid_by_member"
    assert available(bob) == (0, 0)


def test_nothing_is_moved_to_a_closed_member(made: Programme) -> None:
    ann, bob, _cyn = made.members
    made.at = START + DAY
    made.send(ledgers.order(ann, "A1", made.at, 20_000))
    Member.objects.filter(pk=bob.pk).update(status="closed")
    with pytest.raises(OrderMoveError) as refused:
        move(made, "A1", bob)
    assert refused.value.code == "member_not_open"


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_any_history_can_be_moved(seed: int) -> None:
    choose = random.Random(seed)
    made = ledgers.programme(choose.choice(["classic", "retail_cn"]), 3)
    facts = sorted(ledgers.random_facts(seed, made, 40), key=ledgers.instant_of)
    for fact in facts:
        made.at = ledgers.instant_of(fact)
        made.send(fact)
        if choose.random() < 0.3 and Order.objects.exists():
            _move_any(choose, made)
    made.at += timedelta(days=choose.choice([0, 30, 400]))
    due.settle_due(at=made.at, recorded_at=made.at)
    assert OrderMove.objects.count() > 1
    assert_books_are_right()


def _move_any(choose: random.Random, made: Programme) -> None:
    order = choose.choice(list(Order.objects.order_by("pk")))
    to = choose.choice(made.members)
    try:
        with transaction.atomic():
            move(made, order.order_no, to, source=order.source)
    except OrderMoveError:
        return
