"""What campaigns say to an event is on its way at once: no job of the day is waited for."""

from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns import tasks
from campaigns.models import Message, MessageState
from campaigns.services import triggering
from config.base import clock
from config.bench import reaction
from config.wiring import followers
from members.models import EventDelivery
from members.models.event import DeliveryState
from members.services import delivery
from members.services.events import Delivery
from rewards.presets import PRESETS
from rewards.services import presets
from tests.engine.shop import day
from tests.triggers.world import World, keys, told

pytestmark = pytest.mark.req("CMP-05")


def test_a_milestone_leads_to_a_message_without_any_job_of_time(world: World) -> None:
    member = world.join("m")
    campaign = world.run({"kind": "order", "steps": ["500"], "window": "year"}, at=1)
    world.buy(member, "A", 300, on=2)
    tasks.react()
    assert told(campaign) == []
    world.buy(member, "B", 200, on=3)
    clock.advance_programme_time(day(3))

    tasks.react()

    said = Message.objects.get(trigger=f"campaign:{campaign.code}")
    assert (said.member, said.occurrence) == (member, "2026:500")
    assert (said.state, said.channel) == (MessageState.DELIVERED, "inbox")


def test_many_events_take_as_many_statements_as_few(world: World) -> None:
    campaign = world.run({"kind": "order"}, at=1)
    statements = []
    for count in (3, 12):
        buyers = [world.join(f"m{count}-{number}") for number in range(count)]
        for buyer in buyers:
            world.buy(buyer, f"order-{buyer.pk}", 50, on=2)
        with CaptureQueriesContext(connection) as captured:
            assert delivery.deliver(follower=triggering.FOLLOWER, at=day(2)) == count
        statements.append(len(captured))
    assert statements[1] <= statements[0] + 2
    assert len(keys(campaign)) == 15


def test_an_event_that_cannot_be_followed_keeps_no_other_from_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = world.run({"kind": "order"}, at=1)
    buyers = [world.join(f"m{number}") for number in range(3)]
    for buyer in buyers:
        world.buy(buyer, f"order-{buyer.pk}", 50, on=2)
    follow = triggering.follow

    def poisoned(deliveries: Sequence[Delivery], **terms: object) -> int:
        done = follow(deliveries, **terms)  # type: ignore[arg-type]  # passed on as it came
        if any(each.member_id == buyers[1].pk for each in deliveries):
            raise ZeroDivisionError
        return done

    monkeypatch.setattr(triggering, "follow", poisoned)
    world.follow()

    assert len(keys(campaign)) == 2
    owed = EventDelivery.objects.get(state=DeliveryState.PENDING, follower=triggering.FOLLOWER)
    assert owed.event.member_id == buyers[1].pk
    monkeypatch.undo()
    world.follow(owed.due_at)
    assert len(keys(campaign)) == 3


@pytest.mark.prove
def test_messages_follow_orders_within_seconds_each_once(own_database: str) -> None:
    followers.install()
    presets.load(preset=PRESETS["classic"], at=clock.now())

    done = reaction.measure(orders=400, rate=20)

    assert len(done.seconds) == 400
    assert done.share(0.95) < reaction.BOUND_SECONDS
