"""Results of a campaign, against a plain second reading of the same rows."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from campaigns.kpis import campaign_results
from campaigns.models import (
    Arm,
    Campaign,
    CampaignAct,
    CampaignMember,
    CampaignVersion,
    Message,
    MessageTemplate,
)
from config.base import clock
from members.domain.public_id import new_public_id
from members.models import Member, Order, OrderLine
from tests.factories import console

STARTED = datetime(2026, 3, 2, 1, tzinfo=UTC)
WIDENED = STARTED + timedelta(days=7)
UNTIL = STARTED + timedelta(days=30)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    made = Campaign.objects.create(
        code="spring", name_zh="春季", name_en="Spring", created_at=STARTED, created_by="test"
    )
    version = CampaignVersion.objects.create(
        campaign=made, number=1, state="published", holdout_percent=20, published_at=STARTED,
        created_at=STARTED, created_by="test",
    )  # fmt: skip
    made.running, made.state, made.started_at = version, "live", STARTED
    made.save()
    return made


def join(campaign: Campaign, arm: str, count: int, *, at: datetime, treated_at: datetime | None,
         variant: str = "") -> list[Member]:  # fmt: skip
    first = Member.objects.count()
    rows = Member.objects.bulk_create(
        Member(public_id=new_public_id(at), card_number=f"C{first + number:09}", joined_at=at,
               channel="pos", created_at=at)
        for number in range(count)
    )  # fmt: skip
    CampaignMember.objects.bulk_create(
        CampaignMember(campaign=campaign, member=row, arm=arm, position=0.5, entered_at=at,
                       treated_at=treated_at, variant=variant)
        for row in rows
    )  # fmt: skip
    return rows


def buy(member: Member, at: datetime, net: str, *, status: str = "paid", cost: str | None = None,
        sold: str | None = None) -> None:  # fmt: skip
    order = Order.objects.create(
        source="pos", order_no=f"R{Order.objects.count()}", member=member, version=1,
        channel="pos", status=status, placed_at=at, currency="CNY",
        sold_amount=Decimal(sold or net), net_amount=Decimal(net), qualifying_amount=Decimal(net),
    )  # fmt: skip
    OrderLine.objects.create(
        order=order, member=member, line_no=1, sku="a", quantity=1, amount=Decimal(sold or net),
        cost=None if cost is None else Decimal(cost),
    )  # fmt: skip


def shop_at_random(members: Sequence[Member], chance: float, *, seed: int) -> None:
    source = random.Random(seed)
    for member in members:
        if source.random() < chance:
            day = source.randrange(0, 29)
            buy(member, STARTED + timedelta(days=day, hours=1), f"{source.randrange(10, 90)}.00")


@pytest.mark.req("KPI-15", "KPI-10")
def test_results_are_those_of_a_plain_reading(campaign: Campaign) -> None:
    held = join(campaign, Arm.HOLDOUT, 60, at=STARTED, treated_at=None)
    first = join(campaign, Arm.TREATED, 100, at=STARTED, treated_at=STARTED, variant="a")
    later = join(campaign, Arm.TREATED, 140, at=STARTED, treated_at=WIDENED, variant="b")
    join(campaign, Arm.WAITING, 10, at=STARTED, treated_at=None)
    for seed, (group, chance) in enumerate(((held, 0.3), (first, 0.6), (later, 0.5))):
        shop_at_random(group, chance, seed=seed)

    results = campaign_results.assess(campaign, at=UNTIL)

    def bought(group: Sequence[Member], since: datetime) -> float:
        ids = set(
            Order.objects.filter(member__in=group, placed_at__gte=since, placed_at__lt=UNTIL)
            .values_list("member_id", flat=True)
        )  # fmt: skip
        return len(ids) / len(group)

    halves = [[each for each in held if each.pk % 2 == number] for number in range(2)]
    before = bought(first, STARTED) - bought(halves[0], STARTED)
    after = bought(later, WIDENED) - bought(halves[1], WIDENED)
    assert results.overall.buying is not None
    assert results.overall.buying.value == pytest.approx((before * 100 + after * 140) / 240)
    assert [each.variant for each in results.variants] == ["a", "b"]
    assert results.variants[1].buying is not None
    assert results.variants[1].buying.value == pytest.approx(after)
    assert results.overall.treated.members == 240
    assert results.overall.holdout.members == 60, "each is compared once"


def test_purchase_counts_from_the_day_on_which_one_was_addressed(campaign: Campaign) -> None:
    """Who bought while waiting did not buy because of the campaign."""
    (member,) = join(campaign, Arm.TREATED, 1, at=STARTED, treated_at=WIDENED)
    buy(member, WIDENED - timedelta(hours=1), "10.00")
    assert campaign_results.assess(campaign, at=UNTIL).overall.treated.buyers == 0
    buy(member, WIDENED + timedelta(hours=1), "10.00")
    assert campaign_results.assess(campaign, at=UNTIL).overall.treated.buyers == 1


def test_cancelled_and_refunded_orders_are_no_purchases(campaign: Campaign) -> None:
    one, other = join(campaign, Arm.TREATED, 2, at=STARTED, treated_at=STARTED)
    buy(one, WIDENED, "10.00", status="cancelled")
    buy(other, WIDENED, "0.00", sold="10.00")
    assert campaign_results.assess(campaign, at=UNTIL).overall.treated.buyers == 0


def test_campaign_that_has_ended_counts_to_its_end(campaign: Campaign) -> None:
    (member,) = join(campaign, Arm.TREATED, 1, at=STARTED, treated_at=STARTED)
    buy(member, WIDENED, "10.00")
    campaign.state, campaign.ended_at = "ended", WIDENED
    campaign.save()
    assert campaign_results.assess(campaign, at=UNTIL).overall.treated.buyers == 0


@pytest.mark.req("KPI-10")
def test_return_is_told_where_costs_are_known(campaign: Campaign) -> None:
    """Half of what was sold came back: half of its cost did."""
    held = join(campaign, Arm.HOLDOUT, 40, at=STARTED, treated_at=None)
    treated = join(campaign, Arm.TREATED, 40, at=STARTED, treated_at=STARTED)
    for member in treated:
        buy(member, WIDENED, "50.00", sold="100.00", cost="60.00")
    for member in held[:20]:
        buy(member, WIDENED, "50.00", sold="100.00", cost="60.00")
    CampaignAct.objects.create(
        campaign=campaign, version=CampaignVersion.objects.get(), member=treated[0], key="k",
        at=WIDENED, occurred_at=WIDENED, money=Decimal("100.00"),
    )  # fmt: skip

    results = campaign_results.assess(campaign, at=UNTIL)

    assert results.known_cost_share == 1
    assert results.added_margin is not None
    # 20 per member addressed, 10 per member held out: 10 more for each of 40.
    assert results.added_margin.value == pytest.approx(400)
    assert results.cost == Decimal(100)
    assert results.returned is not None
    assert results.returned.value == pytest.approx(3.0)


def test_return_is_not_told_where_costs_are_not_known(campaign: Campaign) -> None:
    held = join(campaign, Arm.HOLDOUT, 40, at=STARTED, treated_at=None)
    treated = join(campaign, Arm.TREATED, 40, at=STARTED, treated_at=STARTED)
    for member in [*held, *treated]:
        buy(member, WIDENED, "50.00")
    results = campaign_results.assess(campaign, at=UNTIL)
    assert results.added_margin is None
    assert results.returned is None


def test_holdout_that_is_too_small_by_far_is_told(campaign: Campaign) -> None:
    join(campaign, Arm.HOLDOUT, 5, at=STARTED, treated_at=None)
    join(campaign, Arm.TREATED, 95, at=STARTED, treated_at=STARTED)
    assert campaign_results.assess(campaign, at=UNTIL).is_ratio_wrong


def test_intakes_too_small_are_compared_together(campaign: Campaign) -> None:
    for day in range(12):
        at = STARTED + timedelta(days=day)
        join(campaign, Arm.HOLDOUT, 5, at=at, treated_at=None)
        for member in join(campaign, Arm.TREATED, 20, at=at, treated_at=at):
            buy(member, at + timedelta(hours=2), "10.00")
    results = campaign_results.assess(campaign, at=UNTIL)
    assert results.overall.spend is not None
    assert results.overall.spend.value == pytest.approx(10.0)


def test_members_are_reached_once_however_many_messages_they_get(campaign: Campaign) -> None:
    (member,) = join(campaign, Arm.TREATED, 1, at=STARTED, treated_at=STARTED)
    template = MessageTemplate.objects.create(
        code="hello", purpose="marketing", needs_consent=True, created_at=STARTED, created_by="t"
    )
    for state in ("sent", "delivered", "failed"):
        Message.objects.create(
            member=member, template=template, trigger="campaign:spring", occurrence=state,
            due_at=STARTED, created_at=STARTED, channel="sms", state=state, ended_at=STARTED,
            sent_at=None if state == "failed" else STARTED,
            delivered_at=STARTED if state == "delivered" else None,
            reason="expired" if state == "failed" else "",
        )  # fmt: skip

    found = campaign_results.messages(campaign, until=UNTIL)

    assert found.by_state == {"sent": 1, "delivered": 1, "failed": 1}
    assert found.reached == 1


def test_page_says_what_has_changed(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    held = join(campaign, Arm.HOLDOUT, 60, at=STARTED, treated_at=None)
    treated = join(campaign, Arm.TREATED, 240, at=STARTED, treated_at=STARTED)
    shop_at_random(held, 0.2, seed=1)
    shop_at_random(treated, 0.7, seed=2)
    monkeypatch.setattr(clock, "now", lambda: UNTIL)
    reader = Client(headers={"accept-language": "en"})
    reader.force_login(console.staff())

    page = reader.get(f"/admin/campaigns/{campaign.pk}/results/")

    assert page.status_code == 200
    text = page.content.decode()
    assert "More members bought" in text
    assert "240 addressed, 60 held out" in text


def test_page_says_that_nobody_was_held_out(campaign: Campaign) -> None:
    first, *_others = join(campaign, Arm.TREATED, 3, at=STARTED, treated_at=STARTED)
    CampaignAct.objects.create(
        campaign=campaign, version=campaign.versions.get(), member=first, key="k", at=STARTED,
        occurred_at=STARTED, skipped="limit",
    )  # fmt: skip
    reader = Client(headers={"accept-language": "en"})
    reader.force_login(console.staff())
    page = reader.get(f"/admin/campaigns/{campaign.pk}/results/")
    assert "Nobody was held out" in page.content.decode()
    assert "Limit per member reached" in page.content.decode()
