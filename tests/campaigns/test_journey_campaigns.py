"""The year's own campaigns, against a second reading of their files."""

from datetime import date, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from campaigns.kpis import campaign_results
from campaigns.models import Arm, Campaign, CampaignAct, CampaignMember, CampaignState
from campaigns.services import journey_campaigns
from config.base import clock
from rewards.services import complete_journey, importing, journey_import
from rewards.services.complete_journey import Journey
from tests.factories import console

HOUSEHOLDS = range(1, 61)
SHIFT_TO = date(2026, 3, 20)

pytestmark = pytest.mark.django_db


def read(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(complete_journey.data_file(name)).to_pylist()
    return [row for row in rows if row.get("household_id", 1) in HOUSEHOLDS]


@pytest.fixture
def journey() -> Journey:
    console.programme()
    at = clock.day_start(date(2025, 1, 1))
    requests = [journey_import.bare_request(number, at) for number in HOUSEHOLDS]
    importing.enrol_unknown(requests, at=clock.now(), progress=importing.unheard)
    return Journey(SHIFT_TO)


@pytest.mark.req("CMP-02")
def test_campaigns_have_the_recipients_and_redemptions_of_the_file(journey: Journey) -> None:
    counts = journey_campaigns.load(journey=journey, at=clock.now())

    assert counts == {
        "campaigns": 27,
        "recipients": len(read("campaigns")),
        "redemptions": len(read("coupon_redemptions")),
    }
    for described in read("campaign_descriptions"):
        number = described["campaign_id"]
        campaign = Campaign.objects.get(code=f"cj-{number}")
        sent = [row for row in read("campaigns") if row["campaign_id"] == number]
        used = [row for row in read("coupon_redemptions") if row["campaign_id"] == number]
        members = CampaignMember.objects.filter(campaign=campaign, arm=Arm.TREATED)
        assert members.count() == len(sent)
        assert campaign_results.coupons(campaign, until=clock.now()) == (len(used), len(used))


def test_campaigns_move_with_the_year(journey: Journey) -> None:
    journey_campaigns.load(journey=journey, at=clock.now())
    moved = SHIFT_TO - date(2018, 1, 1)
    (described,) = (row for row in read("campaign_descriptions") if row["campaign_id"] == 18)
    campaign = Campaign.objects.get(code="cj-18")
    assert campaign.state == CampaignState.ENDED
    assert campaign.started_at == clock.day_start(described["start_date"].date() + moved)
    last = described["end_date"].date() + moved
    assert campaign.ended_at == clock.day_start(last + timedelta(days=1))


def test_loading_again_adds_nothing(journey: Journey) -> None:
    journey_campaigns.load(journey=journey, at=clock.now())
    before = (CampaignMember.objects.count(), CampaignAct.objects.count())
    assert journey_campaigns.load(journey=journey, at=clock.now())["campaigns"] == 0
    assert (CampaignMember.objects.count(), CampaignAct.objects.count()) == before
