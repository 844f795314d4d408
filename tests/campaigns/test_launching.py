"""Campaigns from draft to end: what two people agreed to runs, in stages, and tills know of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from campaigns.models import Campaign, CampaignMember, CampaignVersion, Message
from campaigns.services import campaign_drafts, firing, launching
from campaigns.services.campaign_drafts import Names
from campaigns.services.firing import Occurrence
from config.base import audit
from config.base.errors import DomainError
from config.wiring import audits, panels
from members.models import Approval, Member, MemberProfile, SegmentDay, SegmentMembership
from members.services import approvals, status
from rewards.services.recompute import recompute_slice
from tests.engine.shop import Shop, day
from tests.factories import campaigns
from tests.messages.world import template

pytestmark = pytest.mark.django_db

MAKER, CHECKER = "staff:li.na", "staff:wang.wei"
DOUBLE = {"kind": "multiplier", "factor": "2"}


@pytest.fixture(autouse=True)
def _kinds() -> None:
    panels.install()


def refusal(work: Callable[[], object]) -> str:
    """Return the code with which something is refused."""
    with pytest.raises(DomainError) as refused:
        work()
    return refused.value.code


def submit(version: CampaignVersion, percent: int = 100, on: float = 1) -> Approval:
    """Send a draft for review."""
    return launching.submit(
        version_id=version.pk, percent=percent, reason="spring", actor=MAKER, at=day(on)
    )


def approve(approval: Approval, actor: str = CHECKER, on: float = 1) -> None:
    """Agree to it."""
    approvals.approve(approval_id=approval.pk, actor=actor, at=day(on))


def bonus(shop: Shop, who: Member) -> dict[str, int]:
    """Return the points that campaigns have given by order."""
    return {key: points for key, points in shop.points(who).items() if " c-" in key}


def broken() -> list[str]:
    """Return what folding from zero objects to."""
    ids = list(Member.objects.values_list("pk", flat=True))
    return [f"{who} {each}" for who, each in recompute_slice(ids)]


def addressed(campaign: Campaign, arm: str = "treated") -> set[int]:
    """Return who is in an arm."""
    rows = CampaignMember.objects.filter(campaign=campaign, arm=arm)
    return set(rows.values_list("member_id", flat=True))


@pytest.mark.req("CMP-12")
def test_a_campaign_runs_once_a_second_person_agrees() -> None:
    Shop()
    version = campaigns.draft(at=day(0), code="may")
    approval = submit(version, percent=20)

    states = [Campaign.objects.get().state]
    assert refusal(lambda: approve(approval, MAKER)) == "approval_own_request"
    approve(approval)
    states.append(Campaign.objects.get().state)
    pk = version.campaign_id
    launching.widen(campaign_id=pk, percent=100, actor=MAKER, at=day(2))
    states.append(Campaign.objects.get().state)
    launching.pause(campaign_id=pk, actor=MAKER, at=day(3))
    states.append(Campaign.objects.get().state)
    launching.resume(campaign_id=pk, actor=MAKER, at=day(4))
    states.append(Campaign.objects.get().state)
    launching.end(campaign_id=pk, actor=MAKER, at=day(5))
    states.append(Campaign.objects.get().state)

    assert states == ["review", "pilot", "live", "paused", "live", "ended"]
    assert refusal(lambda: launching.resume(campaign_id=pk, actor=MAKER, at=day(6)))
    assert refusal(lambda: campaign_drafts.copy(campaign_id=pk, actor=MAKER, at=day(6)))


@pytest.mark.req("CMP-12", "CMP-14")
def test_what_changed_after_it_was_sent_has_to_be_sent_again() -> None:
    Shop()
    version = campaigns.draft(at=day(0))
    approval = submit(version)
    CampaignVersion.objects.filter(pk=version.pk).update(budget_points=10**9)
    assert refusal(lambda: approve(approval)) == "draft_changed"
    approvals.refuse(approval_id=approval.pk, actor=CHECKER, at=day(1))
    assert Campaign.objects.get().state == "draft"

    again = submit(version)
    campaign_drafts.save(
        version_id=version.pk, names=Names("新"), terms={"budget_points": 5}, actor=MAKER, at=day(1)
    )
    again.refresh_from_db()
    assert (again.state, Campaign.objects.get().state) == ("withdrawn", "draft")


@pytest.mark.req("CMP-14")
def test_a_running_version_is_frozen_and_followed_by_a_new_one() -> None:
    Shop()
    campaign = campaigns.running(at=day(0), budget_points=100)
    first = campaign.running
    assert first is not None
    said: dict[str, Any] = {"names": Names("新"), "terms": {}, "actor": MAKER, "at": day(1)}
    assert refusal(lambda: campaign_drafts.save(version_id=first.pk, **said)) == "version_frozen"

    draft = campaign_drafts.copy(campaign_id=campaign.pk, actor=MAKER, at=day(1))
    said["terms"] = {"budget_points": 200}
    campaign_drafts.save(version_id=draft.pk, **said)
    approve(submit(draft))

    campaign.refresh_from_db()
    first.refresh_from_db()
    assert campaign.running is not None
    assert (campaign.running.number, campaign.running.budget_points) == (2, 200)
    assert (first.state, first.budget_points) == ("published", 100)
    assert campaign.budgets.get().limit_points == 200


@pytest.mark.req("CMP-10")
def test_only_those_addressed_by_a_pilot_get_its_message() -> None:
    shop = Shop()
    people = [shop.join(f"m{number}") for number in range(40)]
    template("may")
    campaign = campaigns.running(at=day(2), percent=20, holdout_percent=10, messages=["may"])
    occurrences = [Occurrence(each.pk, "k", day(3)) for each in people]
    firing.fire(campaign=campaign, occurrences=occurrences, recorded_at=day(3))

    told = set(Message.objects.values_list("member_id", flat=True))
    assert told == addressed(campaign) != set()
    assert len(told) < len(people)


@pytest.mark.req("CMP-09")
def test_a_pilot_is_stratified_by_tier_and_grows_without_losing_anybody() -> None:
    shop = Shop()
    people = [shop.join(f"m{number}") for number in range(40)]
    for number in range(20):
        shop.buy(people[number], f"o{number}", 1_500, on=1)
    campaign = campaigns.running(at=day(2), percent=5, holdout_percent=10)
    held, before = addressed(campaign, "holdout"), addressed(campaign)

    assert len(held) == 4
    for percent in (20, 100):
        launching.widen(campaign_id=campaign.pk, percent=percent, actor=MAKER, at=day(3))
        now = addressed(campaign)
        by_tier = [sum(each.pk in now for each in half) for half in (people[:20], people[20:])]
        assert by_tier == [18 * percent // 100 + (percent == 20)] * 2
        assert before <= now
        before = now
    assert addressed(campaign, "holdout") == held
    open_ones = SegmentMembership.objects.filter(segment__code=campaign.segment_code, to_at=None)
    assert set(open_ones.values_list("member_id", flat=True)) == before
    assert refusal(
        lambda: launching.widen(campaign_id=campaign.pk, percent=50, actor=MAKER, at=day(4))
    )


@pytest.mark.req("PTS-06", "CMP-12")
def test_a_multiplier_counts_for_its_members_while_it_runs_whenever_facts_come() -> None:
    shop = Shop()
    ann, bob = shop.join("ann"), shop.join("bob")
    campaigns.segment("club", ann, at=day(0))
    campaign = campaigns.running(
        at=day(1), code="may", audience=["club"], effects=[DOUBLE], ends_at=day(10)
    )

    for number, on in enumerate((0.5, 2, 9.9, 10.1)):
        shop.buy(ann, f"a{number}", 100, on=on, at=11)
        shop.buy(bob, f"b{number}", 100, on=on, at=11)

    assert bonus(shop, ann) == {"a1 c-may-1": 100, "a2 c-may-1": 100}
    assert bonus(shop, bob) == {}
    campaign.refresh_from_db()
    launching.keep_going(at=day(12))
    campaign.refresh_from_db()
    assert campaign.state == "ended"
    assert broken() == []


@pytest.mark.req("PTS-06")
def test_a_pause_stops_the_multiplier_and_late_facts_keep_what_held_then() -> None:
    shop = Shop()
    ann = shop.join("ann")
    campaign = campaigns.running(at=day(1), code="may", effects=[DOUBLE])
    launching.pause(campaign_id=campaign.pk, actor=MAKER, at=day(3))
    launching.resume(campaign_id=campaign.pk, actor=MAKER, at=day(5))

    shop.buy(ann, "in-2", 100, on=6)
    shop.buy(ann, "paused", 100, on=4, at=7)
    shop.buy(ann, "in-1", 100, on=2, at=7)

    assert bonus(shop, ann) == {"in-1 c-may-1": 100, "in-2 c-may-1": 100}
    assert broken() == []


@pytest.mark.req("PTS-06")
def test_holdout_and_waiting_members_earn_no_more_than_before() -> None:
    shop = Shop()
    people = [shop.join(f"m{number}") for number in range(10)]
    campaign = campaigns.running(
        at=day(1), code="may", percent=50, holdout_percent=20, effects=[DOUBLE]
    )
    for number, each in enumerate(people):
        shop.buy(each, f"o{number}", 100, on=2)

    doubled = {each.pk for each in people if bonus(shop, each)}
    assert doubled == addressed(campaign)
    assert len(doubled) == 4


def test_an_order_minutes_ahead_of_the_clock_is_decided_as_before() -> None:
    shop = Shop()
    ann = shop.join("ann")
    ahead = 1 + 4 / 24 / 60
    shop.buy(ann, "ahead", 100, on=ahead, at=1)
    campaigns.running(at=day(1), code="may", effects=[DOUBLE])

    shop.buy(ann, "late", 10, on=0.5, at=2)

    assert bonus(shop, ann) == {}
    assert broken() == []


@pytest.mark.req("PTS-08")
def test_points_double_in_the_month_of_the_birthday() -> None:
    shop = Shop()
    ann, bob = shop.join("ann"), shop.join("bob")
    for who, month in ((ann, 4), (bob, 5)):
        MemberProfile.objects.update_or_create(member=who, defaults={"birth_month": month})
    campaigns.running(at=day(1), code="birthday", effects=[{**DOUBLE, "birthday_month": True}])

    # Day 29 is 31 March, day 30 is 1 April.
    for who in (ann, bob):
        shop.buy(who, f"{who.pk}-mar", 100, on=29)
        shop.buy(who, f"{who.pk}-apr", 100, on=30)

    assert bonus(shop, ann) == {f"{ann.pk}-apr c-birthday-1": 100}
    assert bonus(shop, bob) == {}


@pytest.mark.req("CMP-16")
@pytest.mark.parametrize("codes", [("aaa", "zzz"), ("zzz", "aaa")])
def test_of_multipliers_in_a_group_the_first_by_priority_counts(codes: tuple[str, str]) -> None:
    shop = Shop()
    ann = shop.join("ann")
    for code, factor, priority in ((codes[0], "3", 2), (codes[1], "2", 1)):
        campaigns.running(
            at=day(1), code=code, group="may", priority=priority,
            effects=[{"kind": "multiplier", "factor": factor}],
        )  # fmt: skip

    shop.buy(ann, "o", 100, on=2)

    assert list(bonus(shop, ann)) == [f"o c-{codes[1]}-1"]


def test_the_audience_follows_its_segment() -> None:
    shop = Shop()
    ann, bob = shop.join("ann"), shop.join("bob")
    club = campaigns.segment("club", ann, at=day(0))
    campaign = campaigns.running(at=day(1), audience=["club"])
    club.memberships.filter(member=ann).update(to_at=day(2))
    club.memberships.create(member=bob, from_at=day(2))

    launching.keep_going(at=day(3))

    rows = dict(CampaignMember.objects.values_list("member_id", "left_at"))
    assert rows == {ann.pk: day(3), bob.pk: None}
    stays = SegmentMembership.objects.filter(segment__code=campaign.segment_code)
    assert dict(stays.values_list("member_id", "to_at__date")) == {
        ann.pk: day(3).date(), bob.pk: None,
    }  # fmt: skip
    club.memberships.create(member=ann, from_at=day(4))
    launching.keep_going(at=day(4))
    assert stays.filter(member=ann, to_at=None).count() == 1


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"effects": [{"kind": "points"}]}, "effect_invalid"),
        ({"effects": [{"kind": "points", "points": -1}]}, "effect_invalid"),
        ({"effects": [{"kind": "coupon", "template": "none"}]}, "campaign_names_unknown"),
        ({"effects": [{"kind": "wish"}]}, "effect_invalid"),
        ({"effects": [{"kind": "case", "title": "x", "cost": "0.125"}]}, "effect_invalid"),
        ({"effects": [{"kind": "multiplier", "factor": "1"}]}, "effect_invalid"),
        ({"effects": [{**DOUBLE, "variants": ["a"]}], "variants": [{"code": "a"}]},
         "effect_invalid"),
        ({"effects": [{**DOUBLE, "conditions": {"field": "x"}}]}, ""),
        ({"variants": [{"code": "a", "weight": 0}]}, "effect_invalid"),
        ({"audience": ["nobody"]}, "campaign_names_unknown"),
        ({"messages": ["nothing"]}, "campaign_names_unknown"),
        ({"trigger": {}}, "trigger_missing"),
    ],
)  # fmt: skip
def test_what_could_not_run_cannot_be_written(terms: dict[str, Any], code: str) -> None:
    Shop()
    found = refusal(lambda: campaigns.draft(at=day(0), **terms))
    assert found == code or not code


def test_a_budget_cannot_fall_below_what_was_given() -> None:
    Shop()
    campaign = campaigns.running(at=day(0), budget_points=100)
    campaign.budgets.update(spent_points=80)
    draft = campaign_drafts.copy(campaign_id=campaign.pk, actor=MAKER, at=day(1))
    said = {"budget_points": 50}
    campaign_drafts.save(version_id=draft.pk, names=Names("新"), terms=said, actor=MAKER, at=day(1))

    approval = submit(draft)
    assert refusal(lambda: approve(approval)) == "budget_below_given"


def test_the_period_of_a_campaign_ends_after_it_starts() -> None:
    Shop()
    over: dict[str, Any] = {"ends_at": day(0), "starts_at": day(0) - timedelta(days=1)}
    version = campaigns.draft(at=day(1), **over)
    assert refusal(lambda: submit(version, on=2)) == "campaign_over"


@pytest.mark.req("CMP-14", "PTS-06")
def test_a_multiplier_that_has_not_begun_is_replaced() -> None:
    shop = Shop()
    ann = shop.join("ann")
    campaign = campaigns.running(at=day(1), code="may", effects=[DOUBLE], starts_at=day(9))
    triple = {"kind": "multiplier", "factor": "3"}
    campaigns.follow_up(campaign, at=day(2), effects=[triple], starts_at=day(5))

    for number, on in enumerate((4, 6, 10)):
        shop.buy(ann, f"o{number}", 100, on=on)

    assert bonus(shop, ann) == {"o1 c-may-1": 200, "o2 c-may-1": 200}
    assert broken() == []


def test_who_has_just_been_closed_is_missing_from_no_segment() -> None:
    shop = Shop()
    ann = shop.join("ann")
    campaign = campaigns.running(at=day(1))

    status.close(member_id=ann.pk, reason="other", note="by mail", actor=MAKER, at=day(2))

    assert addressed(campaign) == {ann.pk}
    audits.install()
    (check,) = audit.select(["campaign_segment"])
    assert audit.run_one(check).violations == []


def test_a_multiplier_for_some_variants_is_refused_and_says_why() -> None:
    with (
        translation.override("en"),
        pytest.raises(DomainError, match="whole audience") as refused,
    ):
        campaigns.draft(
            at=day(1), variants=[{"code": "a"}, {"code": "b"}],
            effects=[{**DOUBLE, "variants": ["a"]}],
        )  # fmt: skip
    assert refused.value.details == {"path": "variants"}


@pytest.mark.req("SEG-18")
def test_the_audience_of_a_campaign_has_its_sizes_by_day() -> None:
    shop = Shop()
    ann, bob, eve = (shop.join(name) for name in ("ann", "bob", "eve"))
    club = campaigns.segment("club", ann, bob, at=day(0))
    campaign = campaigns.running(at=day(1), code="may", audience=["club"])
    launching.keep_going(at=day(1.1))
    club.memberships.create(member=eve, from_at=day(1.5))
    firing.fire(
        campaign=campaign, occurrences=[Occurrence(eve.pk, "k", day(2))], recorded_at=day(2)
    )
    club.memberships.filter(member=ann).update(to_at=day(2.5))
    launching.keep_going(at=day(3))
    launching.pause(campaign_id=campaign.pk, actor=MAKER, at=day(3.01))

    days = SegmentDay.objects.filter(segment__code=campaign.segment_code).order_by("on")
    assert list(days.values_list("size", "entries", "exits")) == [(2, 2, 0), (3, 1, 0), (0, 0, 3)]
