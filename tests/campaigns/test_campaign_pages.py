"""The console of campaigns: written on one page, reviewed, widened, watched."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns import campaign_words, lint, queries
from campaigns.admin import campaign_panels
from campaigns.models import (
    Campaign,
    CampaignAct,
    CampaignVersion,
    GlobalHoldout,
    MessageTemplate,
)
from campaigns.services import campaign_drafts, firing, launching
from campaigns.services.firing import Occurrence
from config.base import clock
from config.base.panels import Visit
from config.wiring import panels
from members.models import Approval, Member, Segment
from members.services import approvals
from tests.factories import campaigns, console, coupons, members
from tests.messages.world import template

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


@pytest.mark.req("CMP-02")
def test_a_campaign_is_seen_while_it_is_written(client: Client, boss: User) -> None:
    campaigns.segment("gold", members.member(), at=members.AT)
    address = reverse("admin:campaign_new")
    body = filled(name_zh="", holdout_percent="0", do="preview")
    seen = client.post(address, body).context["seen"]
    assert (seen["preview"].addressed, seen["preview"].cost.points) == (1, 50)
    for wrong in ({"variants": "a" * 21}, {"effect-0-amount": "1"}, {"trigger-days": "many"}):
        assert client.post(address, {**body, **wrong}).context["seen"] is None
    assert not Campaign.objects.exists()


def test_an_effect_is_asked_what_its_kind_needs(client: Client, boss: User) -> None:
    coupons.template("ten")
    campaigns.segment("gold", at=members.AT)
    body = filled(**{"effect-1-kind": "coupon", "effect-1-amount": ""})
    rows = client.post(reverse("admin:campaign_new"), body).context["editor"].effects.forms
    assert [list(row.fields) for row in rows] == [
        ["kind", "amount", "cap_points", "birthday_month"],
        ["kind", "thing", "amount", "valid_days", "cost", "for_variants"], ["kind"],
    ]  # fmt: skip
    assert rows[1].errors.keys() == {"thing"}
    assert 'role="alert"' in client.post(reverse("admin:campaign_new"), body).text
    body |= {"effect-1-thing": "coupon:ten", "effect-2-kind": "case", "effect-2-title": "Call"}
    assert client.post(reverse("admin:campaign_new"), body).status_code == 302
    assert CampaignVersion.objects.get().effects[1:] == [
        {"kind": "coupon", "template": "ten"}, {"kind": "case", "title": "Call"},
    ]  # fmt: skip


@pytest.mark.req("CMP-15")
def test_a_cost_with_parts_of_cents_is_refused_where_it_is_typed(
    client: Client, boss: User
) -> None:
    campaigns.segment("gold", at=members.AT)
    typed = {"effect-1-cost": "0.125"}

    answer = client.post(reverse("admin:campaign_new"), filled(**typed))

    assert answer.context["editor"].effects.forms[1].errors.keys() == {"cost"}
    assert not Campaign.objects.exists()


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


def test_a_line_without_words_is_no_variant(client: Client, boss: User) -> None:
    campaigns.segment("gold", at=clock.now())
    body = filled(variants="a 50\n \nb 50", **{"effect-0-kind": "", "effect-0-amount": ""})
    assert client.post(reverse("admin:campaign_new"), body).status_code == 302
    assert [each["code"] for each in CampaignVersion.objects.get().variants] == ["a", "b"]
    odd = client.post(reverse("admin:campaign_new"), {**body, "variants": "a ²"})
    assert odd.status_code == 200


def test_there_is_no_half_point(client: Client, boss: User) -> None:
    campaigns.segment("gold", at=clock.now())
    answer = client.post(reverse("admin:campaign_new"), filled(**{"effect-1-amount": "50.5"}))
    assert answer.status_code == 200
    assert answer.context["editor"].effects.forms[1].errors.keys() == {"amount"}
    assert not Campaign.objects.exists()


@pytest.mark.req("CMP-02")
def test_saving_keeps_what_is_retired(client: Client, boss: User) -> None:
    at = clock.now()
    members.member()
    old = campaigns.segment("old", at=at)
    letter = template("letter")
    draft = campaigns.draft(at=at, audience=["old"], excluded=["old"], messages=["letter"])
    Segment.objects.filter(pk=old.pk).update(retired_at=at)
    MessageTemplate.objects.filter(pk=letter.pk).update(retired_at=at)
    address = reverse("admin:campaign_draft", args=[draft.pk])
    offered = client.get(address).context["editor"].form
    assert [offered[name].value() for name in ("audience", "messages")] == [["old"], ["letter"]]
    body = filled(audience="old", excluded="old", messages="letter")
    assert client.post(address, body).status_code == 302
    draft.refresh_from_db()
    assert (draft.audience, draft.excluded, draft.messages) == (["old"], ["old"], ["letter"])
    assert "(" in dict(offered.fields["audience"].choices)["old"]
    new = client.post(reverse("admin:campaign_new"), body)
    assert new.status_code == 200


def test_a_new_campaign_is_sent_for_review_once_it_is_whole(client: Client, boss: User) -> None:
    address = reverse("admin:campaign_new")
    campaigns.segment("gold", at=clock.now())
    body = filled(do="submit", percent="100")
    assert client.post(address, {**body, "reason": ""}).status_code == 200
    assert not Campaign.objects.exists()

    over = f"{clock.local(clock.now()) - timedelta(days=1):%Y-%m-%dT%H:%M}"
    refused = client.post(address, {**body, "reason": "spring", "ends_at": over})
    draft = CampaignVersion.objects.get()
    assert refused["Location"] == reverse("admin:campaign_draft", args=[draft.pk])
    assert not Approval.objects.exists()
    nothing = client.post(address, {**body, "do": "withdraw"})
    assert nothing["Location"] == reverse("admin:campaign_board")


@pytest.mark.req("CMP-14")
def test_a_version_is_told_by_names(client: Client, boss: User) -> None:
    at = clock.now()
    made = campaigns.segment("gold-code", at=at)
    Segment.objects.filter(pk=made.pk).update(name_zh="金卡会员", name_en="Gold members")
    template("letter-code")
    version = campaigns.draft(
        at=at, audience=["gold-code"], messages=["letter-code"],
        variants=[{"code": "a", "segment": "gold-code"}],
        trigger={"kind": "segment_entered", "segment": "gold-code"},
    )  # fmt: skip
    said = str(campaign_words.facets(version))
    assert said.count("金卡会员") == 3
    assert "-code" not in said


@pytest.mark.req("CMP-12")
def test_acts_say_why_and_are_taken_back_by_who_may(client: Client) -> None:
    at = clock.now()
    who = members.member(), members.member()
    campaign = campaigns.running(at=at, effects=[POINTS], budget_points=100)
    occurrences = [Occurrence(each.pk, "k", at) for each in who]
    firing.fire(campaign=campaign, occurrences=occurrences, recorded_at=at)
    address = reverse("admin:campaigns_campaignact_changelist")
    undo = reverse("admin:campaign_act_undo", args=[CampaignAct.objects.get(skipped="").pk])

    reader = console.staff("reader", is_superuser=False)
    console.allow(reader, "campaigns.view_campaignact")
    client.force_login(reader)
    page = client.get(address).text
    assert str(campaign_words.skipped("budget_points")) in page
    assert undo not in page
    client.force_login(console.staff())
    assert undo in client.get(address).text


def test_the_timeline_reads_the_names_of_campaigns_once(
    client: Client, boss: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    campaign = campaigns.running(at=clock.now())
    visit = Visit(RequestFactory().get("/"), clock.now())
    with django_assert_num_queries(1):
        for _number in range(3):
            told = campaign_panels.event_details(visit, {"campaign": campaign.code, "points": 5})
    assert told[0] == "测试活动"


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
    some = {"budget_points": 100}
    assert found(effects=[double], **sound, **some) == {"multiplier_over_budget"}
    capped = {**double, "cap_points": 101}
    assert found(effects=[capped], **sound, **some) == {"multiplier_over_budget"}
    assert found(effects=[{**double, "cap_points": 100}], **sound, **some) == set()
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
