"""A score that crosses a threshold starts a campaign: the day after, once, and not too often.

Days count from 2 March 2026. Who buys every ten days counts as dormant after thirty.
"""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from campaigns import trigger_words
from campaigns.domain import triggers
from campaigns.models import CampaignVersion
from config.base import clock
from members.models import Member, MemberInsight
from members.services import insight, insight_policy
from tests.engine.shop import day
from tests.factories import console
from tests.triggers.world import World, acts, hour, keys, told

pytestmark = pytest.mark.req("CMP-03")

RISK = {"kind": "score", "measure": "churn_risk", "threshold": 70}


def regular(world: World, name: str = "m", *, last: int = 31) -> Member:
    """Enrol a member who buys every ten days up to a day."""
    member = world.join(name)
    for on in range(1, last + 1, 10):
        world.buy(member, f"{name}-{on}", 10, on=on)
    return member


def pass_days(world: World, first: int, last: int, *who: Member) -> None:
    """Let the scheduler look at customers at nine, and run at ten."""
    for number in range(first, last + 1):
        ids = [member.pk for member in who]
        insight.refresh(ids, at=hour(number, 9), recorded_at=hour(number, 9))
        world.pass_to(hour(number, 10))


def since(last: int) -> str:
    """Return how the crossing after a last order on a day is named."""
    return f"churn_risk:70:{clock.local_day(day(last))}"


def test_the_risk_of_churn_starts_a_campaign_on_the_day_it_reaches_the_threshold(
    world: World,
) -> None:
    """21 days after the last order are 70 per cent of 30."""
    member, awake, new = regular(world), regular(world, "awake"), world.join("new")
    campaign = world.run(RISK)
    world.buy(awake, "awake-again", 10, on=41)
    pass_days(world, 50, 51, member, awake, new)
    assert acts(campaign) == []
    pass_days(world, 52, 61, member, awake, new)
    assert acts(campaign) == [(member.pk, since(31))]
    assert told(campaign) == [since(31)]
    assert MemberInsight.objects.get(pk=member.pk).dormant_from == clock.local_day(day(61))
    pass_days(world, 62, 62, member, awake, new)
    assert acts(campaign)[1:] == [(awake.pk, since(41))]


def test_it_does_not_fire_again_within_the_cooldown(world: World) -> None:
    """Crossed on days 52, 76 and 150: the second is within 60 days of the first."""
    member = regular(world)
    patient, eager = world.run({**RISK, "cooldown_days": 60}), world.run(RISK)
    pass_days(world, 52, 52, member)
    world.buy(member, "back", 10, on=55)
    pass_days(world, 76, 84, member)
    assert keys(eager) == [since(31), since(55)]
    assert keys(patient) == [since(31)]
    world.buy(member, "back-2", 10, on=129)
    pass_days(world, 150, 151, member)
    assert keys(patient) == [since(31), since(129)]


def test_who_is_past_the_threshold_by_a_cancelled_order_is_acted_on(world: World) -> None:
    member = regular(world)
    world.buy(member, "taken-back", 10, on=51)
    campaign = world.run(RISK)
    pass_days(world, 52, 55, member)
    assert acts(campaign) == []
    world.buy(member, "taken-back", 10, on=51, version=2, status="cancelled")
    pass_days(world, 56, 58, member)
    assert keys(campaign) == [since(31)]


def test_days_that_were_missed_are_gone_through_once_and_who_bought_is_left_out(
    world: World,
) -> None:
    member, back = regular(world), regular(world, "back")
    campaign = world.run(RISK)
    pass_days(world, 51, 51, member, back)
    world.buy(back, "back-again", 10, on=53)
    pass_days(world, 54, 54, member, back)
    world.pass_to(hour(54, 11))
    assert acts(campaign) == [(member.pk, since(31))]


def score(direction: str) -> dict[str, Any]:
    return {"kind": "score", "measure": "value_current", "threshold": 20, "direction": direction}


def test_a_value_that_rises_and_falls_starts_campaigns_on_the_next_morning(world: World) -> None:
    member = world.join("m")
    rises, falls = world.run(score("rises")), world.run(score("falls"))
    pass_days(world, 1, 1, member)
    world.buy(member, "A1", 6_000, on=2)
    pass_days(world, 3, 4, member)
    crossed = clock.local_day(day(3))
    assert MemberInsight.objects.get(pk=member.pk).value_current >= 20
    assert keys(rises) == [f"value_current:20:{crossed}"]
    world.buy(member, "A1", 6_000, on=2, version=2, status="cancelled")
    pass_days(world, 5, 8, member)
    assert keys(falls) == [f"value_current:20:{clock.local_day(day(5))}"]
    assert len(acts(rises)) == 1


def test_another_policy_crosses_no_threshold(world: World) -> None:
    member = world.join("m")
    rises = world.run(score("rises"))
    world.buy(member, "A1", 600, on=1)
    pass_days(world, 2, 2, member)
    before = MemberInsight.objects.get(pk=member.pk).value_current
    said = {name: getattr(insight_policy.in_force(), name) for name in insight_policy.TERMS}
    said |= {"full_amount": Decimal(600), "full_orders": 1}
    insight_policy.publish(said=said, reason="generous", actor="staff:eve", at=hour(2, 12))
    pass_days(world, 3, 5, member)
    assert before < 20 <= MemberInsight.objects.get(pk=member.pk).value_current
    assert acts(rises) == []


def test_a_score_is_set_up_in_the_form_and_read_as_a_sentence(world: World, client: Client) -> None:
    client.force_login(console.staff())
    posted = {
        "name_zh": "流失预警", "name_en": "At risk", "holdout_percent": "0",
        "limit_period": "month", "budget_period": "lifetime", "over_budget": "refuse",
        "priority": "0", "do": "save", "trigger-kind": "score", "trigger-measure": "churn_risk",
        "trigger-direction": "rises", "trigger-threshold": "70", "trigger-cooldown_days": "90",
    }  # fmt: skip
    client.post(reverse("admin:campaign_new"), posted)
    stored = CampaignVersion.objects.get().trigger
    assert stored == {**RISK, "direction": "rises", "cooldown_days": 90}
    with translation.override("en"):
        said = trigger_words.sentence(triggers.parse(stored))
    assert said == "Churn risk rises to 70, at 10:00, at most once in 90 days"
    fallen = {**posted, "trigger-direction": "falls"}
    refused = client.post(reverse("admin:campaign_new"), fallen)
    assert refused.status_code == 200
    assert CampaignVersion.objects.count() == 1
