"""A campaign meets members: once for each occurrence, within limits and budget."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from campaigns.models import (
    Campaign,
    CampaignAct,
    CampaignBudget,
    CampaignMember,
    Message,
    MessageTemplate,
)
from campaigns.services import firing, launching, undoing
from campaigns.services.firing import Fired, Occurrence
from config.base.errors import DomainError
from members.models import Member, MemberEvent
from rewards.models import Coupon, Entry, PointsAccount
from tests.factories import benefits, campaigns, console, coupons, members
from tiers.services import entitlements

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-01")]

AT = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
POINTS = {"kind": "points", "points": 100}


@pytest.fixture(autouse=True)
def _programme() -> None:
    console.programme()


def people(count: int) -> list[Member]:
    """Enrol members."""
    requests = [members.request() for _number in range(count)]
    made = members.enrol(*requests)
    return list(Member.objects.filter(pk__in=[each.member_id for each in made]).order_by("pk"))


def fire(campaign: Campaign, *who: Member, key: str = "k", at: datetime = LATER) -> Fired:
    """Let a campaign act for members."""
    occurrences = [Occurrence(member.pk, key, at) for member in who]
    return firing.fire(campaign=campaign, occurrences=occurrences, recorded_at=at)


def available(member: Member) -> int:
    """Return the points that a member can use."""
    return PointsAccount.objects.get(member=member).available


def test_same_occurrence_gives_once_when_it_comes_again() -> None:
    who = people(2)
    campaign = campaigns.running(at=AT, effects=[POINTS])

    first, again = fire(campaign, *who), fire(campaign, *who)

    assert (first.acted, again.acted, again.skipped) == (2, 0, {"done": 2})
    assert [available(member) for member in who] == [100, 100]
    entry = Entry.objects.get(member=who[0])
    assert (entry.reason, entry.actor) == ("campaign", f"campaign:{campaign.code}")


@pytest.mark.req("CMP-01")
def test_everything_an_act_gives_is_written_down_with_its_ids_and_told() -> None:
    (who,) = people(1)
    MessageTemplate.objects.create(
        code="hello", purpose="marketing", needs_consent=True, created_at=AT, created_by="t"
    )
    template = coupons.template("ten")
    case = {"kind": "case", "title": "Call the member"}
    campaign = campaigns.running(
        at=AT, effects=[POINTS, {"kind": "coupon", "template": "ten", "quantity": 2}, case],
        messages=["hello"],
    )  # fmt: skip

    fire(campaign, who)

    act = CampaignAct.objects.get()
    issued = Coupon.objects.filter(member=who, template=template).order_by("pk")
    kinds = [item["kind"] for item in act.effects]
    assert kinds == ["points", "coupon", "coupon", "case"]
    assert [item["id"] for item in act.effects[1:3]] == [str(each.public_id) for each in issued]
    assert (act.points, act.money) == (100, 2 * (template.amount or 0))
    assert Message.objects.get().trigger == f"campaign:{campaign.code}"
    event = MemberEvent.objects.get(kind="campaign.acted")
    assert (event.caused_by, event.payload["act"]) == (f"campaign:{campaign.code}", act.pk)
    budget = CampaignBudget.objects.get()
    assert (budget.spent_points, budget.spent_money, budget.spent_acts) == (100, act.money, 1)


@pytest.mark.req("SEG-07", "CMP-02")
def test_excluded_members_are_counted_and_never_given_anything() -> None:
    liked, low, stranger = people(3)
    campaigns.segment("liked", liked, low, at=AT)
    campaigns.segment("low-value", low, at=AT)
    campaign = campaigns.running(
        at=AT, audience=["liked"], excluded=["low-value"], effects=[POINTS]
    )

    fired = fire(campaign, liked, low, stranger)

    assert (fired.acted, fired.skipped) == (1, {"excluded": 1, "not_in_audience": 1})
    arms = dict(CampaignMember.objects.values_list("member_id", "arm"))
    assert arms == {liked.pk: "treated", low.pk: "excluded"}
    assert [available(each) for each in (liked, low, stranger)] == [100, 0, 0]


@pytest.mark.req("SEG-07")
def test_a_member_who_becomes_excluded_is_given_nothing_from_then_on() -> None:
    (who,) = people(1)
    low = campaigns.segment("low-value", at=AT)
    campaign = campaigns.running(at=AT, excluded=["low-value"], effects=[POINTS])
    assert fire(campaign, who, key="1").acted == 1
    low.memberships.create(member=who, from_at=AT)

    assert fire(campaign, who, key="2").skipped == {"excluded": 1}


@pytest.mark.req("CMP-02")
def test_a_member_who_is_new_in_the_audience_is_met_at_once() -> None:
    (who,) = people(1)
    club = campaigns.segment("club", at=AT)
    campaign = campaigns.running(at=AT, audience=["club"], effects=[POINTS])
    club.memberships.create(member=who, from_at=AT)

    assert fire(campaign, who).acted == 1
    assert CampaignMember.objects.get().arm == "treated"


def test_holdout_is_recorded_and_given_nothing() -> None:
    who = people(10)
    campaign = campaigns.running(at=AT, holdout_percent=20, effects=[POINTS])

    fired = fire(campaign, *who)

    assert (fired.acted, fired.skipped) == (8, {"holdout": 2})
    arms = dict(CampaignMember.objects.values_list("member_id", "arm"))
    given = {member.pk: available(member) for member in who}
    assert sorted(arms.values()) == ["holdout"] * 2 + ["treated"] * 8
    assert given == {pk: 100 if arm == "treated" else 0 for pk, arm in arms.items()}


def test_nothing_happens_while_paused_or_before_it_begins() -> None:
    (who,) = people(1)
    campaign = campaigns.running(at=AT, starts_at=AT + timedelta(days=2), effects=[POINTS])
    assert fire(campaign, who).skipped == {"outside_period": 1}
    launching.pause(campaign_id=campaign.pk, actor="t", at=LATER)

    assert fire(campaign, who, at=AT + timedelta(days=3)).skipped == {"not_running": 1}
    assert not CampaignAct.objects.exists()


@pytest.mark.req("CMP-14")
def test_the_version_that_runs_by_now_acts() -> None:
    (who,) = people(1)
    before = campaigns.running(at=AT, effects=[POINTS])
    campaigns.follow_up(before, at=AT, effects=[{"kind": "points", "points": 70}])

    assert fire(before, who).acted == 1
    assert available(who) == 70


@pytest.mark.req("CMP-03")
def test_what_comes_together_within_the_days_of_cooling_down_acts_once() -> None:
    (who,) = people(1)
    trigger = {"kind": "order", "cooldown_days": 2}
    campaign = campaigns.running(at=AT, trigger=trigger, effects=[POINTS])
    together = [Occurrence(who.pk, f"{day}", AT + timedelta(days=day)) for day in range(3)]

    fired = firing.fire(campaign=campaign, occurrences=together, recorded_at=AT)

    assert (fired.acted, fired.skipped) == (2, {"cooldown": 1})
    assert set(CampaignAct.objects.values_list("key", flat=True)) == {"0", "2"}


@pytest.mark.req("CMP-15")
def test_a_member_is_given_to_so_often_in_a_period() -> None:
    (who,) = people(1)
    campaign = campaigns.running(at=AT, limit_acts=1, limit_period="week", effects=[POINTS])

    keys = {"mon": 0, "sun": 6, "next": 7}  # 4 May 2026 is a Monday
    fired = [fire(campaign, who, key=k, at=AT + timedelta(days=d)) for k, d in keys.items()]

    assert [each.acted for each in fired] == [1, 0, 1]
    assert fired[1].skipped == {"limit": 1}


@pytest.mark.req("CMP-15")
@pytest.mark.parametrize(
    ("over_budget", "given"), [("refuse", [100, 100, 0]), ("partial", [100, 100, 50])]
)
def test_the_edge_of_a_budget_is_refused_or_gives_what_is_left(
    over_budget: str, given: list[int]
) -> None:
    who = people(3)
    campaign = campaigns.running(
        at=AT, budget_points=250, over_budget=over_budget, effects=[POINTS]
    )

    fired = fire(campaign, *who)

    assert [available(member) for member in who] == given
    assert CampaignBudget.objects.get().spent_points == sum(given)
    assert fired.skipped == ({} if over_budget == "partial" else {"budget_points": 1})


@pytest.mark.req("CMP-15")
@pytest.mark.parametrize("limits", [{"budget_acts": 1}, {"budget_money": Decimal(30)}])
def test_a_budget_in_times_or_money_holds(limits: dict[str, Any]) -> None:
    who = people(2)
    coupons.template("thirty", amount=Decimal(30))
    coupon = {"kind": "coupon", "template": "thirty"}
    campaign = campaigns.running(at=AT, effects=[coupon], **limits)

    assert fire(campaign, *who).acted == 1
    assert Coupon.objects.count() == 1


@pytest.mark.req("CMP-15")
def test_a_budget_per_day_begins_anew_each_day() -> None:
    who = people(2)
    campaign = campaigns.running(at=AT, budget_points=100, budget_period="day", effects=[POINTS])

    fired = [
        fire(campaign, *who, key=f"{day}", at=AT + timedelta(days=day)).acted for day in range(2)
    ]

    assert fired == [1, 1]
    assert CampaignBudget.objects.filter(spent_points=100).count() == 2


def test_an_act_that_cannot_give_everything_gives_nothing() -> None:
    who = people(3)
    coupons.template("scarce", max_issued=1)
    coupon = {"kind": "coupon", "template": "scarce"}
    campaign = campaigns.running(at=AT, effects=[POINTS, coupon])

    fired = fire(campaign, *who)

    assert (fired.acted, fired.skipped) == (1, {"coupon_template_exhausted": 2})
    assert sorted(available(member) for member in who) == [0, 0, 100]
    assert CampaignBudget.objects.get().spent_points == 100


@pytest.mark.req("CMP-16")
def test_of_a_group_only_the_campaign_that_goes_first_acts() -> None:
    (who,) = people(1)
    terms: dict[str, Any] = {"group": "may", "effects": [POINTS]}
    second = campaigns.running(at=AT, code="aaa", priority=2, **terms)
    first = campaigns.running(at=AT, code="zzz", priority=1, **terms)
    other = campaigns.running(at=AT, effects=[POINTS])

    fired = [fire(each, who) for each in (second, first, other)]

    assert [each.acted for each in fired] == [0, 1, 1]
    assert fired[0].skipped == {"group": 1}


@pytest.mark.req("CMP-16")
@pytest.mark.parametrize("bounds", [{"starts_at": 1}, {"ends_at": 0.02}])
def test_one_of_a_group_that_has_not_begun_or_is_over_lets_others_act(
    bounds: dict[str, float],
) -> None:
    (who,) = people(1)
    period: dict[str, Any] = {n: AT + timedelta(days=number) for n, number in bounds.items()}
    campaigns.running(at=AT, group="may", priority=1, effects=[POINTS], **period)
    other = campaigns.running(at=AT, group="may", priority=2, effects=[POINTS])

    assert fire(other, who).acted == 1


@pytest.mark.req("RWD-14")
def test_the_variant_follows_the_segment_and_says_why() -> None:
    vip, plain = people(2)
    campaigns.segment("vip", vip, at=AT)
    campaign = campaigns.running(
        at=AT,
        variants=[{"code": "more", "segment": "vip"}, {"code": "usual"}],
        effects=[
            {"kind": "points", "points": 300, "variants": ["more"]},
            {"kind": "points", "points": 100, "variants": ["usual"]},
        ],
    )

    fire(campaign, vip, plain)

    assert [available(vip), available(plain)] == [300, 100]
    told = dict(CampaignAct.objects.values_list("variant", "why"))
    assert told == {"more": {"segment": "vip"}, "usual": {"drawn": "usual"}}


def test_statements_do_not_follow_from_the_number_of_members(
    django_assert_max_num_queries: Any,
) -> None:
    coupons.template("ten")
    campaign = campaigns.running(at=AT, effects=[POINTS, {"kind": "coupon", "template": "ten"}])
    warm, one, many = people(1), people(1), people(30)
    counted = []
    for number, who in enumerate((warm, one, many)):
        with django_assert_max_num_queries(60) as captured:
            assert fire(campaign, *who, key=f"{number}").acted == len(who)
        counted.append(len(captured))

    assert counted[1] == counted[2] <= 36


@pytest.mark.req("CMP-15")
@pytest.mark.parametrize(("returns", "left"), [(True, 0), (False, 100)])
def test_what_is_taken_back_returns_to_the_budget_where_the_campaign_says_so(
    returns: bool, left: int
) -> None:
    (who,) = people(1)
    coupons.template("ten")
    effects = [POINTS, {"kind": "coupon", "template": "ten"}]
    campaign = campaigns.running(at=AT, effects=effects, returns_to_budget=returns)
    fire(campaign, who)
    act = CampaignAct.objects.get()

    undoing.undo(act_id=act.pk, reason="by mistake", actor="staff:li.na", at=LATER)

    assert available(who) == 0
    assert Coupon.objects.get().revoked_at == LATER
    assert CampaignBudget.objects.get().spent_points == left
    assert fire(campaign, who).skipped == {"done": 1}
    with pytest.raises(DomainError):
        undoing.undo(act_id=act.pk, reason="again", actor="staff:li.na", at=LATER)


@pytest.mark.req("CMP-15")
def test_what_has_been_used_is_not_taken_back() -> None:
    (who,) = people(1)
    benefits.benefit("wrap")
    wrap = {"kind": "benefit", "benefit": "wrap", "quantity": 2}
    campaign = campaigns.running(at=AT, effects=[POINTS, wrap])
    fire(campaign, who)
    entitlements.use(member=who.pk, code="wrap", uses=1, at=LATER, actor="till")

    with pytest.raises(DomainError) as refused:
        undoing.undo(
            act_id=CampaignAct.objects.get().pk, reason="by mistake", actor="staff:li.na", at=LATER
        )

    assert refused.value.code == "act_not_undoable"
    assert benefits.left(who, LATER)["wrap"] == 1
    assert available(who) == 100


@pytest.mark.req("CMP-15")
def test_what_another_system_saw_redeemed_is_not_taken_back() -> None:
    (who,) = people(1)
    campaign = campaigns.running(at=AT)
    coupon = {"kind": "coupon", "template": "51380041013", "redeemed": True}
    act = CampaignAct.objects.create(
        campaign=campaign, version=campaign.versions.get(), member=who, key="k",
        occurred_at=AT, at=AT, effects=[coupon],
    )  # fmt: skip

    with pytest.raises(DomainError) as refused:
        undoing.undo(act_id=act.pk, reason="by mistake", actor="staff:li.na", at=LATER)

    assert refused.value.code == "act_not_undoable"
