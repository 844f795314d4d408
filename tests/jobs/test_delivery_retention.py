"""That a follower has had an event is forgotten after some days; what is still owed never is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from config.base import audit, clock
from config.base.jobs import Turn
from config.wiring import audits, due
from members.models import EventDelivery, MemberEvent
from members.models.event import DeliveryState
from members.services import delivery, events
from members.services.delivery import Follower
from members.services.events import Delivery, NewEvent
from tests.factories import members as make

NAME, KIND = "mailer", "order.recorded"
KEPT = timedelta(days=30)
MOMENT = timedelta(microseconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def announce(no_followers: None) -> Callable[[datetime, int], None]:
    """Return how to append events of a member whom a follower hears of."""
    delivery.register(Follower(NAME, frozenset({KIND}), hear))
    delivery.sync_subscriptions()
    member = make.member()

    def append(at: datetime, count: int) -> None:
        events.append([NewEvent(member.pk, KIND, at, at, {"n": n}) for n in range(count)])

    return append


def hear(each: Delivery) -> None:
    """Do nothing."""


def forget(at: datetime) -> int:
    return due.forget_deliveries(Turn(at, at, lambda done, total: None))


def test_done_deliveries_go_after_their_days_and_events_stay(
    announce: Callable[[datetime, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "PRUNE_BATCH", 2)
    at = clock.now()
    announce(at, 5)
    assert delivery.deliver(follower=NAME, at=at) == 5
    done_at = at + events.LEASE
    assert forget(done_at + KEPT) == 0
    assert forget(done_at + KEPT + MOMENT) == 5
    assert forget(done_at + KEPT + MOMENT) == 0
    assert EventDelivery.objects.count() == 0
    assert MemberEvent.objects.filter(kind=KIND).count() == 5


def test_what_is_owed_or_parked_stays(announce: Callable[[datetime, int], None]) -> None:
    at = clock.now()
    announce(at, 3)
    owed, parked, done = EventDelivery.objects.order_by("id")
    EventDelivery.objects.filter(pk=parked.pk).update(state=DeliveryState.FAILED)
    EventDelivery.objects.filter(pk=done.pk).update(state=DeliveryState.DONE)
    assert forget(at + 10 * KEPT) == 1
    assert list(EventDelivery.objects.order_by("id")) == [owed, parked]


def test_the_days_are_a_setting(
    announce: Callable[[datetime, int], None], settings: Settings
) -> None:
    settings.LOYALTY_DELIVERIES_KEPT_DAYS = 3
    at = clock.now()
    announce(at, 1)
    delivery.deliver(follower=NAME, at=at)
    assert forget(at + timedelta(days=3)) == 0
    assert forget(at + timedelta(days=4)) == 1


def test_the_audit_misses_only_what_is_still_kept(
    announce: Callable[[datetime, int], None],
) -> None:
    at = datetime.now(UTC) - 2 * KEPT
    announce(at, 3)
    parked, *_others = EventDelivery.objects.order_by("id").values_list("pk", flat=True)
    EventDelivery.objects.exclude(pk=parked).update(state=DeliveryState.DONE)
    announce(datetime.now(UTC), 2)
    assert forget(datetime.now(UTC)) == 2
    assert missing() == 0
    EventDelivery.objects.order_by("-id")[0].delete()
    assert missing() == 1


def missing() -> int:
    """Return how many deliveries the audit misses."""
    audits.install()
    (check,) = audit.select(["event_delivered"])
    return audit.run_one(check).count
