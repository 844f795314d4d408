"""What starts campaigns from the log: each kind, once for each occurrence, never by itself."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import CampaignAct, OccurrenceState, TriggerOccurrence
from campaigns.services import launching, triggering
from members.models import EventDelivery, MemberEvent, MemberStatus, Order, Subscription
from members.services import events
from members.services.events import NewEvent
from rewards.services import many_points
from tests.engine.shop import day, interaction, line, order
from tests.triggers.world import World, acts, hour, keys, told

pytestmark = pytest.mark.req("CMP-01")

POINTS = {"kind": "points", "points": 50}


def order_keys(world: World, trigger: dict[str, Any]) -> list[str]:
    """Return the keys by which a campaign acts on three orders of a member."""
    member = world.join("m")
    campaign = world.run({"kind": "order", **trigger}, at=1)
    world.buy(member, "A", 80, on=2)
    world.buy(member, "B", 120, on=3)
    world.buy(member, "C", 300, on=33)
    world.follow()
    return keys(campaign)


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ({"nth": 1}, ["nth:1"]),
        ({"nth": 2}, ["nth:2"]),
        ({"nth": 4}, []),
        ({"steps": ["100", "250"]}, ["order:100", "order:100", "order:250"]),
        ({"steps": ["100", "200"], "window": "month"},
         ["2026-03:100", "2026-03:200", "2026-04:100", "2026-04:200"]),
        ({"steps": ["200", "500"], "window": "year"}, ["2026:200", "2026:500"]),
        ({"steps": ["100", "500", "501"], "window": "campaign"}, ["campaign:100", "campaign:500"]),
        ({"categories": ["tea"]}, []),
    ],
)  # fmt: skip
def test_orders_start_campaigns(world: World, trigger: dict[str, Any], expected: list[str]) -> None:
    found = order_keys(world, trigger)
    if trigger.get("window") is None and "steps" in trigger:
        found = [f"order:{key.rsplit(':', 1)[1]}" for key in found]
    assert found == expected


def test_only_orders_with_a_line_of_a_category_start_it(world: World) -> None:
    member = world.join("m")
    campaign = world.run({"kind": "order", "categories": ["tea"]}, at=1)
    for number, category in (("A", "wine"), ("B", "tea")):
        lines = (replace(line(1, 100), category=category),)
        world.send(order(member, number, on=2, lines=lines), at=2)
    world.follow()
    made = Order.objects.get(order_no="B")
    assert keys(campaign) == [f"order:{made.pk}"]


def test_an_order_of_at_least_an_amount_starts_it_once(world: World) -> None:
    member = world.join("m")
    campaign = world.run({"kind": "order", "min_amount": "100"}, at=1)
    world.buy(member, "A", 99, on=2)
    world.buy(member, "A", 150, on=2, version=2, changed=3)
    world.buy(member, "A", 170, on=2, version=3, changed=4)
    world.follow()
    assert len(acts(campaign)) == 1
    assert told(campaign) == keys(campaign)


def test_orders_from_before_the_campaign_do_not_start_it(world: World) -> None:
    member = world.join("m")
    campaign = world.run({"kind": "order"}, at=5)
    world.buy(member, "A", 100, on=2, at=6)
    world.follow()
    assert acts(campaign) == []


def test_a_cancelled_order_starts_nothing(world: World) -> None:
    member = world.join("m")
    campaign = world.run({"kind": "order"}, at=1)
    world.buy(member, "A", 100, on=2, status="cancelled")
    world.follow()
    assert acts(campaign) == []


def test_the_same_event_again_does_nothing(world: World) -> None:
    member = world.join("m")
    campaign = world.run({"kind": "order"}, at=1)
    world.buy(member, "A", 100, on=2)
    world.follow()
    EventDelivery.objects.filter(follower=triggering.FOLLOWER).update(state="pending")
    world.follow()
    assert len(acts(campaign)) == len(told(campaign)) == 1


def test_interactions_and_scores_start_campaigns(world: World) -> None:
    member = world.join("m")
    first = world.run({"kind": "interaction", "interactions": ["survey"], "first_only": True}, at=1)
    each = world.run({"kind": "interaction", "interactions": ["survey", "referral"]}, at=1)
    low = world.run({"kind": "survey", "max_score": 6}, at=1)
    for number, score in enumerate([9, 6, None, True, 0]):
        said = _scored(member, number, score)
        world.send(said, at=2 + number)
    world.do(member, "r", "referral", on=9)
    world.follow()
    assert keys(first) == ["first:survey"]
    assert len(keys(each)) == 6
    assert len(keys(low)) == 2


def _scored(member: Any, number: int, score: object) -> Any:
    return replace(
        interaction(member, f"s{number}", "survey", on=2 + number), data={"score": score}
    )


def test_enrolments_start_campaigns_by_channel(world: World) -> None:
    every = world.run({"kind": "enrolment"})
    web = world.run({"kind": "enrolment", "channels": ["web"]})
    member = world.join("m", at=1)
    world.follow(day(1))
    assert acts(every) == [(member.pk, "enrolment")]
    assert acts(web) == []


def test_tiers_start_campaigns_when_they_rise_fall_or_are_about_to(world: World) -> None:
    member = world.join("m")
    up = world.run({"kind": "tier_up"})
    to_diamond = world.run({"kind": "tier_up", "tiers": ["diamond"]})
    down = world.run({"kind": "tier_lapsed"})
    near = world.run({"kind": "tier_lapsing", "tiers": ["silver"]})
    world.buy(member, "A", 1000, on=1)
    world.follow()
    assert keys(up) == ["silver:2026-03-03"]
    told_of = {"tier": "silver", "kept_until": "2027-03-03", "days_left": 30}
    event(world, member.pk, "tier.lapse_warning", told_of, on=340)
    event(world, member.pk, "tier.changed", {"from": "silver", "to": "basic"}, on=366)
    world.follow()
    assert keys(down) == ["basic:2027-03-03"]
    assert keys(near) == ["silver:2027-03-03"]
    assert keys(to_diamond) == []


def event(
    world: World, member: int, kind: str, payload: dict[str, Any], *, on: float, caused_by: str = ""
) -> None:
    """Append an event that other parts append in production."""
    world.now = max(world.now, day(on))
    events.append([NewEvent(member, kind, day(on), day(on), payload, caused_by)])


@pytest.mark.req("SEG-13")
def test_segments_and_stages_start_campaigns(world: World) -> None:
    member = world.join("m")
    entered = world.run({"kind": "segment_entered", "segment": "core"})
    left = world.run({"kind": "segment_left", "segment": "core"})
    asleep = world.run({"kind": "lifecycle", "stages": ["dormant"]})
    event(world, member.pk, "segment.entered", {"segment": "core"}, on=1)
    event(world, member.pk, "segment.entered", {"segment": "other"}, on=1)
    event(world, member.pk, "segment.left", {"segment": "core"}, on=2)
    event(world, member.pk, "lifecycle.changed", {"from": "retain", "to": "dormant"}, on=3)
    event(world, member.pk, "lifecycle.changed", {"from": "dormant", "to": "won_back"}, on=4)
    world.follow()
    assert [len(acts(each)) for each in (entered, left, asleep)] == [1, 1, 1]


def test_a_campaign_cools_down_for_a_member(world: World) -> None:
    member, other = world.join("m"), world.join("n")
    campaign = world.run({"kind": "lifecycle", "stages": ["dormant"], "cooldown_days": 90})
    for on in (10, 50, 99.5, 100.5):
        event(world, member.pk, "lifecycle.changed", {"to": "dormant"}, on=on)
    event(world, other.pk, "lifecycle.changed", {"to": "dormant"}, on=51)
    world.follow()
    happened = CampaignAct.objects.filter(campaign=campaign, skipped="").order_by("occurred_at")
    assert list(happened.values_list("member_id", "occurred_at")) == [
        (member.pk, day(10)), (other.pk, day(51)), (member.pk, day(100.5)),
    ]  # fmt: skip


def test_a_closed_complaint_starts_a_campaign(world: World) -> None:
    member = world.join("m")
    campaign = world.run({"kind": "case_closed"})
    event(world, member.pk, "case.closed", {"case": 7, "kind": "complaint"}, on=1)
    event(world, member.pk, "case.closed", {"case": 7, "kind": "complaint"}, on=2)
    event(world, member.pk, "case.closed", {"case": 8, "kind": "enquiry"}, on=2)
    world.follow()
    assert keys(campaign) == ["case:7"]


def test_a_campaign_never_acts_on_what_it_has_caused_itself(world: World) -> None:
    member = world.join("m")
    mine = world.run({"kind": "segment_entered", "segment": "core"}, code="ab")
    other = world.run({"kind": "segment_entered", "segment": "core"}, code="abc")
    event(world, member.pk, "segment.entered", {"segment": "core"}, on=1, caused_by="campaign:ab")
    world.follow()
    assert acts(mine) == []
    assert len(acts(other)) == 1


def test_only_the_kinds_that_running_campaigns_want_are_followed(world: World) -> None:
    def followed() -> set[str]:
        rows = Subscription.objects.filter(follower=triggering.FOLLOWER)
        return set(rows.values_list("kind", flat=True))

    assert followed() == set()
    campaign = world.run({"kind": "order"})
    world.run({"kind": "birthday"})
    assert followed() == {"order.recorded"}
    launching.end(campaign_id=campaign.pk, actor="t", at=day(1))
    assert followed() == set()
    world.buy(world.join("m"), "A", 100, on=2)
    assert not EventDelivery.objects.filter(follower=triggering.FOLLOWER).exists()


def test_nobody_else_decides_what_is_followed_while_that_is_read(db: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        triggering.follow_wanted()
    said = [each["sql"] for each in captured]
    held = next(at for at, sql in enumerate(said) if "pg_advisory_xact_lock" in sql)
    assert held < next(at for at, sql in enumerate(said) if "campaigns_campaign" in sql)


@pytest.mark.req("ENG-26")
def test_a_series_stops_at_the_purchase(world: World) -> None:
    third = world.run(
        {"kind": "enrolment", "delay_days": 3, "hour": 10, "stop_if": "purchase"}
    )  # fmt: skip
    again = world.run(
        {"kind": "order", "nth": 1, "delay_days": 14, "hour": 10, "stop_if": "purchase"}
    )
    idle, buyer, twice = (world.join(name, at=0.1) for name in ("idle", "buyer", "twice"))
    world.buy(buyer, "A", 10, on=2)
    world.buy(twice, "B", 10, on=2)
    world.buy(twice, "C", 10, on=9)
    world.follow()
    world.pass_to(hour(3, 9))
    assert acts(third) == []
    world.pass_to(hour(3, 10))
    assert acts(third) == [(idle.pk, "enrolment")]
    world.pass_to(hour(16, 11))
    assert acts(again) == [(buyer.pk, "nth:1")]
    states = TriggerOccurrence.objects.order_by("campaign_id", "member_id")
    assert list(states.values_list("state", "reason")) == [
        ("done", ""), ("stopped", "purchased"), ("stopped", "purchased"),
        ("done", ""), ("stopped", "purchased"),
    ]  # fmt: skip


@pytest.mark.req("ENG-14")
def test_a_follow_up_is_dropped_with_its_order(world: World) -> None:
    member = world.join("m")
    follow_up = world.run({"kind": "order", "delay_days": 7, "hour": 10})
    for number in ("A", "B"):
        world.buy(member, number, 10, on=1)
    world.follow()
    world.buy(member, "B", 10, on=1, version=2, changed=3, status="cancelled")
    world.pass_to(hour(8, 10))
    assert len(acts(follow_up)) == 1
    assert TriggerOccurrence.objects.get(state=OccurrenceState.STOPPED).reason == "order_gone"


@pytest.mark.req("ENG-14")
def test_a_follow_up_may_be_a_task_for_staff(world: World) -> None:
    member = world.join("m")
    world.run(
        {"kind": "order", "delay_days": 7, "hour": 10}, messages=[],
        effects=[{"kind": "case", "title": "Call the member"}],
    )  # fmt: skip
    world.buy(member, "A", 10, on=1)
    world.pass_to(hour(8, 10))
    assert member.cases.count() == 1


def test_late_news_is_not_told_but_what_is_owed_is_given(world: World) -> None:
    member = world.join("m")
    tells = world.run({"kind": "order", "stale_hours": 24})
    gives = world.run(
        {"kind": "order", "stale_hours": 24}, effects=[{"kind": "points", "points": 50}]
    )
    world.buy(member, "A", 10, on=1, at=4)
    world.pass_to(day(4))
    assert not acts(tells)
    assert told(tells) == told(gives) == []
    assert len(acts(gives)) == 1
    assert world.balance(member)[1] == 60
    noted = TriggerOccurrence.objects.get(campaign=tells)
    assert (noted.state, noted.reason) == ("stale", "stale")


def test_paused_campaigns_do_not_act_and_go_on_after(world: World) -> None:
    member = world.join("m")
    campaign = world.run({"kind": "order", "delay_days": 1})
    launching.pause(campaign_id=campaign.pk, actor="t", at=day(0.5))
    world.buy(member, "A", 10, on=1)
    world.pass_to(day(3))
    assert acts(campaign) == []
    launching.resume(campaign_id=campaign.pk, actor="t", at=day(3))
    world.buy(member, "B", 10, on=4)
    world.pass_to(day(5))
    assert len(acts(campaign)) == 1


def test_what_an_ended_campaign_waited_for_is_dropped(world: World) -> None:
    campaign = world.run({"kind": "order", "delay_days": 5})
    world.buy(world.join("m"), "A", 10, on=1)
    world.follow()
    launching.end(campaign_id=campaign.pk, actor="t", at=day(2))
    world.pass_to(day(9))
    assert TriggerOccurrence.objects.get().reason == "campaign_ended"


def test_members_who_are_gone_start_nothing(world: World) -> None:
    member = world.join("m")
    campaign = world.run({"kind": "segment_entered", "segment": "core"})
    world.set_status(member, MemberStatus.CLOSED)
    event(world, member.pk, "segment.entered", {"segment": "core"}, on=1)
    world.follow()
    assert acts(campaign) == []
    assert MemberEvent.objects.filter(kind="campaign.acted").count() == 0


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Note what is locked: the members whose accounts are, or that a campaign is."""
    noted: list[object] = []
    hold_accounts = many_points.hold_accounts

    def hold(members: Collection[int]) -> None:
        noted.append(set(members))
        hold_accounts(members)

    def note(execute: Any, sql: str, *arguments: Any) -> Any:
        if "NO KEY UPDATE" in sql and 'FROM "campaigns_campaign"' in sql:
            noted.append("campaign")
        return execute(sql, *arguments)

    monkeypatch.setattr(many_points, "hold_accounts", hold)
    with connection.execute_wrapper(note):
        yield noted


def test_accounts_are_locked_before_campaigns_where_one_event_starts_several(
    world: World, locks: list[object]
) -> None:
    member = world.join("m")
    world.run({"kind": "order"})
    world.run({"kind": "order"}, effects=[POINTS])
    locks.clear()
    world.buy(member, "A", 10, on=1)
    world.follow()
    assert locks[:2] == [{member.pk}, "campaign"]


def test_accounts_are_locked_before_campaigns_where_several_have_waited(
    world: World, locks: list[object]
) -> None:
    member, other = world.join("m"), world.join("n")
    for segment in ("core", "new"):
        trigger = {"kind": "segment_entered", "segment": segment, "delay_days": 1}
        world.run(trigger, effects=[POINTS])
    event(world, member.pk, "segment.entered", {"segment": "core"}, on=1)
    event(world, other.pk, "segment.entered", {"segment": "new"}, on=1)
    world.follow()
    locks.clear()
    world.pass_to(day(3))
    assert locks[:2] == [{member.pk, other.pk}, "campaign"]
    assert [world.balance(each)[1] for each in (member, other)] == [50, 50]
