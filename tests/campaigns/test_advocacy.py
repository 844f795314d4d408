"""Advocacy by month, against numbers that a person can count, and its page."""

from collections.abc import Mapping
from datetime import date, datetime

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from campaigns.kpis import advocacy, registry
from members.models import Interaction, InteractionKind, Member, Moderation, ReceivedFact
from tests.campaigns.world import UNTIL
from tests.engine.shop import Shop, day, interaction
from tests.factories import console, feedback, members

pytestmark = [pytest.mark.django_db, pytest.mark.req("KPI-08")]


def say(member: Member, kind: str, ref: str, at: str, data: Mapping[str, object]) -> int:
    fact = ReceivedFact.objects.create(
        source="pos", kind="interaction", ref=ref, digest=bytes(32), member=member, acts_at=at,
        received_at=at, body={},
    ).pk  # fmt: skip
    Interaction.objects.create(
        fact_id=fact, member=member, source="pos", ref=ref, kind=kind, data=dict(data),
        occurred_at=datetime.fromisoformat(at),
    )  # fmt: skip
    return fact


def test_months_hold_the_last_score_of_each_member_and_what_was_let_pass() -> None:
    InteractionKind.objects.create(code="photo", name_zh="晒单", name_en="Photo",
                                   needs_moderation=True)  # fmt: skip
    ann, ben = members.member(), members.member()
    say(ann, "survey", "1", "2026-02-28T23:59:59+08:00", {"score": 10})
    say(ann, "survey", "2", "2026-03-01T00:00:00+08:00", {"score": 2})
    say(ann, "survey", "3", "2026-03-02T00:00:00+08:00", {"score": 9})
    say(ben, "survey", "4", "2026-03-02T00:00:00+08:00", {"nps": 7})
    for number, state in enumerate(("approved", "pending", "removed")):
        fact = say(ann, "photo", f"p{number}", "2026-03-03T00:00:00+08:00", {})
        Moderation.objects.create(
            fact_id=fact, member=ann, state=state, occurred_at=UNTIL,
            decided_at=None if state == "pending" else UNTIL,
            approval_id=fact if state == "approved" else None,
        )  # fmt: skip
    say(ben, "review", "r", "2026-03-04T00:00:00+08:00", {})
    february, march = advocacy.by_month(UNTIL, months=2)
    assert (february.month, february.promoters) == (date(2026, 2, 1), 1)
    assert february.net_promoter_score == 1
    assert (march.promoters, march.passives, march.detractors) == (1, 1, 0)
    assert march.net_promoter_score == pytest.approx(0.5)
    assert (march.published, march.publishers) == (2, 2)


def test_answers_to_feedback_forms_are_scores_like_those_of_shops(db: None) -> None:
    shop = Shop("retail_cn")
    ann, ben = shop.join("ann"), shop.join("ben")
    form = feedback.opened(at=shop.now, treated=[ann])
    feedback.answer(form, ann, at=day(1), q1=10)
    feedback.answer(form, ann, at=day(2), q1=3)
    (outcome,) = shop.send(interaction(ben, "b", "survey", on=2), at=2)
    assert outcome.status < 400
    Interaction.objects.filter(ref="b").update(data={"score": 9})
    found = registry.read(["net_promoter_score", "scores_given"], until=day(3))
    assert found["net_promoter_score"].number == 0
    assert found["scores_given"].number == 2


def test_members_who_were_merged_count_as_the_one_they_are(db: None) -> None:
    shop = Shop("retail_cn")
    ann, ben, both = (shop.join(name) for name in ("ann", "ben", "both"))
    for number, (who, score) in enumerate([(ann, 10), (both, 1), (ben, 9)]):
        say(who, "survey", f"s{number}", f"2026-03-02T0{number}:00:00+08:00", {"score": score})
    for number, who in enumerate((ann, both)):
        say(who, "review", f"r{number}", f"2026-03-02T0{number}:00:00+08:00", {})
    Member.objects.filter(pk=both.pk).update(status="merged", merged_into=ben)
    Member.objects.filter(pk=ann.pk).update(status="merged", merged_into=both)
    found = registry.read(["net_promoter_score", "scores_given", "advocacy_rate"], until=UNTIL)
    assert found["scores_given"].number == 1
    assert found["net_promoter_score"].number == 1
    assert found["advocacy_rate"].number == 1
    march = advocacy.by_month(UNTIL, months=1)[-1]
    assert (march.promoters, march.detractors, march.published, march.publishers) == (1, 0, 2, 1)


def test_the_page_shows_figures_with_definitions_and_charts(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    cache.clear()
    console.programme()
    console.order(members.member(), "10.00", at=console.AT, points=10)
    client.force_login(console.staff())
    client.get("/admin/reports/dashboard/advocacy/")
    cache.clear()
    with django_assert_max_num_queries(16):
        page = client.get("/admin/reports/dashboard/advocacy/")
    text = page.content.decode()
    for metric in registry.of_group(registry.METRICS["published"].group):
        assert str(metric.title) in text
        assert str(metric.definition)[:30] in text
    assert len(page.context["cards"]) == 3
