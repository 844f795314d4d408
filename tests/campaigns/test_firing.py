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
from campaigns.services import firing, launching
from campaigns.services.firing import Fired, Occurrence
from members.models import Member, MemberEvent
from rewards.models import Coupon, Entry, PointsAccount
from tests.factories import campaigns, console, coupons, members

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
    entry = Entry.objects.get(account__member=who[0])
    assert (entry.reason_code, entry.actor) == ("campaign", f"campaign:{campaign.code}")
