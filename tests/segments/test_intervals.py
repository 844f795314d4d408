"""Segments as intervals: counted once a day, exact whatever happens in between."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.base.conditions import ConditionError
from members.models import (
    AttributeDefinition,
    EventDelivery,
    Member,
    MemberEvent,
    MemberStatus,
    Segment,
    SegmentDay,
    SegmentMembership,
    Subscription,
)
from members.services import segments
from members.services.segments import Refreshed, SegmentError
from tests.engine.shop import Shop, day
from tests.segments.world import content, leaf

pytestmark = pytest.mark.django_db

BUYERS = leaf("orders_30d", "gte", 1)


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    Segment.objects.all().delete()
    return shop


def open_members(segment: Segment) -> list[int]:
    rows = SegmentMembership.objects.filter(segment=segment, to_at=None)
    return sorted(rows.values_list("member_id", flat=True))


def intervals(member: Member) -> list[tuple[Any, ...]]:
    rows = SegmentMembership.objects.filter(member=member).order_by("from_at")
    return list(rows.values_list("segment__code", "from_at", "to_at"))


def told(member: Member) -> list[str]:
    rows = MemberEvent.objects.filter(member=member, kind__startswith="segment.").order_by("id")
    return [f"{kind} {payload['segment']}" for kind, payload in rows.values_list("kind", "payload")]


@pytest.mark.req("SEG-05", "SEG-18")
def test_members_come_and_go_and_every_move_is_told(shop: Shop) -> None:
    Subscription.objects.create(follower="trigger", kind=segments.ENTERED)
    early, late = shop.join("a"), shop.join("b")
    shop.buy(early, "A", 10, on=1)
    made = segments.create(code="buyers", content=content(BUYERS), at=day(2), actor="eve")
    assert (made.size, made.counted_at) == (1, day(2))
    assert segments.count(BUYERS, at=day(2)) == 1, "the preview and what is kept agree"
    shop.buy(late, "B", 10, on=20)
    assert segments.refresh(made, at=day(21), recorded_at=day(21)) == Refreshed(1, 0, 2)
    assert segments.refresh(made, at=day(40), recorded_at=day(40)) == Refreshed(0, 1, 1)
    assert segments.refresh(made, at=day(40), recorded_at=day(40)) == Refreshed(0, 0, 1)
    assert segments.refresh(made, at=day(3), recorded_at=day(40)) == Refreshed(0, 0, 1), (
        "no way back"
    )
    assert intervals(early) == [("buyers", day(2), day(40))]
    assert intervals(late) == [("buyers", day(21), None)]
    assert told(early) == ["segment.entered buyers", "segment.left buyers"]
    assert EventDelivery.objects.filter(follower="trigger").count() == 2
    days = SegmentDay.objects.order_by("on").values_list("size", "entries", "exits")
    assert list(days) == [(1, 1, 0), (2, 1, 0), (1, 0, 1)]


def test_counting_takes_the_same_statements_for_any_number(
    shop: Shop, django_assert_num_queries: Any
) -> None:
    made = segments.create(code="buyers", content=content(BUYERS), at=day(0), actor="eve")
    for number in range(5):
        shop.buy(shop.join(f"m{number}"), f"A{number}", 10, on=1)
    with django_assert_num_queries(9):
        segments.refresh(made, at=day(2), recorded_at=day(2))
    assert made.size == 5


def test_a_frozen_segment_keeps_whom_it_was_counted_with(shop: Shop) -> None:
    first, second, other = (shop.join(name) for name in "abc")
    shop.buy(first, "A", 10, on=1)
    shop.buy(second, "B", 10, on=1)
    made = segments.create(
        code="kept", content=content(BUYERS), at=day(2), actor="eve", is_frozen=True
    )
    shop.buy(other, "C", 10, on=3)
    shop.set_status(second, MemberStatus.CLOSED)
    segments.refresh_all(at=day(90), recorded_at=day(90))
    assert open_members(made) == [first.pk]
    with pytest.raises(SegmentError, match="segment_frozen"):
        segments.change(segment_id=made.pk, content=content(leaf("orders", "gte", 2)), at=day(91))
    renamed = segments.change(
        segment_id=made.pk, content=content(BUYERS, name_zh="名单"), at=day(91)
    )
    assert renamed.name_zh == "名单"


def test_new_conditions_count_at_once_and_retiring_ends_all(shop: Shop) -> None:
    once, twice = shop.join("a"), shop.join("b")
    for member, number in ((once, "A"), (twice, "B"), (twice, "C")):
        shop.buy(member, number, 10, on=1)
    made = segments.create(code="buyers", content=content(BUYERS), at=day(2), actor="eve")
    changed = segments.change(
        segment_id=made.pk, content=content(leaf("orders", "gte", 2)), at=day(3)
    )
    assert (open_members(made), changed.size) == ([twice.pk], 1)
    retired = segments.retire(segment_id=made.pk, at=day(4), recorded_at=day(4))
    assert (open_members(made), retired.size) == ([], 0)
    assert segments.refresh(made, at=day(5), recorded_at=day(5)) == Refreshed(0, 0, 0)
    with pytest.raises(SegmentError, match="segment_retired"):
        segments.retire(segment_id=made.pk, at=day(6), recorded_at=day(6))


def test_segments_build_on_each_other_but_not_in_a_circle(shop: Shop) -> None:
    member = shop.join("a")
    shop.buy(member, "A", 10, on=1)
    both = {"all": [leaf("segments", "contains", "buyers"), leaf("tier", "eq", "basic")]}
    segments.create(code="a-first", content=content(both), at=day(0), actor="eve")
    buyers = segments.create(
        code="buyers", content=content(leaf("orders", "gte", 9)), at=day(0), actor="eve"
    )
    segments.change(segment_id=buyers.pk, content=content(BUYERS), at=day(2))
    assert told(member) == ["segment.entered buyers"]
    assert segments.refresh_all(at=day(3), recorded_at=day(3)) == 2
    assert told(member)[-1] == "segment.entered a-first", "counted after what it builds on"
    circle = content({"not": leaf("segments", "contains", "a-first")})
    with pytest.raises(SegmentError, match="segment_circle"):
        segments.change(segment_id=buyers.pk, content=circle, at=day(4))


def test_a_segment_that_means_nothing_any_more_keeps_no_other_from_being_counted(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.join("a")
    for code, asked in (("a", leaf("attributes.shoe", "eq", "large")), ("b", BUYERS)):
        segments.create(code=code, content=content(asked), at=day(0), actor="eve")
    AttributeDefinition.objects.create(code="shoe", name_zh="鞋码", type="number")
    assert segments.refresh_all(at=day(1), recorded_at=day(1)) == 1
    assert Segment.objects.get(code="b").counted_at == day(1)
    assert "segment a cannot be counted" in caplog.text
    meant = content(leaf("attributes.shoe", "gte", "40"))
    segments.change(segment_id=Segment.objects.get(code="a").pk, content=meant, at=day(1.1))
    assert segments.refresh_all(at=day(2), recorded_at=day(2)) == 2


def test_the_audience_of_a_campaign_is_left_to_its_campaign(shop: Shop) -> None:
    member = shop.join("a")
    audience = Segment.objects.create(
        code="campaign-x", kind="campaign", name_zh="春季", created_at=day(0), created_by="eve"
    )
    SegmentMembership.objects.create(segment=audience, member=member, from_at=day(1))
    shop.set_status(member, MemberStatus.CLOSED)
    assert segments.leave_all(member_id=member.pk, at=day(2)) == 0
    assert segments.refresh_all(at=day(3), recorded_at=day(3)) == 0
    assert (intervals(member), told(member)) == ([("campaign-x", day(1), None)], [])


def test_a_code_is_taken_once_and_conditions_are_checked(shop: Shop) -> None:
    segments.create(code="s", content=content(BUYERS), at=day(0), actor="eve")
    with pytest.raises(SegmentError, match="segment_exists"):
        segments.create(code="s", content=content(BUYERS), at=day(0), actor="eve")
    for wrong in (
        leaf("nothing", "eq", 1),
        {"field": "order.net", "op": "gte", "value": "1.00"},
        {},
    ):
        with pytest.raises(ConditionError):
            segments.create(code="t", content=content(wrong), at=day(0), actor="eve")
    assert Segment.objects.count() == 1


@pytest.mark.req("SEG-18")
def test_a_day_is_counted_once_and_a_run_cut_off_goes_on(shop: Shop) -> None:
    for code in "abc":
        segments.create(code=code, content=content(BUYERS), at=day(0), actor="eve")

    def killed(done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        segments.refresh_all(at=day(1), recorded_at=day(1), progress=killed)
    assert segments.refresh_all(at=day(1.1), recorded_at=day(1.1)) == 1
    assert segments.refresh_all(at=day(1.2), recorded_at=day(1.2)) == 0
    assert segments.refresh_all(at=day(4), recorded_at=day(4)) == 3


@pytest.mark.req("SEG-18")
def test_a_size_that_moves_too_far_in_a_day_is_said(shop: Shop) -> None:
    members = [shop.join(f"m{number}") for number in range(10)]
    everybody = leaf("tenure_days", "gte", 0)
    watched = segments.create(
        code="w", content=content(everybody, alert_percent=10), at=day(1), actor="eve"
    )
    segments.create(code="quiet", content=content(everybody), at=day(1), actor="eve")
    for on, gone in ((2, members[:1]), (3, members[1:3])):
        for member in gone:
            shop.set_status(member, MemberStatus.CLOSED)
        segments.refresh_all(at=day(on), recorded_at=day(on))
        if on == 2:
            assert segments.drifting() == [], "10 % of 10 is not more than 10 %"
    with CaptureQueriesContext(connection) as queries:
        ((segment, now, before),) = segments.drifting()
    assert "ROW_NUMBER" in queries[-1]["sql"], "no more than two days of each are read"
    assert (segment.pk, before.size, now.size) == (watched.pk, 9, 7)


def test_who_is_gone_leaves_every_segment_at_once(shop: Shop) -> None:
    member, other = shop.join("a"), shop.join("b")
    everybody = content(leaf("tenure_days", "gte", 0))
    for code in "ab":
        segments.create(code=code, content=everybody, at=day(1), actor="eve")
    assert segments.leave_all(member_id=member.pk, at=day(2)) == 2
    assert segments.leave_all(member_id=member.pk, at=day(2)) == 0
    assert [len(open_members(each)) for each in Segment.objects.all()] == [1, 1]
    assert list(Segment.objects.values_list("size", flat=True)) == [1, 1]
    assert intervals(other) == [("a", day(1), None), ("b", day(1), None)]
    assert told(member)[2:] == ["segment.left a", "segment.left b"]
    assert set(SegmentDay.objects.filter(exits=1).values_list("size", flat=True)) == {1}


@pytest.mark.req("SEG-20")
def test_why_names_every_test_with_its_fact(shop: Shop) -> None:
    member = shop.join("a")
    shop.buy(member, "A", 120, on=1)
    conditions = {"all": [leaf("spend", "gte", "100.00"), {"not": leaf("orders", "gte", 2)}]}
    said = segments.explain(member_id=member.pk, conditions=conditions, at=day(2))
    assert said.to_json() == {
        "matched": True,
        "tests": [
            {"field": "customer.spend", "op": "gte", "value": "100.00", "actual": "120.00",
             "met": True},
            {"field": "customer.orders", "op": "gte", "value": 2, "actual": 1, "negated": True,
             "met": True},
        ],
    }  # fmt: skip
    shop.set_status(member, MemberStatus.ERASED)
    assert not segments.explain(member_id=member.pk, conditions=conditions, at=day(2)).matched


def test_why_takes_the_same_statements_for_any_number(
    shop: Shop, django_assert_num_queries: Any
) -> None:
    ids = [shop.join(name).pk for name in "abc"]
    with django_assert_num_queries(2):
        segments.explain_many(ids, leaf("attributes.shoe", "eq", "large"), at=day(2))


def test_the_ids_can_be_built_upon(shop: Shop) -> None:
    member = shop.join("a")
    shop.buy(member, "A", 120, on=1)
    sql, parameters = segments.member_ids_sql(BUYERS, at=day(2))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT member_id FROM ({sql}) found", parameters)
        assert cursor.fetchall() == [(member.pk,)]
