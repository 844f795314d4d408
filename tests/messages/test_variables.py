"""Variables that are read when a message is sent."""

from datetime import date, timedelta

import pytest

from campaigns.models import Purpose
from campaigns.services import variables
from config.base import clock
from rewards.models import Reward, Stock
from tests.factories import catalogue, console
from tests.messages.world import allow, ended, owe, send, template
from tiers.models import Tier

pytestmark = pytest.mark.django_db


def read(name: str, member: int) -> object:
    return variables.read({name}, [member], console.AT).get(name, {}).get(member)


@pytest.mark.req("CMP-06")
def test_what_a_member_has_is_read_when_the_message_is_sent() -> None:
    console.programme()
    member = console.member("张小明")
    assert read("member.name", member.pk) == "张小明"
    assert read("member.card_tail", member.pk) == member.card_number[-4:]
    assert read("member.tier", member.pk) == {"zh": "银卡会员", "en": "Silver"}
    assert read("points.available", member.pk) == 1_200
    # Eight lots of 150, the oldest of which is 283 days old and ends after 366.
    first = console.AT - timedelta(days=283) + timedelta(days=366)
    assert read("points.expiring.points", member.pk) == 150
    assert read("points.expiring.on", member.pk) == clock.local_day(first - timedelta(seconds=1))
    assert isinstance(read("points.expiring.on", member.pk), date)
    assert read("programme.name", member.pk) in (None, {"zh": "", "en": ""})


def test_the_best_reward_is_the_dearest_one_that_can_be_had() -> None:
    console.programme()
    member = console.member()
    assert read("reward.best", member.pk) is None
    for code, points, pieces in (
        ("small", 100, 5), ("good", 1_100, 5), ("gone", 1_150, 5), ("dear", 1_300, 5),
        ("gold", 1_190, 5), ("kept", 1_180, 5),
    ):  # fmt: skip
        catalogue.reward(code, points, pieces=pieces)
    Stock.objects.filter(reward__code="gone").update(held=5)
    gold = Tier.objects.get(code="gold")
    Reward.objects.filter(code="gold").update(min_tier=gold)
    Stock.objects.filter(reward__code="kept").update(tier=gold)
    best = Reward.objects.get(code="good")
    assert read("reward.best", member.pk) == {"zh": best.name_zh, "en": best.name_en}
    assert read("reward.best_points", member.pk) == 1_100


@pytest.mark.req("BEN-03")
def test_a_missing_value_reads_as_its_fallback_and_context_fills_the_rest() -> None:
    console.programme()
    member = console.member("")
    declared = (
        {"name": "member.name", "type": "text", "fallback": {"zh": "会员"}},
        {"name": "order.points", "type": "integer", "fallback": {"zh": "0"}},
    )
    body = {"subject": "积分", "body": "{{ member.name }}获得{{ order.points }}积分"}
    template("points", Purpose.SERVICE, {"zh": {"inbox": body}}, declared, needs_consent=True)
    with_consent = owe(member, "points", "1", context={"order.points": 1234})
    allow(member)
    send()
    assert ended(with_consent) == ("delivered", "inbox", "")
    refused = owe(console.member(), "points", "1", context={"order.points": 1})
    send()
    assert ended(refused)[0] == "suppressed"
