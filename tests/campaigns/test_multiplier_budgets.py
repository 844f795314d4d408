"""What multipliers give counts against the budget of their campaign, and they end with it."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign, CampaignBudget
from campaigns.services import campaign_rules, firing, launching, multipliers
from campaigns.services.firing import Occurrence
from config.wiring import panels
from members.models import Member
from rewards.models import Entry
from rewards.services.recompute import recompute_slice
from tests.engine.shop import Shop, day
from tests.factories import campaigns, console

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-15")]

DOUBLE = {"kind": "multiplier", "factor": "2"}
MINUTE = 1 / 24 / 60


def watch(on: float) -> int:
    """Look at the budgets as every minute does."""
    return multipliers.watch(at=day(on), recorded_at=day(on))


def budget(period: str = "") -> CampaignBudget:
    """Return the budget of a period."""
    return CampaignBudget.objects.get(period=period)


def bonus(shop: Shop, who: Member) -> dict[str, int]:
    """Return the points that campaigns have given by order."""
    return {key: points for key, points in shop.points(who).items() if " c-" in key}


def run(**terms: Any) -> Campaign:
    """Let a campaign double points from day 1 on."""
    return campaigns.running(at=day(1), code="may", effects=[DOUBLE], **terms)


def test_the_multiplier_ends_once_the_budget_is_used_and_the_overshoot_is_counted() -> None:
    shop = Shop()
    ann = shop.join("ann")
    run(budget_points=150)

    shop.buy(ann, "a", 100, on=2)
    assert watch(2.1) == 0
    assert budget().multiplied_points == 100
    shop.buy(ann, "b", 100, on=2.2)
    assert (watch(2.3), watch(2.3 + MINUTE)) == (1, 0)
    shop.buy(ann, "minutes-later", 30, on=2.3 + 3 * MINUTE)
    shop.buy(ann, "c", 100, on=2.4)
    shop.buy(ann, "late", 10, on=2.25, at=2.5)

    assert set(bonus(shop, ann)) == {
        f"{name} c-may-1" for name in ("a", "b", "minutes-later", "late")
    }
    watch(2.6)
    found = budget()
    assert (found.multiplied_points, found.is_used_by_multipliers) == (240, True)
    assert [f"{each}" for each in recompute_slice([ann.pk])] == []


def test_what_is_settled_is_not_counted_twice_and_refunds_come_back() -> None:
    shop = Shop()
    ann = shop.join("ann")
    run(budget_points=150)
    shop.buy(ann, "a", 100, on=2)
    seen = []
    for on in (2.01, 2.5, 3):
        watch(on)
        seen.append((budget().multiplied_points, budget().settled_points))
    shop.buy(ann, "a", 100, on=2, at=4, version=2, status="cancelled")
    watch(4.1)

    assert seen == [(100, 0), (100, 100), (100, 100)]
    assert budget().multiplied_points == 0


def test_what_is_committed_after_a_later_entry_is_counted_all_the_same() -> None:
    shop = Shop()
    ann = shop.join("ann")
    campaign = run(budget_points=500)
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('rewards_entry', 'id'))")
        (unseen,) = cursor.fetchone()
    shop.buy(ann, "a", 100, on=2)
    watch(2 + MINUTE)

    entry = Entry.objects.get(rule__rule__in=campaign_rules.ids_of(campaign))
    entry.pk, entry.seq = unseen, entry.seq + 1_000
    entry.save(force_insert=True)
    watch(2 + 2 * MINUTE)

    assert budget().multiplied_points == 200


def test_gifts_and_multipliers_share_one_budget() -> None:
    shop = Shop()
    ann = shop.join("ann")
    points = {"kind": "points", "points": 100}
    campaign = campaigns.running(at=day(1), code="may", effects=[DOUBLE, points], budget_points=150)
    shop.buy(ann, "a", 60, on=2)
    watch(2.1)

    occurrence = Occurrence(ann.pk, "k", day(3))
    fired = firing.fire(campaign=campaign, occurrences=[occurrence], recorded_at=day(3))

    assert fired.skipped == {"budget_points": 1}


def test_used_it_stays_ended_until_a_larger_budget_or_a_new_period() -> None:
    shop = Shop()
    ann = shop.join("ann")
    campaign = run(budget_points=50, budget_period="day")
    shop.buy(ann, "a", 100, on=2)
    watch(2.1)
    launching.pause(campaign_id=campaign.pk, actor="t", at=day(2.2))
    launching.resume(campaign_id=campaign.pk, actor="t", at=day(2.21))
    shop.buy(ann, "b", 100, on=2.3)
    campaigns.follow_up(campaign, at=day(2.4), budget_points=150)
    shop.buy(ann, "c", 100, on=2.45)
    watch(2.46)
    shop.buy(ann, "d", 100, on=2.5)
    watch(3.5)
    shop.buy(ann, "e", 100, on=3.6)
    watch(3.7)

    assert set(bonus(shop, ann)) == {"a c-may-1", "c c-may-1", "e c-may-1"}
    given = CampaignBudget.objects.order_by("period").values_list("multiplied_points", flat=True)
    assert [points for points in given if points] == [200, 100]


def test_the_page_of_the_campaign_says_how_it_stands(client: Client) -> None:
    shop = Shop()
    ann = shop.join("ann")
    panels.install()
    campaign = run(budget_points=50)
    shop.buy(ann, "a", 100, on=2)
    watch(2.1)
    client.force_login(console.staff())
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"

    page = client.get(reverse("admin:campaign", args=[campaign.pk])).content.decode()

    assert "100 points of it were given by multipliers." in page
    assert "The multipliers have ended" in page
    assert "50 points went beyond it" in page
