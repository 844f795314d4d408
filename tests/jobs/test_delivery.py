"""Followers get every event, each one's effect once, whatever fails."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connections

from config.base.errors import DomainError
from members import tasks
from members.models import Case, EventDelivery, Member
from members.models.event import DeliveryState
from members.services import delivery, events
from members.services.delivery import Follower
from members.services.events import Delivery, NewEvent
from tests.factories import members as make
from tests.factories.members import AT

NAME = "case_opener"
KIND = "order.recorded"
NOW = AT + timedelta(minutes=1)


def opens_case(each: Delivery) -> None:
    Case.objects.create(
        member_id=each.member_id, code="seen", details={"event": each.event_id}, opened_at=AT
    )


def follow(handle: Callable[[Delivery], None], name: str = NAME) -> None:
    delivery.register(Follower(name, frozenset({KIND}), handle))
    delivery.sync_subscriptions()


def announce(member: Member, count: int, at: datetime = AT) -> None:
    events.append([NewEvent(member.pk, KIND, at, at, {"n": n}) for n in range(count)])


def states() -> Sequence[str]:
    return list(EventDelivery.objects.order_by("event_id").values_list("state", flat=True))


@pytest.mark.django_db
def test_a_follower_gets_each_event_of_its_kinds_once(no_followers: None) -> None:
    follow(opens_case)
    member = make.member()
    announce(member, 3)
    assert delivery.deliver(follower=NAME, at=NOW) == 3
    assert delivery.deliver(follower=NAME, at=NOW) == 0
    assert Case.objects.filter(member=member).count() == 3
    assert states() == [DeliveryState.DONE] * 3


@pytest.mark.django_db
def test_what_a_failing_follower_did_is_undone_and_the_next_event_is_handed_over(
    no_followers: None, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(each: Delivery) -> None:
        opens_case(each)
        if each.payload["n"] == 0:
            raise DomainError("too_early", "call 13900000000 later")

    follow(refuse)
    announce(make.member(), 2)
    delivery.deliver(follower=NAME, at=NOW)
    assert Case.objects.count() == 1
    assert states() == [DeliveryState.PENDING, DeliveryState.DONE]
    owed = EventDelivery.objects.get(state=DeliveryState.PENDING)
    assert (owed.error_code, owed.due_at) == ("too_early", NOW + events.FIRST_BACKOFF)
    assert "too_early" in caplog.text
    assert "13900000000" not in caplog.text


@pytest.mark.django_db
def test_a_poisonous_event_is_parked_and_blocks_nobody(no_followers: None) -> None:
    def refuse(each: Delivery) -> None:
        raise ZeroDivisionError

    follow(refuse)
    announce(make.member(), 1)
    at = NOW
    for _attempt in range(events.MAX_ATTEMPTS + 3):
        delivery.deliver(follower=NAME, at=at)
        at += timedelta(hours=2)
    parked = EventDelivery.objects.get()
    assert (parked.state, parked.attempts) == (DeliveryState.FAILED, events.MAX_ATTEMPTS)
    announce(make.member(), 1, at)
    assert delivery.deliver(follower=NAME, at=at) == 1


@pytest.mark.django_db
def test_a_claim_that_was_lost_meanwhile_has_no_effect(no_followers: None) -> None:
    def slow(each: Delivery) -> None:
        opens_case(each)
        # While this one works, the lease ends and another claim gets it done.
        events.complete(events.claim_deliveries(NAME, 10, NOW + events.LEASE))

    def again(each: Delivery) -> None:
        opens_case(each)
        events.complete([each])

    follow(again)
    announce(make.member(), 1)
    delivery.deliver(follower=NAME, at=NOW)
    assert not Case.objects.exists(), "the one that did it has its effect, not this one"


def follow_many(handle: Callable[[Delivery], None], batches: list[int]) -> None:
    """Follow with one who is handed batches, and note how large they are."""

    def handle_many(each: Sequence[Delivery]) -> None:
        batches.append(len(each))
        for one in each:
            handle(one)

    kinds = frozenset({KIND})
    delivery.register(Follower(NAME, kinds, handle, handle_many=handle_many))
    delivery.sync_subscriptions()


@pytest.mark.django_db
def test_who_takes_many_is_handed_them_at_once_and_event_by_event_where_that_fails(
    no_followers: None,
) -> None:
    def refuse(each: Delivery) -> None:
        opens_case(each)
        if each.payload["n"] == 3:
            raise ZeroDivisionError

    batches: list[int] = []
    follow_many(refuse, batches)
    announce(make.member(), 3)
    delivery.deliver(follower=NAME, at=NOW)
    assert (batches, states()) == ([3], [DeliveryState.DONE] * 3)

    announce(make.member(), 5)
    delivery.deliver(follower=NAME, at=NOW)
    assert batches == [3, 5]
    assert states().count(DeliveryState.DONE) == 7
    assert Case.objects.count() == 7, "what the batch had done was undone"

    announce(make.member(), 3, NOW + events.FIRST_BACKOFF)
    delivery.deliver(follower=NAME, at=NOW + events.FIRST_BACKOFF)
    assert batches == [3, 5], "what was tried before may be what kills"
    assert states().count(DeliveryState.DONE) == 10


@pytest.mark.django_db
def test_a_batch_with_a_claim_that_was_lost_has_no_effect(no_followers: None) -> None:
    def slow(each: Delivery) -> None:
        opens_case(each)
        events.complete([each])

    follow_many(slow, [])
    announce(make.member(), 2)
    delivery.deliver(follower=NAME, at=NOW)
    assert not Case.objects.exists(), "the one that did it has its effect, not this one"


@pytest.mark.django_db
def test_what_a_batch_has_taken_of_the_lease_is_not_had_again(
    no_followers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]

    def slow(each: Sequence[Delivery]) -> None:
        seconds[0] += events.LEASE.total_seconds()
        raise ZeroDivisionError

    monkeypatch.setattr(delivery, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    delivery.register(Follower(NAME, frozenset({KIND}), opens_case, handle_many=slow))
    delivery.sync_subscriptions()
    announce(make.member(), 2)
    delivery.deliver(follower=NAME, at=NOW)
    assert not Case.objects.exists(), "by now the claim may be another's"
    delivery.deliver(follower=NAME, at=NOW + events.LEASE)
    assert Case.objects.count() == 2


@pytest.mark.django_db
def test_one_name_is_one_follower(no_followers: None) -> None:
    follow(opens_case)
    with pytest.raises(ValueError, match=NAME):
        delivery.register(Follower(NAME, frozenset(), opens_case))
    with pytest.raises(delivery.FollowerUnknownError):
        delivery.deliver(follower="nobody", at=NOW)


@pytest.mark.django_db
def test_the_task_goes_on_until_nothing_is_due(no_followers: None) -> None:
    follow(opens_case)
    now = datetime.now(UTC)
    announce(make.member(), 2 * delivery.BATCH + 1, now)
    tasks.deliver_events(NAME)
    assert states() == [DeliveryState.DONE] * (2 * delivery.BATCH + 1)


@pytest.mark.django_db
def test_the_task_stops_when_its_time_is_over(
    no_followers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "DRAIN_SECONDS", -1.0)
    follow(opens_case)
    announce(make.member(), 2 * delivery.BATCH, datetime.now(UTC))
    tasks.deliver_events(NAME)
    assert states().count(DeliveryState.DONE) == delivery.BATCH


def test_many_workers_deliver_each_event_once(own_database: str, no_followers: None) -> None:
    follow(opens_case)
    announce(make.member(), 150)
    barrier = threading.Barrier(6)

    def work(_number: int) -> None:
        try:
            barrier.wait(timeout=30)
            while delivery.deliver(follower=NAME, at=NOW):
                pass
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    seen = Case.objects.values_list("details__event", flat=True)
    assert len(seen) == len(set(seen)) == 150
