"""What is kept of members follows orders, refunds and time, and nothing else.

Days count from 2 March 2026 at local noon.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.base.audit import run_one
from config.base.errors import DomainError
from members.models import (
    InsightMark,
    Member,
    MemberEvent,
    MemberInsight,
    MemberStatus,
    StageDay,
    ValueScore,
)
from members.services import audit, insight, insight_due, insight_policy
from members.services.insight_policy import InsightPolicyError
from rewards.domain.cart import Line
from rewards.services import merging
from tests.engine.shop import Shop, day, line, order

FIRST = date(2026, 3, 2)


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


def run(on: float) -> int:
    done = insight_due.refresh_due(
        at=day(on), recorded_at=day(on), progress=lambda done, total: None
    )
    # A test is one transaction: the mark cannot know that all who wrote are done.
    last = MemberEvent.objects.order_by("-id").values_list("id", flat=True)[:1]
    InsightMark.objects.update(safe_event=last)
    return done


def row(member: Member) -> MemberInsight:
    return MemberInsight.objects.get(member=member)


def told(member: Member, kind: str = insight.STAGE_CHANGED) -> list[tuple[str, str]]:
    found = MemberEvent.objects.filter(member=member, kind=kind).order_by("id")
    return [(event.payload["from"], event.payload["to"]) for event in found]


def broken() -> list[str]:
    checks = [check for check in audit.checks() if check.code.startswith("insight")]
    return [check.code for check in checks if run_one(check).count]


def policy(**changes: Any) -> None:
    said = {name: getattr(insight_policy.in_force(), name) for name in insight_policy.TERMS}
    insight_policy.publish(
        said={**said, **changes}, reason="another year", actor="staff:eve", at=day(0)
    )


@pytest.mark.req("SEG-01", "SEG-02")
def test_bands_follow_an_order_and_its_refund(shop: Shop) -> None:
    policy(frequency_medium=2, monetary_medium=Decimal(300))
    ann = shop.join("ann")
    shop.buy(ann, "a-1", 200, on=1)
    run(1)
    assert (row(ann).frequency_band, row(ann).monetary_band) == ("low", "low")
    shop.buy(ann, "a-2", 100, on=2)
    run(2)
    assert (row(ann).frequency_band, row(ann).monetary_band) == ("medium", "medium")
    shop.give_back("a-2", "r-1", on=3)
    run(3)
    assert (row(ann).frequency_band, row(ann).monetary_band) == ("low", "low")
    assert (row(ann).spent_total, row(ann).orders_total) == (Decimal(200), 1)


@pytest.mark.req("SEG-13", "SEG-15")
def test_a_dormant_member_who_buys_is_won_back_and_every_change_is_told_once(shop: Shop) -> None:
    ann = shop.join("ann")
    run(0)
    shop.buy(ann, "a-1", 50, on=1)
    run(1)
    assert [run(on) for on in (90, 90.4)] == [0, 0], "the ninetieth day after it has not begun"
    assert run(90.5) == 1, "it begins at midnight"
    assert run(91) == 0
    shop.buy(ann, "a-2", 50, on=95)
    run(95)
    run(95)
    assert told(ann) == [
        ("acquire", "activate"), ("activate", "dormant"), ("dormant", "won_back"),
    ]  # fmt: skip
    assert (row(ann).stage, row(ann).stage_since) == ("won_back", FIRST + timedelta(days=95))
    shop.give_back("a-2", "r-1", on=96)
    run(96)
    assert (row(ann).stage, row(ann).stage_since) == ("dormant", FIRST + timedelta(days=91))


@pytest.mark.req("SEG-08")
def test_changes_of_class_are_told(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "a-1", 50, on=1)
    run(1)
    for on in (91, 181):
        run(on)
    assert told(ann, insight.CLASS_CHANGED) == [("new", "potential"), ("potential", "churned")]
    assert row(ann).class_since == FIRST + timedelta(days=181)


@pytest.mark.req("SEG-09")
def test_the_same_again_gives_the_same_and_history_keeps_one_row_a_day(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "a-1", 600, on=1)
    run(1)
    before = MemberInsight.objects.filter(member=ann).values().get()
    insight.refresh([ann.pk], at=day(1), recorded_at=day(1))
    assert MemberInsight.objects.filter(member=ann).values().get() == before
    shop.buy(ann, "a-2", 600, on=1.1)
    run(1.1)
    shop.buy(ann, "a-3", 600, on=2)
    run(2)
    scores = ValueScore.objects.filter(member=ann).order_by("on")
    assert [(score.on.day, score.current, score.model) for score in scores] == [
        (3, 14, 1), (4, 21, 1),
    ]  # fmt: skip


@pytest.mark.req("SEG-09")
def test_a_quiet_night_looks_at_nobody_and_writes_nothing(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "a-1", 50, on=1)
    run(1)
    before = MemberInsight.objects.get(member=ann).computed_at
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert run(2) == 0
    assert len(queries) <= 6
    assert row(ann).computed_at == before


@pytest.mark.req("SEG-09")
def test_statements_do_not_grow_with_the_members(shop: Shop) -> None:
    names = [f"m{number}" for number in range(6)]
    members = [shop.join(name) for name in names]
    for member in members:
        shop.buy(member, f"o-{member.pk}", 100, on=1)

    def statements(ids: list[int]) -> int:
        with CaptureQueriesContext(connection) as queries:
            insight.refresh(ids, at=day(1), recorded_at=day(1))
        return len(queries)

    ids = [member.pk for member in members]
    assert statements(ids[:1]) == statements(ids[1:]) <= 10


@pytest.mark.req("SEG-10")
def test_margin_counts_where_cost_is_known_and_shrinks_with_a_refund(shop: Shop) -> None:
    ann = shop.join("ann")
    lines = (
        Line(1, "sku-1", "goods", "tea", "leaf", 1000, 10_000, cost=6_000),
        Line(2, "sku-2", "goods", "cups", None, 1000, 10_000),
    )
    shop.send(order(ann, "a-1", on=1, lines=lines), at=1)
    run(1)
    assert (row(ann).margin_total, row(ann).scores["margin"]) == (Decimal(40), 2)
    shop.give_back("a-1", "r-1", on=2, amount="100")
    run(2)
    assert (row(ann).margin_total, row(ann).spent_total) == (Decimal(20), Decimal(100))


@pytest.mark.req("SEG-11")
def test_what_is_bought_for_the_first_time_and_recommendations_count(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "a-1", 50, on=1)
    shop.send(order(ann, "a-2", on=2, lines=(line(1, 10), line(7, 10), line(8, 10))), at=2)
    shop.do(ann, "i-1", "referral", on=2)
    shop.do(ann, "i-2", "share", on=2)
    run(2)
    assert (row(ann).scores["new_products"], row(ann).scores["recommendation"]) == (40, 30)


def test_another_policy_has_everybody_looked_at_again_slice_by_slice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insight_due, "SLICE", 2)
    members = [shop.join(f"m{number}") for number in range(5)]
    run(1)
    assert {row(member).policy for member in members} == {0}
    assert MemberEvent.objects.filter(kind__startswith="lifecycle").count() == 0
    policy(new_days=1)

    def die(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        insight_due.refresh_due(at=day(1), recorded_at=day(1), progress=die)
    assert InsightMark.objects.get().swept_to is not None
    assert run(1) < 5, "it goes on where it was"
    assert {row(member).policy for member in members} == {1}
    assert told(members[0], insight.CLASS_CHANGED) == [("new", "potential")]


def test_a_policy_that_contradicts_itself_or_says_nothing_new_is_refused(db: None) -> None:
    for changes in (
        {"frequency_high": 1}, {"grid_medium": 90}, {},
        {"frequency_weight": 0, "amount_weight": 0, "margin_weight": 0},
    ):  # fmt: skip
        with pytest.raises(InsightPolicyError):
            policy(**changes)
    assert insight_policy.in_force().number == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"full_orders": 0}, "policy_out_of_range"), ({"grid_high": 101}, "policy_out_of_range"),
        ({"full_amount": Decimal(0)}, "policy_out_of_range"),
        ({"full_margin": Decimal("0.015")}, "amount_invalid"),
    ],
)  # fmt: skip
def test_a_policy_that_nothing_can_be_computed_by_is_refused(
    db: None, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(DomainError, match=code):
        policy(**changes)
    assert insight_policy.in_force().number == 0


def test_orders_of_a_member_merged_away_are_the_survivors(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    shop.buy(ann, "a-1", 50, on=1)
    shop.buy(bob, "b-1", 70, on=2)
    run(2)
    merging.merge(away=ann.pk, into=bob.pk, note="same person", actor="staff:eve", at=day(3))
    run(3)
    assert (row(bob).orders_total, row(bob).spent_total) == (2, Decimal(120))
    assert not MemberInsight.objects.filter(member=ann).exists()
    assert broken() == []
    MemberInsight.objects.update(spent_total=1)
    assert broken() == ["insight_spent"]
    MemberInsight.objects.all().delete()
    assert broken() == ["insight_row"]


def test_an_erased_member_keeps_no_row(shop: Shop) -> None:
    ann = shop.join("ann")
    run(1)
    Member.objects.filter(pk=ann.pk).update(status=MemberStatus.ERASED)
    insight.refresh([ann.pk], at=day(2), recorded_at=day(2))
    assert not MemberInsight.objects.exists()


def test_stages_are_counted_day_by_day(shop: Shop) -> None:
    ann, _bob = shop.join("ann"), shop.join("bob")
    run(1)
    shop.buy(ann, "a-1", 50, on=2)
    run(2)
    days = {
        (each.on.day, each.stage): (each.members, each.entered, each.left)
        for each in StageDay.objects.filter(stage__in=["acquire", "activate"])
    }
    assert days == {
        (3, "acquire"): (2, 0, 0), (3, "activate"): (0, 0, 0),
        (4, "acquire"): (1, 0, 1), (4, "activate"): (1, 1, 0),
    }  # fmt: skip


def test_stages_are_counted_in_full_once_a_day_and_moves_added(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    run(1)

    def counting(on: float) -> int:
        with CaptureQueriesContext(connection) as queries:
            run(on)
        return sum("count(*) FROM members_memberinsight" in each["sql"] for each in queries)

    shop.buy(ann, "a-1", 50, on=2)
    assert counting(2) == 1
    shop.buy(bob, "b-1", 50, on=2.1)
    assert counting(2.1) == 0
    found = StageDay.objects.filter(on=FIRST + timedelta(days=2), stage="activate")
    assert found.values_list("members", "entered", "left").get() == (2, 2, 0)
    StageDay.objects.update(members=9)
    shop.buy(ann, "a-2", 50, on=3)
    shop.join("eve", at=3)
    run(3)
    days = StageDay.objects.filter(on=FIRST + timedelta(days=3), stage="acquire")
    assert days.get().members == 1, "another day is counted anew"


def test_a_first_look_slice_by_slice_counts_everybody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insight_due, "SLICE", 2)
    for number in range(5):
        shop.join(f"m{number}")
    with CaptureQueriesContext(connection) as queries:
        run(1)
    assert sum("count(*) FROM members_memberinsight" in each["sql"] for each in queries) == 1
    day_of = StageDay.objects.get(stage="acquire")
    assert (day_of.members, day_of.entered) == (5, 0)


def test_a_year_that_was_loaded_at_once_gets_the_scores_of_its_past(shop: Shop) -> None:
    ann = shop.join("ann")
    for number in range(4):
        shop.buy(ann, f"a-{number}", 300, on=number * 30)
    run(100)
    days = [FIRST + timedelta(days=on) for on in (10, 40, 95)]

    def past() -> int:
        return insight_due.refresh_past(days=days, progress=lambda done, total: None)

    assert (past(), past()) == (3, 0)
    scores = ValueScore.objects.filter(member=ann).order_by("on")
    assert [score.current for score in scores] == [5, 9, 18, 18]
    assert StageDay.objects.filter(on=days[0], stage="activate").get().members == 1


def test_an_earlier_instant_never_takes_a_look_back(shop: Shop) -> None:
    ann = shop.join("ann")
    run(100)
    shop.buy(ann, "a-1", 50, on=1, at=100)
    run(50)
    assert (row(ann).computed_on, row(ann).stage) == (FIRST + timedelta(days=100), "dormant")


def test_events_still_being_written_are_read_once_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    run(0)

    def read(oldest_open: int, next_transaction: int) -> int:
        seen = f"SELECT max(id), {oldest_open}, {next_transaction} FROM members_memberevent"
        monkeypatch.setattr(insight_due, "_SEEN", seen)
        return insight_due.refresh_due(
            at=day(1), recorded_at=day(1), progress=lambda done, total: None
        )

    InsightMark.objects.update(seen_transaction=0)
    assert read(20, 20) == 0
    shop.buy(ann, "a-1", 50, on=1)
    assert read(30, 35) == 1
    shop.buy(bob, "b-1", 50, on=1)
    assert read(34, 36) == 2, "who wrote before 35 may not be done"
    assert read(36, 36) == 2, "they are now, and are read for the last time"
    assert read(37, 37) == 1, "bob was seen when 36 was to come"
    assert read(38, 38) == 0
