"""What the calendar starts: each kind on its day and hour, caught up after downtime, once."""

from datetime import date, timedelta
from typing import Any

import pytest

from campaigns.domain.triggers import instant
from campaigns.models import CampaignAct, Festival, TriggerMark
from campaigns.services import firing, launching, trigger_calendar, trigger_days, variables
from config.base import clock
from members.models import Member, MemberProfile
from rewards.models import Lot
from tests.engine.shop import day
from tests.factories import campaigns
from tests.triggers.world import World, acts, hour, keys, told

pytestmark = pytest.mark.req("CMP-01", "ENG-11")

EXPIRY = ["points.expiring.points", "points.expiring.on"]


def born(member: Member, month: int, of_month: int) -> Member:
    """Say when a member was born."""
    MemberProfile.objects.update_or_create(
        member=member, defaults={"birth_month": month, "birth_day": of_month}
    )
    return member


def joined(world: World, name: str, on: str) -> Member:
    """Enrol a member, long ago."""
    member = world.join(name)
    Member.objects.filter(pk=member.pk).update(joined_at=instant(date.fromisoformat(on), 15))
    return member


def run_days(world: World, first: float, last: int) -> None:
    """Let the scheduler run at noon of days."""
    for number in range(int(first), last + 1):
        world.pass_to(day(number))


def test_birthdays_are_thought_of_at_their_hour(world: World) -> None:
    """Day 10 is 12 March."""
    member = born(world.join("m"), 3, 12)
    born(world.join("n"), 3, 13)
    campaign = world.run({"kind": "birthday", "hour": 9})
    ahead = world.run({"kind": "birthday", "hour": 9, "days_before": 7, "stale_hours": 240})
    month = world.run({"kind": "birthday", "moment": "month_begin"})
    world.pass_to(hour(10, 8))
    assert acts(campaign) == []
    world.pass_to(hour(10, 9))
    world.pass_to(hour(10, 23))
    assert acts(campaign) == [(member.pk, "2026")]
    assert acts(ahead)[0] == (member.pk, "2026")
    assert acts(month) == []
    world.pass_to(hour(11, 9))
    assert keys(campaign) == ["2026", "2026"]
    world.pass_to(instant(date(2027, 3, 1), 10))
    assert keys(month) == ["2027", "2027"]


def test_a_birthday_of_29_february_is_on_28_in_other_years(world: World) -> None:
    member = born(world.join("m"), 2, 29)
    campaign = world.run({"kind": "birthday", "stale_hours": 10})
    for year, of_month in ((2027, 28), (2028, 29)):
        point = instant(date(year, 2, of_month), 10)
        world.pass_to(point - timedelta(minutes=1))
        before = len(acts(campaign))
        world.pass_to(point)
        assert acts(campaign)[before:] == [(member.pk, str(year))]


@pytest.mark.req("ENG-12")
def test_anniversaries_count_years(world: World) -> None:
    member = joined(world, "m", "2024-03-12")
    leap = joined(world, "n", "2024-02-29")
    MemberProfile.objects.filter(member=member).update(first_purchase_on=date(2023, 3, 14))
    late = {"stale_hours": 1440}
    since = world.run({"kind": "membership", **late})
    third = world.run({"kind": "membership", "years": [3], **late})
    bought = world.run({"kind": "first_purchase", **late})
    months = world.run({"kind": "tenure", "unit": "months", "lengths": [25, 36], **late})
    days = world.run({"kind": "tenure", "unit": "days", "lengths": [735], **late})
    world.pass_to(day(14))
    assert acts(since) == [(member.pk, "years:2")]
    assert acts(bought) == [(member.pk, "years:3")]
    assert acts(third) == []
    assert acts(days) == [(leap.pk, "days:735")]
    world.pass_to(day(41))
    assert acts(months) == [(leap.pk, "months:25"), (member.pk, "months:25")]
    world.pass_to(instant(date(2027, 2, 28), 10))
    assert acts(third) == [(leap.pk, "years:3")], "29 February is 28 February"
    assert acts(since)[-1] == (leap.pk, "years:3")
    world.pass_to(instant(date(2027, 3, 12), 10))
    assert keys(months)[2:] == ["months:36", "months:36"]
    assert acts(third) == [(leap.pk, "years:3"), (member.pk, "years:3")]


@pytest.mark.req("PTS-07")
def test_points_are_spoken_of_before_they_expire_if_any_are_left(world: World) -> None:
    member, spender, other = (world.join(name) for name in ("m", "spender", "other"))
    for who in (member, spender):
        world.buy(who, f"{who.pk}", 300, on=1)
    world.buy(other, "o", 300, on=40)
    last = Lot.objects.filter(member=member).get().expires_at
    assert last is not None
    last_day = clock.local_day(last - timedelta(microseconds=1))
    ahead = {
        days: world.run({"kind": "points_expiring", "days": days, "hour": 10}, at=50)
        for days in (30, 7, 1)
    }
    world.adjust(spender, -300, on=60)
    world.adjust(member, -120, on=61)
    for days in (30, 7, 1):
        point = instant(last_day - timedelta(days=days), 10)
        world.pass_to(point - timedelta(minutes=1))
        assert acts(ahead[days]) == []
        world.pass_to(point)
        assert acts(ahead[days]) == [(member.pk, last_day.isoformat())]
        said = variables.read(EXPIRY, [member.pk], point)
        assert said["points.expiring.points"][member.pk] == 180, "part of it has been spent"
        assert said["points.expiring.on"][member.pk] == last_day


@pytest.mark.req("ENG-18")
def test_dormancy_is_counted_from_the_last_order_that_counts(world: World) -> None:
    asleep, back, cancelled = (world.join(name) for name in ("asleep", "back", "cancelled"))
    campaign = world.run({"kind": "dormancy", "days": 60})
    for who in (asleep, back, cancelled):
        world.buy(who, f"{who.pk}", 10, on=1)
    world.buy(back, "again", 10, on=60)
    world.buy(cancelled, "no", 10, on=30, status="cancelled")
    world.pass_to(hour(61, 9))
    assert acts(campaign) == []
    world.pass_to(hour(61, 10))
    since = f"since:{clock.local_day(day(1))}"
    assert acts(campaign) == [(asleep.pk, since), (cancelled.pk, since)]
    run_days(world, 62, 64)
    assert len(acts(campaign)) == 2
    world.pass_to(hour(120, 10))
    assert acts(campaign)[2:] == [(back.pk, f"since:{clock.local_day(day(60))}")]


def test_festivals_follow_what_operators_say(world: World) -> None:
    member = world.join("m")
    campaign = world.run({"kind": "festival", "festival": "dragon_boat", "days_before": 2})
    own = world.run({"kind": "festival", "festival": "own"})
    Festival.objects.create(
        code="own", name_zh="店庆", rule={"kind": "dates", "dates": ["2026-03-10"]}
    )
    world.pass_to(day(9))
    world.pass_to(instant(date(2026, 6, 17), 10))
    assert acts(campaign) == [(member.pk, "dragon_boat:2026-06-19")]
    assert keys(own) == ["own:2026-03-10"]
    Festival.objects.filter(code="dragon_boat").update(is_enabled=False)
    world.pass_to(instant(date(2027, 6, 30), 10))
    assert len(acts(campaign)) == 1


@pytest.mark.req("PTS-06")
@pytest.mark.parametrize(
    ("trigger", "days"),
    [
        ({"kind": "member_day", "day": 8}, ["2026-03-08"]),
        ({"kind": "member_day", "weekday": 2},
         ["2026-03-03", "2026-03-10", "2026-03-17", "2026-03-24", "2026-03-31"]),
        ({"kind": "member_day", "day": 31}, ["2026-03-31"]),
        ({"kind": "schedule", "repeat": "once", "on": "2026-03-20"}, ["2026-03-20"]),
        ({"kind": "schedule", "repeat": "monthly", "day": 30}, ["2026-03-30"]),
        ({"kind": "schedule", "repeat": "weekly", "weekday": 7},
         ["2026-03-08", "2026-03-15", "2026-03-22", "2026-03-29"]),
    ],
)  # fmt: skip
def test_days_for_everybody_come_as_often_as_they_say(
    world: World, trigger: dict[str, Any], days: list[str]
) -> None:
    world.join("m")
    campaign = world.run({**trigger, "stale_hours": 1440})
    world.pass_to(day(30))
    assert keys(campaign) == days


def test_downtime_is_made_up_for_without_stale_news(world: World) -> None:
    world.join("m")
    tells = world.run({"kind": "schedule", "repeat": "daily", "stale_hours": 30})
    gives = world.run(
        {"kind": "schedule", "repeat": "daily", "stale_hours": 30},
        effects=[{"kind": "points", "points": 1}],
    )  # fmt: skip
    world.pass_to(hour(3, 11))
    assert keys(tells) == ["2026-03-04", "2026-03-05"]
    assert keys(gives) == ["2026-03-03", "2026-03-04", "2026-03-05"]
    assert told(gives) == told(tells) == ["2026-03-04", "2026-03-05"]


def test_running_again_does_nothing(world: World) -> None:
    world.join("m")
    campaign = world.run({"kind": "schedule", "repeat": "daily"})
    for _again in range(3):
        world.pass_to(day(2))
    TriggerMark.objects.all().delete()
    world.pass_to(day(2))
    assert keys(campaign) == ["2026-03-03", "2026-03-04"]
    assert told(campaign) == keys(campaign)


def test_a_run_that_dies_is_gone_on_with(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        world.join(f"m{number}")
    campaign = world.run({"kind": "schedule", "repeat": "daily"})
    monkeypatch.setattr(trigger_days, "SLICE", 2)
    fire, calls = firing.fire, iter(range(100))

    def dying(**values: Any) -> firing.Fired:
        if next(calls) == 4:
            raise ZeroDivisionError
        return fire(**values)

    monkeypatch.setattr(firing, "fire", dying)
    with pytest.raises(ZeroDivisionError):
        trigger_calendar.fire_calendar(at=day(3), recorded_at=day(3))
    assert 0 < CampaignAct.objects.count() < 15
    trigger_calendar.fire_calendar(at=day(3), recorded_at=day(3))
    assert sorted(keys(campaign)) == sorted(told(campaign))
    assert len(acts(campaign)) == len(set(acts(campaign))) == 15


def test_a_pause_is_not_made_up_for(world: World) -> None:
    world.join("m")
    campaign = world.run({"kind": "schedule", "repeat": "daily"})
    world.pass_to(day(1))
    launching.pause(campaign_id=campaign.pk, actor="t", at=day(1))
    world.pass_to(day(3))
    launching.resume(campaign_id=campaign.pk, actor="t", at=day(3))
    world.pass_to(day(4))
    assert keys(campaign) == ["2026-03-03", "2026-03-06"]


def test_a_pause_before_the_first_run_is_not_made_up_for(world: World) -> None:
    world.join("m")
    campaign = world.run({"kind": "schedule", "repeat": "daily"})
    launching.pause(campaign_id=campaign.pk, actor="t", at=day(0))
    world.pass_to(day(3))
    launching.resume(campaign_id=campaign.pk, actor="t", at=day(3))
    world.pass_to(day(4))
    assert keys(campaign) == ["2026-03-06"]


def test_a_campaign_that_comes_to_the_calendar_acts_from_then_on(world: World) -> None:
    world.join("m")
    campaign = world.run({"kind": "order"})
    world.pass_to(day(3))
    daily = {"kind": "schedule", "repeat": "daily", "stale_hours": 1440}
    campaigns.follow_up(campaign, at=day(3), trigger=daily)
    world.pass_to(day(5))
    assert keys(campaign) == ["2026-03-06", "2026-03-07"]


def test_a_day_costs_the_same_statements_however_many_members(
    world: World, django_assert_max_num_queries: Any
) -> None:
    for number in range(4):
        world.join(f"m{number}")
    world.run({"kind": "schedule", "repeat": "daily"})
    trigger_calendar.fire_calendar(at=day(1), recorded_at=day(1))
    world.join("n")
    with django_assert_max_num_queries(45) as few:
        trigger_calendar.fire_calendar(at=day(2), recorded_at=day(2))
    for number in range(8):
        world.join(f"n{number}")
    with django_assert_max_num_queries(len(few)):
        trigger_calendar.fire_calendar(at=day(3), recorded_at=day(3))
