"""What the demo's staff have on their desks changes nothing for members."""

import pytest

from campaigns.kpis import campaign_results
from campaigns.models import Campaign, Message
from config.management.demo import at_work, campaign
from config.management.demo import staff as people
from members.models import Approval, Case
from rewards.models import Entry, PointsAccount, RuleVersion
from tests.engine.shop import Shop, day
from tiers.models import Standing


def state() -> list[object]:
    """Return every balance and tier, and how many entries there are."""
    return [
        list(PointsAccount.objects.order_by("pk").values_list("pk", "available", "pending")),
        list(Standing.objects.order_by("pk").values_list("pk", "tier", "ended_at")),
        Entry.objects.count(),
    ]


@pytest.mark.django_db
def test_desks_are_full_and_nobody_has_a_point_more() -> None:
    shop = Shop()
    for number in range(10):
        member = shop.join(f"m{number}")
        shop.buy(member, f"o{number}", 100 + 300 * number, on=1)
    people.appoint()
    before = state()

    at_work.put_on_desks(at=day(3))

    kinds = set(Approval.objects.values_list("kind", "state"))
    assert {kind for kind, _state in kinds} == {
        "points_adjustment", "tier_override", "bulk_grant", "rule.publish",
    }  # fmt: skip
    assert {found for _kind, found in kinds} == {"requested"}
    assert Case.objects.undone().count() == len(at_work.TOLD)
    assert RuleVersion.objects.filter(state="draft").count() >= 2
    assert state() == before
    cases = Case.objects.count()
    at_work.put_on_desks(at=day(4))
    assert Case.objects.count() == cases


def test_the_campaign_of_the_demo_has_something_to_compare(own_database: str) -> None:
    """Its messages reach members, and nobody has a point more."""
    shop = Shop()
    for number in range(10):
        member = shop.join(f"m{number}")
        shop.buy(member, f"o{number}", 1_500, on=1)
        shop.buy(member, f"p{number}", 50, on=1.5)
        shop.buy(member, f"q{number}", 50, on=20)
    people.appoint()
    before = state()

    campaign.start(at=day(2) + campaign.AGE)
    campaign.start(at=day(2) + campaign.AGE)

    started = Campaign.objects.get()
    results = campaign_results.assess(started, at=day(2) + campaign.AGE).overall
    assert (results.treated.buyers, results.holdout.members) == (5, 2)
    assert list(Message.objects.values_list("state").distinct()) == [("delivered",)]
    assert state() == before
