"""Campaigns for tests, written and started by the services that do it in production."""

import itertools
from datetime import datetime
from typing import Any

from campaigns.models import Campaign, CampaignVersion
from campaigns.services import campaign_drafts, launching
from campaigns.services.campaign_drafts import Names
from members.models import Member, Segment, SegmentMembership

_numbers = itertools.count(1)

ORDER = {"kind": "order"}


def segment(code: str, *who: Member, at: datetime) -> Segment:
    """Make a segment and put members into it."""
    made, _new = Segment.objects.get_or_create(
        code=code,
        defaults={"name_zh": code, "conditions": {"all": []}, "created_at": at, "created_by": "t"},
    )
    SegmentMembership.objects.bulk_create(
        SegmentMembership(segment=made, member=member, from_at=at) for member in who
    )
    return made


def draft(*, at: datetime, code: str = "", **terms: Any) -> CampaignVersion:
    """Write a draft; everybody is addressed and nobody held out if nothing else is said."""
    said = {"trigger": ORDER, "holdout_percent": 0, **terms}
    return campaign_drafts.create(
        names=Names("测试活动", "Test campaign"), terms=said, actor="maker", at=at,
        code=code or f"test-{next(_numbers)}",
    )  # fmt: skip


def running(*, at: datetime, percent: int = 100, code: str = "", **terms: Any) -> Campaign:
    """Start a campaign."""
    version = draft(at=at, code=code, **terms)
    return launching.start(version=version, percent=percent, actor="maker", at=at)


def follow_up(campaign: Campaign, *, at: datetime, **terms: Any) -> Campaign:
    """Let the next version of a campaign run in place of the one before."""
    version = campaign_drafts.copy(campaign_id=campaign.pk, actor="maker", at=at)
    names = Names(campaign.name_zh, campaign.name_en)
    campaign_drafts.save(version_id=version.pk, names=names, terms=terms, actor="maker", at=at)
    version.refresh_from_db()
    return launching.start(version=version, percent=100, actor="maker", at=at)
