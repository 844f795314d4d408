"""The event log and its deliveries."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from members.models import EventDelivery, Member, MemberEvent, Subscription
from members.models.event import DeliveryState
from members.services import events
from members.services.events import NewEvent
from tests.factories import members as make
from tests.factories.members import AT

MAILER, LEDGER = "mailer", "ledger"


def announce(member: Member, *kinds: str) -> None:
    events.append(
        [
            NewEvent(member.pk, kind, AT, AT, {"n": n}, caused_by="test")
            for n, kind in enumerate(kinds)
        ]
    )


@pytest.mark.django_db
def test_appending_owes_each_event_to_those_who_follow_its_kind() -> None:
    member = make.member()
    events.sync_subscriptions({MAILER: ["a", "b"], LEDGER: ["b"]})
    with CaptureQueriesContext(connection) as captured:
        announce(member, "a", "b", "c")
    assert len(captured) == 1
    owed = EventDelivery.objects.filter(follower__in=(MAILER, LEDGER)).values_list(
        "follower", "event__kind"
    )
    assert set(owed) == {(MAILER, "a"), (MAILER, "b"), (LEDGER, "b")}
    kept = MemberEvent.objects.exclude(kind="member.enrolled").order_by("id")
    assert [(e.kind, e.payload, e.caused_by, e.schema) for e in kept] == [
        ("a", {"n": 0}, "test", 1),
        ("b", {"n": 1}, "test", 1),
        ("c", {"n": 2}, "test", 1),
    ]


@pytest.mark.django_db
def test_events_of_a_change_that_is_undone_are_undone_with_it() -> None:
    member = make.member()
    with transaction.atomic():
        announce(member, "a")
        transaction.set_rollback(True)
    assert not MemberEvent.objects.filter(kind="a").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE {} SET kind = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_log_cannot_be_rewritten(statement: str) -> None:
    make.member()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(MemberEvent._meta.db_table))
    assert MemberEvent.objects.count() == 1


@pytest.mark.django_db
def test_subscriptions_become_what_the_wiring_says() -> None:
    for wanted in ({MAILER: ["a", "b"]}, {MAILER: ["b"], LEDGER: ["c"]}, {}):
        for _again in range(2):
            events.sync_subscriptions(wanted)
            rows = set(Subscription.objects.values_list("follower", "kind"))
            assert rows == {(follower, kind) for follower in wanted for kind in wanted[follower]}


@pytest.mark.django_db
def test_a_claim_is_leased_and_comes_due_again() -> None:
    member = make.member()
    events.sync_subscriptions({MAILER: ["a"]})
    announce(member, "a")
    (first,) = events.claim_deliveries(MAILER, 10, AT)
    assert (first.kind, first.payload, first.attempt, first.member_id) == (
        "a", {"n": 0}, 1, member.pk,
    )  # fmt: skip
    assert events.claim_deliveries(MAILER, 10, AT) == []
    (second,) = events.claim_deliveries(MAILER, 10, AT + events.LEASE)
    assert second.attempt == 2
    assert events.fail(first, at=AT, error_code="late") is None
    assert events.complete([second]) == 1
    assert events.complete([second]) == 0
    assert events.fail(second, at=AT, error_code="late") is None
    assert events.claim_deliveries(MAILER, 10, AT + timedelta(days=9)) == []


@pytest.mark.django_db
def test_a_failing_delivery_waits_longer_each_time_and_is_parked() -> None:
    member = make.member()
    events.sync_subscriptions({MAILER: ["a"]})
    announce(member, "a")
    at, waits = AT, []
    for attempt in range(1, events.MAX_ATTEMPTS + 1):
        (claimed,) = events.claim_deliveries(MAILER, 10, at)
        state = events.fail(claimed, at=at, error_code="refused")
        parked = attempt == events.MAX_ATTEMPTS
        assert state == (DeliveryState.FAILED if parked else DeliveryState.PENDING)
        waits.append(EventDelivery.objects.get(follower=MAILER).due_at - at)
        at += waits[-1]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (events.FIRST_BACKOFF, events.LONGEST_BACKOFF)
    assert events.claim_deliveries(MAILER, 10, at + timedelta(days=9)) == []
    assert events.retry([claimed.id], at=at) == 1
    assert len(events.claim_deliveries(MAILER, 10, at)) == 1


@pytest.mark.django_db
def test_an_event_that_kills_its_follower_is_parked_too() -> None:
    member = make.member()
    events.sync_subscriptions({MAILER: ["a"]})
    announce(member, "a")
    at, claims = AT, 0
    while events.claim_deliveries(MAILER, 10, at):
        at, claims = at + events.LEASE, claims + 1
    assert claims == events.MAX_ATTEMPTS
    parked = EventDelivery.objects.get(follower=MAILER)
    assert (parked.state, parked.error_code) == ("failed", "follower_died")


def test_parallel_claims_share_the_work_without_overlap(own_database: str) -> None:
    member = make.member()
    events.sync_subscriptions({MAILER: ["a"]})
    announce(member, *["a"] * 100)
    barrier = threading.Barrier(8)

    def work(_number: int) -> list[int]:
        try:
            barrier.wait(timeout=30)
            taken: list[int] = []
            while claimed := events.claim_deliveries(MAILER, 7, AT):
                taken += [delivery.id for delivery in claimed]
            return taken
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        taken = [one for part in pool.map(work, range(8)) for one in part]
    assert len(taken) == len(set(taken)) == 100
