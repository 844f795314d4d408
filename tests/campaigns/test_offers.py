"""The next best offer: always to be had, always explained, and neutral for who has declined.

Days count from 2 March 2026; an order of 10 earns 10 points.
"""

import dataclasses
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from campaigns import offer_words
from campaigns.domain import offers as rules
from campaigns.domain.offers import Candidate, Profile, Reason
from campaigns.models import Message
from campaigns.services import offers, sealed_texts, variables
from campaigns.services.offers import Decision
from members.models import Member, MemberEvent, MemberStatus
from members.services import consents, insight
from members.services.consents import ConsentDecision
from rewards.models import Reward, RewardAccess, Stock
from tests.engine.shop import Shop, day, line, order
from tests.factories import catalogue, coupons
from tests.messages.world import allow, owe, send, template
from tiers.models import Tier

pytestmark = pytest.mark.req("CMP-07")

MUG, TEA = Candidate("mug", "goods", 100), Candidate("tea", "coupon", 50, frozenset({"tea"}))


def reasons(candidate: Candidate, profile: Profile) -> dict[str, int]:
    """Return what each reason adds."""
    (choice,) = rules.choose([candidate], profile)
    return {each.code: each.score for each in choice.reasons}


@pytest.mark.parametrize(
    ("candidate", "known", "expected"),
    [
        (MUG, {}, {"reach": 5}),
        (TEA, {"shares": {"tea": 60, "wine": 40}}, {"affinity": 24, "reach": 2}),
        (TEA, {"shares": {"tea": 9}}, {"reach": 2}),
        (MUG, {"like_members": 10, "likes": {"mug": 4}}, {"like_members": 10, "reach": 5}),
        (MUG, {"like_members": 4, "likes": {"mug": 4}}, {"reach": 5}),
        (MUG, {"expiring": 150, "expiring_on": date(2026, 4, 1)}, {"expiring": 13, "reach": 5}),
        (TEA, {"stage": "dormant"}, {"stage": 15, "reach": 2}),
        (MUG, {"stage": "dormant"}, {"reach": 5}),
        (Candidate("spa", "service", 200), {"stage": "advocate"}, {"stage": 15, "reach": 10}),
        (MUG, {"kinds": {"goods": 2}}, {"kind": 6, "reach": 5}),
        (MUG, {"kinds": {"goods": 9}, "had": frozenset({"mug"})},
         {"kind": 10, "reach": 5, "had": -30}),
    ],
)  # fmt: skip
def test_every_reason_adds_what_the_table_says(
    candidate: Candidate, known: Mapping[str, Any], expected: Mapping[str, int]
) -> None:
    assert reasons(candidate, Profile(200, **known)) == expected


def test_the_order_is_that_of_the_scores_and_then_of_the_codes() -> None:
    chosen = rules.choose([MUG, TEA, dataclasses.replace(MUG, code="bag")], Profile(200))
    assert [each.code for each in chosen] == ["bag", "mug", "tea"]
    popular = rules.neutral([MUG, TEA], {"tea": 3, "mug": 2})
    assert [(each.code, each.reasons) for each in popular] == [
        ("tea", (Reason("neutral", 0),)), ("mug", (Reason("neutral", 0),)),
    ]  # fmt: skip


def test_a_coupon_is_for_the_categories_that_its_lines_ask_for() -> None:
    one = {"field": "line.category", "op": "eq", "value": "tea"}
    some = {"field": "line.category", "op": "in", "value": ["wine", "rice"]}
    assert rules.categories_of({"any": [one, {"all": [some]}]}) == {"tea", "wine", "rice"}
    assert rules.categories_of({"not": one}) == frozenset()
    assert rules.categories_of(None) == frozenset()


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


def decide(member: Member, on: float) -> Decision:
    return offers.decide([member.pk], at=day(on))[member.pk]


def shown(member: Member, on: float) -> list[str]:
    return [reward.code for reward, _choice in decide(member, on).offers]


def refuse(member: Member, *, on: float, purpose: str = "personalisation") -> None:
    decision = ConsentDecision(purpose, granted=False)
    consents.record({member.pk: [decision]}, touchpoint=None, at=day(on), actor="staff:eve")


def buy_tea(shop: Shop, member: Member, number: str, amount: int, *, on: float) -> None:
    """Buy tea for most of an amount, and something else."""
    tea = dataclasses.replace(line(1, amount * 6 // 10), category="tea")
    shop.send(order(member, number, on=on, lines=(tea, line(2, amount * 4 // 10))), at=on)


def test_what_is_offered_can_be_had_and_nothing_else_is(shop: Shop) -> None:
    """Of thirteen rewards two can be had: the others stand for one reason each."""
    member = shop.join("m")
    shop.adjust(member, 300, on=1)
    gold = Tier.objects.get(code="gold")
    over = coupons.template(max_issued=1)
    over.issued = 1
    over.save()
    catalogue.reward("can", 250)
    catalogue.reward("stocked", 100, pieces=2)
    catalogue.reward("dear", 301)
    catalogue.reward("free", 0)
    catalogue.reward("gift", 100, is_listed=False)
    catalogue.reward("off", 100, is_active=False)
    catalogue.reward("soon", 100, valid_from=day(40))
    catalogue.reward("early", 100, valid_from=day(40))
    RewardAccess.objects.create(reward=Reward.objects.get(code="early"), tier=gold, opens_at=day(0))
    catalogue.reward("gold", 100, min_tier=gold)
    catalogue.reward("empty", 100, pieces=1)
    Stock.objects.filter(reward__code="empty").update(held=1)
    catalogue.reward("once", 10, member_limit=1)
    catalogue.redeem(member, "once", at=day(2))
    catalogue.reward("cards", 100, kind="gift_card", tracks_stock=True)
    catalogue.reward("over", 100, kind="coupon", coupon_template=over)
    wanted = {"field": "member.tier", "op": "eq", "value": "gold"}
    catalogue.reward("others", 100, conditions=wanted)
    assert shown(member, 3) == ["can", "stocked"]
    said = variables.read({"reward.best", "recommended.name"}, [member.pk], day(3))
    assert said["reward.best"][member.pk] == {"zh": "can", "en": "can"}
    shop.adjust(member, -100, on=4)
    assert shown(member, 4) == ["stocked"]
    for piece in range(2):
        shop.adjust(member, 100, on=5 + piece)
        catalogue.redeem(member, "stocked", at=day(5 + piece))
    assert "stocked" not in shown(member, 8)
    Member.objects.filter(pk=member.pk).update(status=MemberStatus.FROZEN)
    assert offers.decide([member.pk], at=day(8)) == {}


@pytest.mark.req("RWD-14")
def test_it_suits_the_member_and_says_why_in_both_languages(shop: Shop) -> None:
    """60 per cent of 500 went into tea, so the coupon for tea comes before the dearer mug."""
    tea, plain = shop.join("tea"), shop.join("plain")
    lines = {"field": "line.category", "op": "eq", "value": "tea"}
    off = coupons.template(line_conditions=lines)
    catalogue.reward("tea-off", 50, kind="coupon", coupon_template=off)
    catalogue.reward("mug", 100)
    buy_tea(shop, tea, "A1", 500, on=1)
    shop.buy(plain, "B1", 500, on=1)
    shop.pass_time(30)
    insight.refresh([tea.pk, plain.pk], at=day(30), recorded_at=day(30))
    reward, choice = decide(tea, 30).offers[0]
    assert reward.code == "tea-off"
    best = choice.reasons[0]
    assert (best.code, best.score, best.facts) == (
        "affinity", 24, {"category": "tea", "percent": 60},
    )  # fmt: skip
    why = offer_words.why_in_both(choice)
    assert why["zh"].startswith("您近一年的消费有 60% 是tea，")
    assert why["en"].startswith("60% of what you bought in the last year is tea, ")
    with translation.override("en"):
        assert offer_words.sentence(best) in why["en"]
    assert "affinity" not in {each.code for each in decide(plain, 30).offers[0][1].reasons}


def test_what_like_members_redeem_counts_from_five_on(shop: Shop) -> None:
    catalogue.reward("mug", 100)
    catalogue.reward("bag", 100)
    member, *others = (shop.join(f"m{number}") for number in range(6))
    for each in (member, *others):
        shop.adjust(each, 200, on=1)
    insight.refresh([each.pk for each in (member, *others)], at=day(1), recorded_at=day(1))
    for number, each in enumerate(others):
        assert shown(member, 2)[0] == "bag"
        catalogue.redeem(each, "mug" if number else "bag", at=day(2))
    reward, choice = decide(member, 3).offers[0]
    assert (reward.code, choice.reasons[0]) == (
        "mug", Reason("like_members", 20, {"percent": 80}),
    )  # fmt: skip


@pytest.mark.parametrize("purpose", ["personalisation", "profiling"])
def test_who_has_declined_gets_a_neutral_list_and_no_profile_is_read(
    shop: Shop, purpose: str
) -> None:
    lines = {"field": "line.category", "op": "eq", "value": "tea"}
    off = coupons.template(line_conditions=lines)
    catalogue.reward("tea-off", 50, kind="coupon", coupon_template=off)
    catalogue.reward("mug", 100)
    member, other = shop.join("m"), shop.join("other")
    buy_tea(shop, member, "A1", 500, on=1)
    shop.adjust(other, 100, on=1)
    catalogue.redeem(other, "mug", at=day(1))
    shop.pass_time(30)
    assert shown(member, 30) == ["tea-off", "mug"]
    refuse(member, on=30, purpose=purpose)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        decision = decide(member, 31)
    assert not decision.is_personal
    assert [reward.code for reward, _choice in decision.offers] == ["mug", "tea-off"]
    assert all(each.reasons == (Reason("neutral", 0),) for _reward, each in decision.offers)
    statements = " ".join(each["sql"] for each in asked)
    for table in ("members_memberinsight", "members_orderline", "d.member_id, r.code"):
        assert table not in statements
    if purpose == "personalisation":
        again = ConsentDecision(purpose, granted=True)
        consents.record({member.pk: [again]}, touchpoint=None, at=day(32))
        assert decide(member, 32).is_personal


def test_many_members_cost_as_many_statements_as_one(shop: Shop) -> None:
    catalogue.reward("mug", 100, member_limit=2, total_limit=9)
    members = [shop.join(f"m{number}") for number in range(4)]
    for each in members:
        shop.adjust(each, 200, on=1)
    refuse(members[0], on=1)
    insight.refresh([each.pk for each in members], at=day(1), recorded_at=day(1))
    counts = []
    for wanted in (members[:2], members):
        with CaptureQueriesContext(connection) as asked:
            offers.decide([each.pk for each in wanted], at=day(2))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 16


def test_a_message_that_recommends_is_written_down_with_its_reasons(shop: Shop) -> None:
    """Only what goes out is: who has not consented to marketing is shown nothing."""
    member, silent, declined = (shop.join(name) for name in ("m", "silent", "declined"))
    catalogue.reward("mug", 100, name_zh="马克杯")
    body = {"subject": "推荐", "body": "{{ recommended.name }}：{{ recommended.why }}。"}
    declared = [
        {"name": name, "type": "text", "fallback": {"zh": "–"}}
        for name in ("recommended.name", "recommended.why")
    ]
    template("offer", variables=declared, contents={"zh": {"inbox": body}})
    for each in (member, silent, declined):
        shop.adjust(each, 200, on=1)
        owe(each, "offer", trigger="campaign:spring", due_at=day(30))
    allow(member)
    allow(declined)
    refuse(declined, on=2)
    send(day(30))
    said = sealed_texts.read(list(Message.objects.all()))
    sent = {each.member_id: each for each in Message.objects.exclude(channel="")}
    assert said[sent[member.pk].pk].body == "马克杯：需要 100 积分，您有 200 积分可用。"
    assert "未使用您的个人信息" in said[sent[declined.pk].pk].body
    events = MemberEvent.objects.filter(kind="offer.shown").order_by("member_id")
    assert [each.payload for each in events] == [
        {
            "reward": "mug", "score": 5, "is_personal": True, "template": "offer",
            "message": str(sent[member.pk].public_id),
            "reasons": [{"code": "reach", "score": 5, "points": 100, "available": 200}],
        },
        {
            "reward": "mug", "score": 0, "is_personal": False, "template": "offer",
            "message": str(sent[declined.pk].public_id),
            "reasons": [{"code": "neutral", "score": 0}],
        },
    ]  # fmt: skip
