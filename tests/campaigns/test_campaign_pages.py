"""The console of campaigns: written on one page, reviewed, widened, watched."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns import lint, queries
from campaigns.models import Campaign, CampaignAct, CampaignVersion, GlobalHoldout
from campaigns.services import campaign_drafts, firing, launching
from campaigns.services.firing import Occurrence
from config.base import clock
from config.wiring import panels
from members.models import Approval, Member
from members.services import approvals
from tests.factories import campaigns, console, coupons, members

pytestmark = pytest.mark.django_db

POINTS = {"kind": "points", "points": 100}


@pytest.fixture(autouse=True)
def _programme() -> None:
    panels.install()
    console.programme()


@pytest.fixture
def boss(client: Client) -> User:
    user = console.staff()
    client.force_login(user)
    return user


def filled(**more: Any) -> dict[str, Any]:
    """Return the form of a campaign as an operator fills it in."""
    at = clock.local(clock.now())
    return {
        "name_zh": "金卡双倍", "name_en": "Gold doubles", "audience": "gold",
        "holdout_percent": "10", "trigger-kind": "dormancy", "trigger-days": "60",
        "effect-0-kind": "multiplier", "effect-0-amount": "2", "effect-0-cap_points": "500",
        "effect-1-kind": "points", "effect-1-amount": "50",
        "limit_acts": "1", "limit_period": "month", "budget_points": "1000",
        "budget_period": "lifetime", "over_budget": "refuse", "priority": "0",
        "ends_at": f"{at + timedelta(days=7):%Y-%m-%dT%H:%M}", "do": "save", **more,
    }  # fmt: skip


@pytest.mark.req("CMP-02", "CMP-17")
def test_a_campaign_is_written_seen_and_sent_on_one_page(client: Client, boss: User) -> None:
    who = members.member()
    campaigns.segment("gold", who, at=members.AT)

    saved = client.post(reverse("admin:campaign_new"), filled())
    version = CampaignVersion.objects.get()

    assert saved.url == reverse("admin:campaign_draft", args=[version.pk])  # type: ignore[attr-defined]
    assert version.trigger == {"kind": "dormancy", "days": 60}
    assert version.effects == [
        {"kind": "multiplier", "factor": "2", "cap_points": 500}, {"kind": "points", "points": 50},
    ]  # fmt: skip
    shown = client.get(saved.url).content.decode()  # type: ignore[attr-defined]
    assert "金卡双倍" in shown
    assert str(lint.WARNINGS["no_terms"]) in shown
    assert str(lint.WARNINGS["no_budget"]) not in shown

    client.post(saved.url, filled(do="submit", percent="20", reason="spring"))  # type: ignore[attr-defined]
    approval = Approval.objects.get()
    decide = client.get(reverse("admin:members_approval_decide", args=[approval.pk]))
    assert "金卡双倍" in decide.content.decode()
    approvals.approve(approval_id=approval.pk, actor="staff:wang.wei", at=clock.now())
    campaign = Campaign.objects.get()
    assert (campaign.state, campaign.stage_percent) == ("pilot", 20)


@pytest.mark.req("CMP-12")
def test_buttons_ask_why_and_do_it(client: Client, boss: User) -> None:
    campaign = campaigns.running(at=clock.now(), percent=10)
    states = []
    acts: tuple[tuple[str, dict[str, str]], ...] = (
        ("widen", {"percent": "100"}), ("pause", {}), ("resume", {}), ("end", {}),
    )  # fmt: skip
    for verb, more in acts:
        address = reverse("admin:campaign_verb", args=[campaign.pk, verb])
        assert client.post(address, more).status_code == 200
        client.post(address, {"reason": "as planned", **more})
        campaign.refresh_from_db()
        states.append(campaign.state)

    assert states == ["live", "paused", "live", "ended"]


@pytest.mark.req("CMP-14")
def test_the_page_of_a_campaign_shows_numbers_and_what_differs(
    client: Client, boss: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    at = clock.now()
    people = [members.member() for _number in range(3)]
    campaign = campaigns.running(at=at, effects=[POINTS], budget_points=200, terms_zh="<b>条款</b>")
    occurrences = [Occurrence(each.pk, "k", at) for each in people]
    firing.fire(campaign=campaign, occurrences=occurrences, recorded_at=at)
    draft = campaign_drafts.copy(campaign_id=campaign.pk, actor="t", at=at)
    campaign_drafts.save(
        version_id=draft.pk, names=campaign_drafts.Names("夏"), terms={"budget_points": 900},
        actor="t", at=at,
    )  # fmt: skip

    with django_assert_max_num_queries(22):
        shown = client.get(reverse("admin:campaign", args=[campaign.pk])).content.decode()

    assert "200 / 200" in shown
    assert "900" in shown
    assert "<b>条款</b>" not in shown
    board = client.get(reverse("admin:campaign_board")).content.decode()
    assert "夏" in board
    assert "夏" in client.get(reverse("admin:index")).content.decode()
    page = reverse("admin:members_member_change", args=[people[0].pk])
    assert "夏" in client.get(page).content.decode()


def test_what_is_wrong_is_said_at_its_field(client: Client, boss: User) -> None:
    answer = client.post(
        reverse("admin:campaign_new"),
        filled(audience="", **{"trigger-days": "many", "effect-1-kind": "coupon"}),
    )
    assert answer.status_code == 200
    assert not Campaign.objects.exists()
    refresh = filled(audience="", do="refresh", **{"trigger-kind": "order"})
    shown = client.post(reverse("admin:campaign_new"), refresh).content.decode()
    assert "trigger-min_amount" in shown


@pytest.mark.req("CMP-17")
def test_lint_finds_what_gives_too_much() -> None:
    members.member()
    coupons.template("ten")
    at = clock.now()

    def found(**terms: Any) -> set[str]:
        version = campaigns.draft(at=at, **terms)
        return set(lint.lint(version, queries.preview(version, 100, at), at))

    birthday = {"kind": "birthday"}
    sound = {"ends_at": at + timedelta(days=1), "holdout_percent": 10, "terms_zh": "条款"}
    limits = {"limit_acts": 1, "budget_points": 100}
    assert found(effects=[POINTS], **sound, **limits) == set()
    assert found(effects=[POINTS]) == {
        "no_budget", "no_limit", "no_end", "no_holdout", "no_terms",
    }  # fmt: skip
    assert found(trigger=birthday, effects=[POINTS], **sound, **limits) == {"no_condition"}
    dear = {**limits, "budget_points": 99}
    assert found(effects=[POINTS], **sound, **dear) == {"over_budget"}
    double = {"kind": "multiplier", "factor": "2"}
    assert found(effects=[double], **sound) == {"multiplier_unlimited"}
    assert found(**sound) == {"no_effect"}


@pytest.mark.req("CMP-09")
def test_the_global_holdout_is_addressed_by_no_campaign() -> None:
    at = clock.now()
    GlobalHoldout.objects.create(percent=50, salt="s", reason="measure", set_by="t", set_at=at)
    people = [members.member() for _number in range(40)]
    fired = []
    for _number in range(2):
        campaign = campaigns.running(at=at, effects=[POINTS])
        occurrences = [Occurrence(each.pk, "k", at) for each in people]
        fired.append(firing.fire(campaign=campaign, occurrences=occurrences, recorded_at=at))

    held = fired[0].skipped["global_holdout"]
    assert 0 < held < 40
    assert fired[0].acted == 40 - held
    assert fired[0] == fired[1]
    launching.keep_going(at=at)
    assert Member.objects.filter(campaigns__arm="treated").distinct().count() == 40 - held


@pytest.mark.req("CMP-09")
def test_a_change_of_the_global_holdout_counts_for_those_who_come_afterwards() -> None:
    at = clock.now()
    before = [members.member() for _number in range(12)]
    campaign = campaigns.running(at=at, effects=[POINTS])
    GlobalHoldout.objects.create(percent=50, salt="s", reason="measure", set_by="t", set_at=at)
    later = [members.member() for _number in range(40)]
    occurrences = [Occurrence(each.pk, "k", at) for each in (*before, *later)]

    fired = firing.fire(campaign=campaign, occurrences=occurrences, recorded_at=at)

    assert 0 < fired.skipped["global_holdout"] < 40
    assert CampaignAct.objects.filter(member__in=before, skipped="").count() == 12
