"""What follows when a campaign has acted: who buys is left alone, what was done is known."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.kpis import campaign_results
from campaigns.models import Campaign, CampaignAct, CampaignMember, TriggerOccurrence
from campaigns.services import automations, triggering
from config.base import clock
from members.domain.cases import Verb
from members.models import Case, CaseNote, EventDelivery, Member, Order
from members.services import cases, events
from members.services.events import NewEvent
from tests.engine.shop import day, line, order
from tests.triggers.world import World, acts, hour


def automation(code: str) -> Campaign:
    """Switch an automation on and return its campaign."""
    automations.install(actor="t", at=day(0))
    return automations.switch_on(code=code, actor="t", at=day(0))


def since(number: float) -> str:
    return f"since:{clock.local_day(day(number))}"


@pytest.mark.req("ENG-18", "CMP-03")
def test_who_buys_again_is_not_won_back_any_more(world: World) -> None:
    churning, first, second = map(automation, ("churn-risk", "win-back-60", "win-back-120"))
    asleep, back = world.join("asleep"), world.join("back")
    for who in (asleep, back):
        world.buy(who, f"{who.pk}", 10, on=1)
        fell = NewEvent(who.pk, "lifecycle.changed", day(50), day(50), {"to": "dormant"})
        events.append([fell])
    world.follow(day(50))
    world.buy(back, "again", 10, on=50.25)

    world.pass_to(hour(51, 10))
    assert [member for member, _key in acts(churning)] == [asleep.pk]
    assert TriggerOccurrence.objects.get(member=back).reason == "purchased"

    world.pass_to(hour(62, 11))
    assert acts(first) == [(asleep.pk, since(1))]
    world.buy(asleep, "woken", 10, on=100)
    for number in (110, 121):
        world.pass_to(hour(number, 11))
    assert acts(first)[1:] == [(back.pk, since(50))]
    assert acts(second) == [], "nobody has been away for 120 days"


@pytest.mark.req("ENG-18")
def test_what_winning_back_brings_is_held_against_those_left_alone(world: World) -> None:
    who = [world.join(f"m{number}") for number in range(8)]
    for each in who:
        world.buy(each, f"{each.pk}", 10, on=1)
    campaign = world.run({"kind": "dormancy", "days": 60}, at=5, holdout_percent=50)
    world.pass_to(hour(61, 10))
    arms = dict(CampaignMember.objects.values_list("member", "arm"))
    asked = {each.pk for each in who if arms[each.pk] == "treated"}
    assert {member for member, _key in acts(campaign)} == asked
    assert len(asked) == 4

    for each in [Member.objects.get(pk=pk) for pk in sorted(asked)[:3]]:
        world.buy(each, f"back-{each.pk}", 20, on=62)
    found = campaign_results.assess(campaign, at=day(90)).overall

    assert (found.treated.members, found.treated.buyers) == (4, 3)
    assert (found.holdout.members, found.holdout.buyers) == (4, 0)


@pytest.mark.req("ENG-14")
def test_a_call_after_an_order_says_of_which_and_keeps_how_it_went(world: World) -> None:
    member = world.join("m")
    world.run(
        {"kind": "order", "categories": ["tea"], "delay_days": 7, "hour": 10}, messages=[],
        effects=[{"kind": "case", "title": "Call the member"}],
    )  # fmt: skip
    for number, category in (("A", "wine"), ("B", "tea")):
        lines = (replace(line(1, 100), category=category),)
        world.send(order(member, number, on=1, lines=lines), at=1)
    world.follow()
    world.pass_to(hour(8, 9))
    assert not Case.objects.exists()

    world.pass_to(hour(8, 10))
    case = Case.objects.get()
    assert case.order == Order.objects.get(order_no="B")
    cases.work(
        case_id=case.pk, verb=Verb.RESOLVE, at=day(9), actor="staff:li.na",
        text="Likes it, wants a larger tin",
    )  # fmt: skip

    case.refresh_from_db()
    assert (case.state, case.resolved_at) == ("resolved", day(9))
    (said,) = CaseNote.objects.filter(case=case)
    assert said.author == "staff:li.na"
    act = CampaignAct.objects.get()
    assert act.effects == [{"kind": "case", "id": case.pk}], "the campaign leads to how it went"


def test_events_cost_the_same_statements_however_many_come_at_once(world: World) -> None:
    automation("points-reminder")
    automation("first-order")
    counted = []
    for number, size in enumerate((1, 2, 12)):
        members = [world.join(f"m{number}-{place}", at=number) for place in range(size)]
        world.send(*(order(each, f"{each.pk}", 10, on=number) for each in members), at=number)
        with CaptureQueriesContext(connection) as captured:
            world.follow(day(number))
        counted.append(len(captured))
    assert CampaignAct.objects.filter(skipped="").count() == 1 + 2 + 12
    assert not EventDelivery.objects.filter(follower=triggering.FOLLOWER, state="pending").exists()
    assert counted[1] == counted[2]
