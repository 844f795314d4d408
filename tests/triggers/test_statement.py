"""The monthly statement says what each member has when it goes out, not when it was owed.

Day 0 is 2 March 2026, day 30 is 1 April. Points of an order are valid to the end of the twelfth
month after it; 1 point per unit.
"""

from datetime import timedelta

import pytest

from campaigns.models import Message, MessageState
from campaigns.services import automations, sealed_texts, sending
from members.models import Member, MemberProfile
from tests.engine.shop import day
from tests.factories import catalogue
from tests.triggers.world import World, hour

pytestmark = pytest.mark.req("ENG-13")
CODE = "monthly-statement"
APRIL, MAY = "2026-04-01", "2026-05-01"


@pytest.fixture
def ann(world: World) -> Member:
    """Return a member with 150 points until January and 350 until March, in a small catalogue."""
    member = world.join("ann", at=-60)
    world.buy(member, "A1", 150, on=-35)
    world.buy(member, "A2", 350, on=1)
    catalogue.reward("mug", 300, pieces=1, name_zh="马克杯")
    catalogue.reward("bag", 120, name_zh="布袋", name_en="Bag")
    catalogue.reward("pen", 40, name_zh="钢笔", name_en="Pen")
    catalogue.reward("gone", 430, pieces=0)
    catalogue.reward("once", 60, member_limit=1)
    catalogue.redeem(member, "once", at=day(2))
    automations.install(actor="t", at=day(2))
    automations.switch_on(code=CODE, actor="t", at=day(2))
    return member


def statement(member: Member, month: str = APRIL) -> str:
    """Return what a member was told in a month."""
    rows = Message.objects.filter(member=member, template__code=f"auto-{CODE}")
    message = rows.get(occurrence=month)
    assert message.state == MessageState.DELIVERED
    return sealed_texts.read([message])[message.pk].body


def test_everybody_gets_their_own_balance_lots_and_best_reward(world: World, ann: Member) -> None:
    """Redeeming took 60 of the points that end first."""
    bob, eve = world.join("bob"), world.join("eve")
    world.buy(bob, "B1", 50, on=3)
    MemberProfile.objects.filter(member=bob).update(attributes={"language": "en"})
    world.pass_to(hour(30, 10))
    sending.send_due(at=hour(30, 10))
    assert statement(ann) == (
        "普通会员：可用积分440，有效期：90积分至2027年1月31日、350积分至2027年3月31日。"
        "现在可兑换：马克杯。"
    )
    assert statement(bob) == "Basic: 50 points, valid: 50 until 31 March 2027; now they buy: Pen."
    assert statement(eve) == "普通会员：可用积分0，有效期：长期。现在可兑换：请继续累积积分。"


def test_what_has_changed_until_it_is_sent_is_in_the_text(world: World, ann: Member) -> None:
    """The mug is redeemed while the statement waits: 140 points buy a bag, and no second mug."""
    world.pass_to(hour(30, 10))
    assert Message.objects.get(member=ann, occurrence=APRIL).state == MessageState.QUEUED
    catalogue.redeem(ann, "mug", at=hour(30, 11))
    sending.send_due(at=hour(30, 11) + timedelta(minutes=5))
    assert statement(ann) == (
        "普通会员：可用积分140，有效期：140积分至2027年3月31日。现在可兑换：布袋。"
    )


def test_every_month_is_told_anew_and_once(world: World, ann: Member) -> None:
    world.pass_to(hour(30, 10))
    sending.send_due(at=hour(30, 10))
    world.buy(ann, "A3", 10, on=31)
    for at in (hour(60, 10), hour(60, 12), hour(61, 10)):
        world.pass_to(at)
        sending.send_due(at=at)
    assert "可用积分450" in statement(ann, MAY)
    assert "可用积分440" in statement(ann, APRIL)
    assert Message.objects.filter(member=ann, template__code=f"auto-{CODE}").count() == 2
