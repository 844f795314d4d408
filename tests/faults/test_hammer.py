"""Sixteen processes post to a few hot members at once: everything counts once and adds up.

Each proof has its negative control: with the lock taken away in the workers the race must show.
"""

import dataclasses
import random
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import pytest
from django.db import connection, transaction

from config.base import audit, pg
from config.wiring import audits
from members.models import Member, Order, ReceivedFact
from rewards.domain.receipt import Receipt
from rewards.domain.submission import Submission
from rewards.services import enrolment, intake, loading
from rewards.services.recompute import recompute
from tests.engine.shop import Shop, day, interaction, order, refund, unknown
from tests.factories.members import request
from tests.faults.crowd import PROCESSES, at_once, failures, gate, results

HOT = 4
ORDERS = 40
SPREAD_DAYS = 30
LAST = 31
TURNS = 10
MEETINGS = 25
GREETINGS = 5
PAIRS = 4
CLAIMED = 5


def facts_for(people: Sequence[Member], source: str, seed: int = 1) -> list[Submission]:
    """Return orders, versions, moves, refunds and interactions of these members, in order."""
    choose = random.Random(seed)
    facts: list[Submission] = []
    for number in range(ORDERS):
        on, no = number * SPREAD_DAYS / ORDERS, f"O{number}"
        who = choose.choice(people)
        facts.append(order(who, no, choose.randint(1, 900), choose.randint(1, 300), on=on))
        kind = choose.random()
        if kind < 0.3:
            other = choose.choice(people)
            facts.append(order(other, no, choose.randint(1, 900), on=on, version=2, changed=on + 1))
        elif kind < 0.6:
            facts.append(refund(no, "r1", on=on + 0.4, amount=choose.randint(1, 400)))
            facts.append(refund(no, "r2", on=on + 0.6, amount=choose.randint(1, 400)))
        elif kind < 0.7:
            facts.append(order(who, no, 1, on=on, version=3, changed=on + 1, status="cancelled"))
        facts.append(interaction(who, f"i{number}", "survey", on=on))
    return [_of_source(fact, source) for fact in facts]


def _of_source(fact: Submission, source: str) -> Submission:
    return dataclasses.replace(fact, source=source)


def post(facts: Sequence[Submission], seed: int) -> int:
    """Post facts one by one, or a few at a time, in an order of one's own; most twice."""
    choose = random.Random(seed)
    mine = list(facts)
    choose.shuffle(mine)
    sent = 0
    while mine:
        size = choose.choice([1, 1, 1, 2, 5])
        outcomes = intake.receive(mine[:size], touchpoint=None, at=day(LAST), actor="till")
        assert {outcome.status for outcome in outcomes} <= {200, 202}
        sent += size
        mine = mine[size:]
    return sent


def shares(facts: Sequence[Submission]) -> list[list[Submission]]:
    """Give every process a third of the facts: each fact goes to five or so of them."""
    return [
        [fact for number, fact in enumerate(facts) if (number + process) % 3 == 0]
        for process in range(PROCESSES)
    ]


def states(shop: Shop, people: Sequence[Member]) -> list[Any]:
    return [
        (
            sorted(shop.points(who).values()), shop.balance(who), shop.standings(who),
            shop.progress(who),
        )
        for who in people
    ]  # fmt: skip


def broken() -> list[str]:
    """Return everything that the audit and the recomputation object to."""
    audits.install()
    found = [
        f"{result.check.code} {violation}"
        for result in audit.run(audit.registered())
        for violation in result.violations
    ]
    ids = list(Member.objects.values_list("pk", flat=True))
    for _count, differences in recompute(members=ids):
        found += [f"{member} {difference}" for member, difference in differences]
    return found


def hammer(before: Callable[[], None] = lambda: None) -> list[str]:
    """Let the crowd post to hot members, then post the same once and in order to their twins.

    `before` is what every process does first. Returns all that is wrong afterwards.
    """
    shop = Shop()
    hot = [shop.join(f"hot-{number}") for number in range(HOT)]
    twins = [shop.join(f"twin-{number}") for number in range(HOT)]
    facts = facts_for(hot, "hammer")
    shared = shares(facts)

    def work(number: int) -> int:
        before()
        return post(shared[number], number)

    wrong = failures(at_once(work))
    intake.receive(facts_for(twins, "quiet"), touchpoint=None, at=day(LAST), history=True)
    shop.pass_time(LAST)
    if states(shop, hot) != states(shop, twins):
        wrong.append(f"{states(shop, hot)} differs from {states(shop, twins)}")
    if ReceivedFact.objects.filter(source="hammer", state="applied").count() != len(facts):
        wrong.append("a fact is missing or waits")
    return wrong + broken()


@pytest.mark.req("PTS-09")
def test_sixteen_processes_post_to_hot_members_exactly(own_database: str) -> None:
    assert hammer() == []


@pytest.mark.chance
def test_without_the_lock_the_race_shows(own_database: str) -> None:
    def unlock() -> None:
        loading._LOCK = loading._LOCK.replace("FOR NO KEY UPDATE OF a", "")

    assert hammer(unlock) != []


def queue(before: Callable[[], None] = lambda: None) -> list[str]:
    """Let all post to one member what happens at that very moment; return all that is wrong."""
    shop = Shop()
    ann = shop.join("ann")

    def work(number: int) -> None:
        before()
        for turn in range(TURNS):
            on = 1 + time.monotonic() % 86_400 / 86_400
            intake.receive(
                [order(ann, f"O{number}-{turn}", 10, on=on)],
                touchpoint=None, at=day(3), actor="till",
            )  # fmt: skip

    wrong = failures(at_once(work))
    base = sum(points for rule, points in shop.points(ann).items() if rule.endswith("base"))
    if base != 10 * TURNS * PROCESSES:
        wrong.append(f"{base} base points")
    return wrong + broken()


def test_sixteen_tills_serve_one_member_at_one_moment(own_database: str) -> None:
    assert queue() == []


@pytest.mark.chance
def test_without_reading_again_what_was_waited_for_the_race_shows(own_database: str) -> None:
    def trust() -> None:
        loading._is_outdated = lambda row: False

    assert queue(trust) != []


def meet(before: Callable[[], None] = lambda: None) -> int:
    """Let orders and their refunds arrive at one moment; return how many refunds still wait."""
    shop = Shop()
    people = [shop.join(f"m-{number}") for number in range(PROCESSES)]

    def work(number: int) -> None:
        before()
        who = people[number // 2]
        for turn in range(MEETINGS):
            no = f"O{number // 2}-{turn}"
            fact: Submission = order(who, no, 100, on=1)
            if number % 2:
                fact = refund(no, "r1", on=2, amount=40)
            intake.receive([fact], touchpoint=None, at=day(3), actor="till")

    results(at_once(work))
    return shop.facts_in("parked")


def test_a_refund_and_its_order_that_arrive_at_one_moment_meet(own_database: str) -> None:
    assert meet() == 0
    assert broken() == []


@pytest.mark.chance
def test_without_waiting_for_each_other_they_miss(own_database: str) -> None:
    def hurry() -> None:
        loading._SLOTS = loading._SLOTS.replace("pg_advisory_xact_lock", "concat")
        loading._SLOTS = loading._SLOTS.replace("concat_shared", "concat")

    assert meet(hurry) > 0


def greet(before: Callable[[], None] = lambda: None) -> int:
    """Let orders and the enrolment of whom they name arrive at one moment; count who misses."""
    shop = Shop()
    gates = [gate(2) for _pair in range(PROCESSES // 2)]

    def work(number: int) -> None:
        before()
        for turn in range(GREETINGS):
            gates[number // 2].wait()
            name, on = f"new-{number // 2}-{turn}", day(1)
            if number % 2:
                shop.join(name, at=1)
            else:
                fact = order(unknown(name), f"N{number}-{turn}", 100, on=1)
                intake.receive([fact], touchpoint=None, at=on, actor="till")

    results(at_once(work))
    return shop.facts_in("awaiting_member")


def take_time() -> None:
    """Let some time pass between looking for a member and storing the fact."""
    take_slots = loading.slots

    def slowly(facts: Sequence[tuple[str, str, bool]]) -> tuple[list[loading.Slot], str]:
        time.sleep(0.3)
        return take_slots(facts)

    loading.slots = slowly


@pytest.mark.req("MEM-02")
def test_an_order_and_the_enrolment_it_waits_for_meet(own_database: str) -> None:
    assert greet(take_time) == 0
    assert broken() == []


@pytest.mark.chance
def test_without_waiting_for_enrolments_orders_wait_for_ever(own_database: str) -> None:
    def hurry() -> None:
        take_time()
        loading._WAIT_SHARED = loading._WAIT_ALONE = "SELECT %s, %s::int[]"

    assert greet(hurry) > 0


def attach(before: Callable[[], None] = lambda: None) -> list[str]:
    """Let a batch raise a member and name another value while an enrolment makes it theirs.

    The batch holds the value and wants the member, the enrolment holds the member and wants the
    value. `before` is what the enrolling processes do first. Returns all that is wrong afterwards.
    """
    shop = Shop()
    names = [f"a-{pair}" for pair in range(PAIRS)]
    people = [shop.join(name) for name in names]

    def work(number: int) -> None:
        pair, enrols = divmod(number, 2)
        if enrols:
            before()
            time.sleep(0.1)
            asked = request(("external", names[pair], ""), ("external", f"b-{pair}", ""))
            (made,) = enrolment.enrol_members([asked], touchpoint=shop.touchpoint, at=day(1))
            assert made.member_id == people[pair].pk, made.error
        else:
            take_time()
            facts = [
                order(people[pair], f"A{pair}", 1000, on=1),
                order(unknown(f"b-{pair}"), f"B{pair}", 100, on=1),
            ]
            intake.receive(facts, touchpoint=None, at=day(1), actor="till")

    wrong = failures(at_once(work, 2 * PAIRS))
    if waiting := shop.facts_in("awaiting_member"):
        wrong.append(f"{waiting} facts wait")
    return wrong


@pytest.mark.req("MEM-02")
def test_a_batch_and_an_enrolment_that_want_what_the_other_holds_both_succeed(
    own_database: str,
) -> None:
    assert attach() == []
    assert broken() == []


def test_an_enrolment_that_does_not_insist_fails(own_database: str) -> None:
    def give_up() -> None:
        intake.insist = lambda attempt: transaction.atomic(attempt)()

    assert any("DeadlockDetected" in each for each in attach(give_up))


def claim_for(people: Sequence[Member]) -> list[str]:
    """Let all claim the same orders at one moment, in turns for these members.

    Time passes between a claim's look at the order and its writing. Returns the refusals.
    """

    def work(number: int) -> list[str]:
        read_slowly()
        refusals = []
        for order_number in range(CLAIMED):
            try:
                intake.claim(
                    source="shop", order_no=f"C{order_number}", at=day(2), actor="staff:eve",
                    member=people[number % len(people)].pk,
                )  # fmt: skip
            except intake.ClaimError as refused:
                refusals.append(refused.code)
        return refusals

    return [code for codes in results(at_once(work)) for code in codes]


def read_slowly() -> None:
    """Let some time pass between reading what is stored of a fact and deciding on it."""
    facts_of = loading.facts_of

    def slowly(
        orders: Collection[tuple[str, str]], interactions: Collection[tuple[str, str]]
    ) -> list[Receipt]:
        found = facts_of(orders, interactions)
        time.sleep(0.05)
        return found

    loading.facts_of = slowly


def unclaimed(members: int) -> list[Member]:
    """Return members, and have orders that nobody was named for."""
    shop = Shop()
    for number in range(CLAIMED):
        shop.buy(None, f"C{number}", 100, on=1)
    return [shop.join(f"m-{number}") for number in range(members)]


@pytest.mark.parametrize("members", [2, PROCESSES])
def test_an_order_that_all_claim_at_one_moment_is_given_once(
    own_database: str, members: int
) -> None:
    refusals = claim_for(unclaimed(members))
    assert refusals == ["order_already_claimed"] * CLAIMED * (PROCESSES - 1)
    assert Order.objects.count() == CLAIMED
    assert broken() == []


@pytest.mark.chance
def test_without_the_order_being_unique_two_members_get_it(own_database: str) -> None:
    people = unclaimed(2)
    with pg.as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE members_order DROP CONSTRAINT order_unique")
    assert len(claim_for(people)) < CLAIMED * (PROCESSES - 1)
    assert Order.objects.count() > CLAIMED
