"""The same facts in any order, any number of times, in any batches: the same member in the end."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewards.domain import receipt as receipts
from rewards.domain.cart import Line, OrderVersion, Refund, RefundLine
from rewards.domain.netting import net_order
from rewards.services import recompute
from tests.engine.machine import HOUR, JOINED, PEOPLE
from tests.engine.plain_shop import PlainShop
from tests.engine.reference import Fact
from tests.engine.stored_shop import StoredShop

DAYS = 120
END = JOINED + timedelta(days=DAYS)

pytestmark = [pytest.mark.django_db, pytest.mark.req("PTS-09", "PTS-12", "TIR-05", "TIR-09")]


def story(seed: int, orders: int) -> list[Fact]:
    """Return facts of two members over some months, no two of one kind at one instant."""
    choose = random.Random(seed)
    facts: list[Fact] = []
    for number in range(orders):
        placed = JOINED + choose.randrange(24 * (DAYS - 40)) * HOUR
        ref = f"O{number}"
        versions, refunds = choose.choice([1, 1, 2, 3]), choose.choice([0, 0, 1, 2])
        facts += [one_version(choose, ref, placed, number + 1) for number in range(versions)]
        facts += [one_refund(choose, ref, placed, number) for number in range(refunds)]
        if choose.random() < 0.4:
            at = JOINED + choose.randrange(24 * (DAYS - 40)) * HOUR
            done = choose.choice(["survey", "review", "check_in"])
            who = choose.choice(PEOPLE)
            facts.append(Fact("interaction", f"i{number}", who, at, at, END, done=done))
    for fact in facts:
        fact.history = True
    return facts


def one_version(choose: random.Random, ref: str, placed: Any, version: int) -> Fact:
    own = placed if version == 1 else placed + choose.randrange(-24, 24 * 35) * HOUR
    lines = [(n, "goods", choose.randint(0, 4_000), True) for n in range(1, choose.randint(2, 4))]
    status = choose.choice(["paid", "paid", "completed", "cancelled"]) if version > 1 else "paid"
    who = choose.choice(PEOPLE) if version > 1 else PEOPLE[0]
    return Fact("order", ref, who, placed, own, END, version, status, lines=lines)


def one_refund(choose: random.Random, ref: str, placed: Any, number: int) -> Fact:
    at = placed + choose.randrange(-24 * 3, 24 * 30) * HOUR
    fact = Fact("refund", ref, "", at, at, END, refund_no=f"r{number}")
    form = choose.choice(["amount", "amount", "line", "full"])
    if form == "amount":
        fact.amount = choose.randint(1, 3_000)
    elif form == "line":
        fact.back = [(choose.randint(1, 3), choose.randint(1, 3_000))]
    return fact


def told(send: Callable[[StoredShop], None]) -> list[dict[str, Any]]:
    """Send facts to a fresh shop; return what has become of the members, and undo it all."""
    with transaction.atomic():
        shop = StoredShop(PEOPLE, JOINED)
        shop.now = END
        send(shop)
        shop.settle()
        ids = [member.pk for member in shop.people.values()]
        assert [str(difference) for _member, difference in recompute.recompute_slice(ids)] == []
        reports = [shop.report(name) for name in PEOPLE]
        transaction.set_rollback(True)
    return reports


def by_reference(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    plain = PlainShop(PEOPLE, JOINED)
    plain.pass_time(END)
    plain.receive(facts)
    return [plain.report(name) for name in PEOPLE]


def in_batches(facts: Sequence[Fact], choose: random.Random) -> Callable[[StoredShop], None]:
    def send(shop: StoredShop) -> None:
        rest = list(facts)
        while rest:
            size = choose.choice([1, 1, 2, 5, 50])
            shop.receive(rest[:size], history=True)
            rest = rest[size:]

    return send


def check(seed: int, orders: int, shuffles: int) -> None:
    facts = story(seed, orders)
    expected = by_reference(facts)
    choose = random.Random(seed)
    assert told(in_batches(facts, random.Random(0))) == expected
    for _again in range(shuffles):
        sent = [fact for fact in facts for _copy in range(choose.choice([1, 1, 2, 3]))]
        choose.shuffle(sent)
        assert told(in_batches(sent, choose)) == expected


@pytest.mark.parametrize("seed", range(6))
def test_any_order_repetition_and_batches_come_to_the_same(seed: int) -> None:
    check(seed, orders=8, shuffles=2)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(100, 200))
def test_any_order_repetition_and_batches_come_to_the_same_for_long(seed: int) -> None:
    check(seed, orders=15, shuffles=5)


AMOUNTS = st.lists(st.integers(0, 10_000), min_size=1, max_size=6)


@given(amounts=AMOUNTS, cuts=st.lists(st.integers(1, 9_000), max_size=6), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_and_split_of_partial_refunds_never_matter(
    amounts: list[int], cuts: list[int], data: Any
) -> None:
    """What is taken off lines first, and all amounts as one, is the same whatever came when."""
    lines = tuple(
        Line(number, "s", "goods", None, None, 1000, amount)
        for number, amount in enumerate(amounts, start=1)
    )
    version = OrderVersion(1, "paid", lines, 0, "pos", "", JOINED)
    by_line = [refund(f"l{n}", (RefundLine(1, 1000, cut),)) for n, cut in enumerate(cuts[3:])]
    whole = refund("a", (), sum(cuts[:3])) if cuts else None
    parts = [refund(f"p{n}", (), cut) for n, cut in enumerate(cuts[:3])]
    shuffled = data.draw(st.permutations(by_line + parts))
    once = net_order(version, [*by_line, whole] if whole else by_line)
    split = net_order(version, shuffled)
    assert (split.left, split.over_refunded) == (once.left, once.over_refunded)


def refund(number: str, lines: tuple[RefundLine, ...], amount: int | None = None) -> Refund:
    return Refund(number, lines, amount, None, JOINED)


def test_a_receipt_read_back_folds_like_the_one_that_came_in() -> None:
    """What is stored of a fact is all that the fold ever needs of it."""
    shop = StoredShop(PEOPLE, JOINED)
    for fact in story(1, 4):
        fresh = receipts.receive(shop.submission(fact), "pos")
        stored = receipts.receive(shop.submission(fact), "pos")
        stored.fresh_lines = None
        assert receipts.as_fold_fact(fresh, 1) == receipts.as_fold_fact(stored, 1)
