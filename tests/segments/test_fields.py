"""What segments can ask about: each field against a worked example."""

from datetime import timedelta
from typing import Any

import pytest

from config.base.conditions import ConditionError, fields, sources
from members.models import (
    AttributeDefinition,
    InteractionKind,
    MemberProfile,
    MemberStatus,
    Refund,
    Segment,
    Store,
)
from members.services import consents, segments
from members.services.consents import ConsentDecision
from rewards.models import Lot
from rewards.services import merging
from tests.engine.shop import Shop, back, day, order
from tests.segments.world import found, leaf, sold
from tiers import queries
from tiers.models import StandingOverride, Tier

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_every_field_of_customers_can_be_read_in_sql(shop: Shop) -> None:
    member = shop.join("m")
    names = [field.name for field in fields.in_scopes(["customer"])]
    families = (
        "customer.attributes.size", "customer.consent.marketing.sms",
        "customer.interactions_90d_kind.review", "customer.category_share.手袋",
        "customer.brand_share.A & B", "customer.interactions_365d_kind.x",
    )  # fmt: skip
    every = {"any": [{"field": name, "op": "is_set", "value": True}
                     for name in (*names, *families)]}  # fmt: skip
    facts = segments.facts_of([member.pk], every, at=day(1))[member.pk]
    assert all(sources.knows(field) for field in fields.in_scopes(["customer"]))
    assert facts["customer.orders_365d"] == 0
    assert facts["customer.tier"] == "basic"
    assert facts["customer.consent_marketing_sms"] is False
    assert facts["customer.segments"] == frozenset()
    assert "customer.days_since_order" not in facts
    assert segments.matching(every, at=day(1), limit=5) == [member.pk]


@pytest.mark.req("SEG-05")
def test_orders_count_net_of_refunds_in_their_windows(shop: Shop) -> None:
    often, once, gave_back, never = (shop.join(name) for name in "abcd")
    shop.buy(often, "A1", 100, on=1)
    shop.buy(often, "A2", 300, on=340)
    shop.buy(often, "A3", 50, on=380)
    shop.buy(once, "B1", 1000, on=390)
    shop.buy(gave_back, "C1", 500, on=391)
    shop.give_back("C1", "R", on=392)
    shop.buy(gave_back, "C2", 80, 20, on=393)
    shop.give_back("C2", "R", on=394, lines=(back(2, 20),))
    shop.buy(never, "D1", 10, on=394, status="cancelled")
    everybody = (often, once, gave_back, never)

    def who(*given: Any) -> list[int]:
        return found(shop, leaf(*given), *everybody, on=400)

    assert who("orders", "eq", 3) == [0]
    assert who("orders_365d", "eq", 2) == [0]
    assert who("orders_30d", "eq", 1) == [0, 1, 2]
    assert who("orders_30d", "lte", 0) == [3], "who bought nothing has 0 orders"
    assert who("spend_365d", "eq", "350.00") == [0]
    assert who("spend", "between", ["80.00", "450.00"]) == [0, 2]
    assert who("average_order_365d", "eq", "175.00") == [0]
    assert who("average_order", "is_set", False) == [3]
    assert who("days_since_order", "eq", 20) == [0]
    assert who("days_since_order", "gte", 7) == [0, 1, 2]
    assert who("first_order_on", "lt", "2027-01-01") == [0]
    # Orders of the year: 300, 50, 1000, 80: on average 357.50.
    assert who("aov_above_mean", "eq", True) == [1]
    assert who("aov_to_mean", "between", ["0.489", "0.490"]) == [0]


@pytest.mark.req("SEG-03")
def test_share_of_a_category_or_brand_is_of_what_was_kept(shop: Shop) -> None:
    lover, half, returned = (shop.join(name) for name in "abc")
    shop.send(order_of(lover, "A", sold(1, 400, "手袋", "L'Or"), sold(2, 600, "鞋")), at=1)
    shop.send(order_of(half, "B", sold(1, 399, "手袋"), sold(2, 601, "鞋")), at=1)
    shop.send(order_of(returned, "C", sold(1, 500, "手袋"), sold(2, 500, "鞋")), at=1)
    shop.give_back("C", "R", on=2, lines=(back(1, 250),))
    members = (lover, half, returned)
    assert found(shop, leaf("category_share.手袋", "gte", "40"), *members) == [0]
    assert found(shop, leaf("category_share.手袋", "eq", "33.3"), *members) == [2]
    assert found(shop, leaf("brand_share.L'Or", "gte", "40"), *members) == [0]
    assert found(shop, leaf("category_share.none", "eq", "0"), *members) == [0, 1, 2]
    shop.give_back("A", "R", on=3, amount=500)
    assert found(shop, leaf("category_share.手袋", "eq", "40"), *members) == [0], "in proportion"


@pytest.mark.req("SEG-03")
def test_what_comes_back_of_a_line_beyond_its_amount_takes_nothing_from_other_lines(
    shop: Shop,
) -> None:
    member = shop.join("a")
    shop.send(order_of(member, "A", sold(1, 100, "手袋"), sold(2, 900, "鞋")), at=1)
    shop.give_back("A", "R", on=2, lines=(back(1, 100),))
    Refund.objects.update(lines=[[1, 1000, 50_000]])
    assert found(shop, leaf("category_share.鞋", "eq", "100"), member) == [0]
    shop.send(order_of(member, "B", sold(1, 900, "手袋")), at=3)
    assert found(shop, leaf("category_share.鞋", "eq", "50"), member) == [0]


@pytest.mark.req("SEG-05")
def test_what_members_merged_away_did_is_the_survivors(shop: Shop) -> None:
    first, second, last = (shop.join(name) for name in "abc")
    for number, member in enumerate((first, second, last)):
        shop.send(order_of(member, f"o{number}", sold(1, 100, "手袋")), at=1)
        shop.do(member, f"i{number}", "survey", on=1)
    for away, into in ((first, second), (second, last)):
        merging.merge(away=away.pk, into=into.pk, note="same person", actor="eve", at=day(2))
    asked: list[tuple[Any, ...]] = [
        ("orders", "eq", 3), ("spend_365d", "eq", "300.00"), ("category_share.手袋", "eq", "100"),
        ("interactions_90d_kind.survey", "eq", 3),
    ]  # fmt: skip
    for each in asked:
        assert found(shop, leaf(*each), first, second, last, on=3) == [2], each


def order_of(who: Any, number: str, *lines: Any) -> Any:

    return order(who, number, on=1, lines=lines)


@pytest.mark.req("SEG-04")
def test_the_tier_that_counts_and_the_days_in_it(shop: Shop) -> None:
    basic, silver, promoted = (shop.join(name) for name in "abc")
    shop.buy(silver, "S", 2000, on=10)
    gold = Tier.objects.get(code="gold")
    StandingOverride.objects.create(
        member=promoted, tier=gold, from_at=day(15), until_at=day(25), reason="vip",
        set_by="eve", approved_by="ada", created_at=day(15),
    )  # fmt: skip
    members = (basic, silver, promoted)
    assert found(shop, leaf("tier", "in", ["silver", "gold"]), *members, on=20) == [1, 2]
    assert found(shop, leaf("tier", "eq", "basic"), *members, on=30) == [0, 2]
    assert found(shop, leaf("days_in_tier", "eq", 10), *members, on=20) == [1]
    assert found(shop, leaf("days_in_tier", "gte", 11), *members, on=20) == [0]
    assert found(shop, leaf("tier_days_left", "lte", 10), *members, on=20) == [2]


def test_the_tier_is_the_one_that_pages_show(shop: Shop) -> None:

    member = shop.join("m")
    shop.buy(member, "S", 2000, on=1)
    for code, floor, start in (("basic", False, 5), ("gold", True, 6), ("silver", True, 7)):
        StandingOverride.objects.create(
            member=member, tier=Tier.objects.get(code=code), from_at=day(start),
            until_at=day(20 + start), reason="r", set_by="e", approved_by="a", is_floor=floor,
            created_at=day(start),
        )  # fmt: skip
    asked = {"any": [leaf("tier", "is_set", True), leaf("days_in_tier", "is_set", True)]}
    for on in (2, 5, 6, 8, 26, 27, 40):
        shown = queries.current_tiers([member.pk], at=day(on))[member.pk]
        facts = segments.facts_of([member.pk], asked, at=day(on))[member.pk]
        assert facts["customer.tier"] == shown.tier.code, on
        assert facts["customer.days_in_tier"] == (day(on) - shown.since_at).days, on


def test_the_person_the_points_and_what_was_done(shop: Shop) -> None:
    ann, bob = shop.join("a"), shop.join("b", at=20)
    store = Store.objects.create(code="s1", name="S")
    type(ann).objects.filter(pk=ann.pk).update(home_store=store, channel="app")
    MemberProfile.objects.filter(member=ann).update(birth_month=5)
    InteractionKind.objects.update_or_create(
        code="app_open", defaults={"name_zh": "打开", "name_en": "Open", "is_behaviour": True}
    )
    shop.buy(ann, "A", 700, on=21)
    shop.do(ann, "i1", "app_open", on=22)
    shop.do(ann, "i2", "survey", on=23)
    both = (ann, bob)
    asked: list[tuple[Any, ...]] = [
        ("channel", "eq", "app"), ("home_store", "in", ["s1"]), ("birthday_month", "eq", 5),
        ("tenure_days", "gte", 25), ("points_available", "gte", 700),
        ("interactions_90d", "eq", 1), ("behaviour_90d", "eq", 1),
        ("interactions_365d_kind.survey", "eq", 1), ("status", "ne", "frozen"),
    ]  # fmt: skip
    assert [found(shop, leaf(*each), *both, on=30) for each in asked] == [
        [0], [0], [0], [0], [0], [0], [0], [0], [0, 1],
    ]  # fmt: skip
    shop.set_status(bob, MemberStatus.CLOSED)
    assert found(shop, leaf("status", "ne", "frozen"), *both, on=30) == [0]
    last = Lot.objects.get(member=ann).expires_at
    assert last is not None
    ending = leaf("points_expiring_30d", "gte", 700)
    assert [segments.count(ending, at=last - timedelta(days=days)) for days in (29, 60)] == [1, 0]


def test_the_latest_decision_for_a_channel_counts(shop: Shop) -> None:
    members = [shop.join(name) for name in "abcd"]
    told = [
        [("sms", True)], [("", True)], [("", True), ("sms", False)], [("sms", True), ("sms", False)]
    ]  # fmt: skip
    for number, decisions in enumerate(told):
        for hour, (channel, granted) in enumerate(decisions):
            decision = ConsentDecision("marketing", granted, channel)
            consents.record({members[number].pk: [decision]}, touchpoint=None, at=day(hour))
    yes = leaf("consent_marketing_sms", "eq", True)
    assert found(shop, yes, *members, on=5) == [0, 1]
    assert found(shop, leaf("consent.marketing.sms", "eq", True), *members, on=5) == [0, 1]
    assert found(shop, {"not": yes}, *members, on=5) == [2, 3]
    assert found(shop, leaf("consent_marketing", "eq", True), *members, on=5) == [1, 2]


@pytest.mark.req("MEM-06")
def test_declared_attributes_have_their_type_and_others_are_text(shop: Shop) -> None:
    members = [shop.join(name) for name in "abc"]
    for code, type_ in (
        ("shoe", "number"), ("married_on", "date"), ("pet", "bool"), ("skin", "choice"),
        ("hobby", "multi"),
    ):  # fmt: skip
        AttributeDefinition.objects.create(code=code, name_zh=code, type=type_, choices=["dry"])
    values: list[dict[str, Any]] = [
        {"shoe": 39.5, "married_on": "2020-02-29", "pet": True, "skin": "dry", "hobby": ["tea"],
         "note": "x"},
        {"shoe": "39", "married_on": "2020-02-30", "pet": "yes", "skin": 1, "hobby": "tea",
         "note": 5},
        {"shoe": 40, "married_on": "2021-01-01", "pet": False, "hobby": ["tea", "golf"]},
    ]  # fmt: skip
    for member, attributes in zip(members, values, strict=True):
        MemberProfile.objects.filter(member=member).update(attributes=attributes)
    asked: list[tuple[tuple[Any, ...], list[int]]] = [
        (("attributes.shoe", "gte", "39.5"), [0, 2]), (("attributes.shoe", "is_set", False), [1]),
        (("attributes.married_on", "lt", "2020-12-31"), [0]),
        (("attributes.married_on", "is_set", True), [0, 2]),
        (("attributes.pet", "eq", False), [2]), (("attributes.skin", "eq", "dry"), [0]),
        (("attributes.hobby", "contains", "golf"), [2]), (("attributes.note", "eq", "x"), [0]),
        (("attributes.note", "is_set", True), [0]),
    ]  # fmt: skip
    for given, expected in asked:
        assert found(shop, leaf(*given), *members) == expected, given
    with pytest.raises(ConditionError):
        segments.parse(leaf("attributes.shoe", "eq", "large"))


@pytest.mark.req("SEG-03", "SEG-06", "SEG-07")
def test_the_segments_of_the_preset_hold_whom_they_say(shop: Shop) -> None:
    core, poor, silent, idle = (shop.join(name) for name in "abcd")
    for number, (member, amount) in enumerate(
        ((core, 500), (core, 500), (poor, 20), (poor, 20), (silent, 500), (silent, 500))
    ):
        shop.send(order_of(member, f"o{number}", sold(1, amount, "PRODUCE")), at=1)
    for member in (core, poor):
        shop.do(member, f"i{member.pk}", "survey", on=150)
    members = (core, poor, silent, idle)
    preset = {segment.code: segment for segment in Segment.objects.all()}
    assert {
        code: found(shop, segment.conditions or {}, *members, on=200)
        for code, segment in preset.items()
    } == {"core-target": [0], "low-value": [3], "produce-lovers": [0, 1, 2]}
    assert segments.refresh_all(at=day(200), recorded_at=day(200)) == 3
    assert [Segment.objects.get(code=code).size for code in sorted(preset)] == [1, 1, 3]
