"""The Complete Journey's own campaigns: whom the grocer addressed, and what was redeemed.

They are over, so they come as ended campaigns with what is known of them: no hold-out was kept and
no message is recorded. Loading them again adds nothing.

Source: design §7 (import_complete_journey).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import pyarrow.parquet as pq
from django.db import transaction

from campaigns.domain import assignment
from campaigns.models import (
    Arm,
    Campaign,
    CampaignAct,
    CampaignMember,
    CampaignState,
    CampaignVersion,
)
from campaigns.models.campaign import VersionState
from config.base import clock
from members.models import Member
from members.services import identity
from rewards.services import complete_journey
from rewards.services.complete_journey import Journey

ACTOR: Final = "import:complete_journey"
ROWS_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """One campaign of the file. `days` are its first and its last one, both counted."""

    number: int
    kind: str
    days: tuple[date, date]

    @property
    def code(self) -> str:
        """Return the code under which it is kept."""
        return f"cj-{self.number}"

    @property
    def begins(self) -> datetime:
        """Return the instant at which its first day begins."""
        return clock.day_start(self.days[0])

    @property
    def ends(self) -> datetime:
        """Return the instant at which its last day is over."""
        return clock.day_start(self.days[1] + timedelta(days=1))


def load(*, journey: Journey, at: datetime) -> dict[str, int]:
    """Write down the campaigns whose households are members; returns how many of what.

    Raises: JourneyMissingError.
    """
    members = _members(journey)
    recipients, redeemed = _recipients(members), _redemptions(members)
    counts = {"campaigns": 0, "recipients": 0, "redemptions": 0}
    for recorded in _recorded(journey):
        if Campaign.objects.filter(code=recorded.code).exists():
            continue
        addressed = recipients.get(recorded.number, set())
        acts = redeemed.get(recorded.number, [])
        _write(recorded, addressed, acts, journey.shift, at)
        counts["campaigns"] += 1
        counts["recipients"] += len(addressed)
        counts["redemptions"] += len(acts)
    return counts


@transaction.atomic
def _write(
    recorded: Recorded, addressed: set[Member], acts: list[tuple[Member, str, date]],
    shift: timedelta, at: datetime,
) -> None:  # fmt: skip
    campaign = Campaign.objects.create(
        code=recorded.code,
        name_zh=f"示例活动 {recorded.number}（{recorded.kind}）",
        name_en=f"Sample campaign {recorded.number} ({recorded.kind})",
        state=CampaignState.DRAFT, created_at=at, created_by=ACTOR,
    )  # fmt: skip
    version = CampaignVersion.objects.create(
        campaign=campaign, number=1, state=VersionState.PUBLISHED, holdout_percent=0,
        trigger={"kind": "schedule", "on": recorded.days[0].isoformat()},
        starts_at=recorded.begins, ends_at=recorded.ends, created_at=at, created_by=ACTOR,
        published_at=recorded.begins,
    )  # fmt: skip
    campaign.running, campaign.state = version, CampaignState.ENDED
    campaign.stage_percent = 100
    campaign.started_at, campaign.ended_at = recorded.begins, recorded.ends
    campaign.save()
    CampaignMember.objects.bulk_create(
        [_recipient(campaign, member, recorded) for member in addressed], ROWS_AT_ONCE
    )
    CampaignAct.objects.bulk_create(
        [
            CampaignAct(
                campaign=campaign, version=version, member=member,
                key=f"coupon:{coupon}:{number}", occurred_at=clock.day_start(day + shift),
                at=clock.day_start(day + shift),
                effects=[{"kind": "coupon", "template": coupon, "redeemed": True}], caused_by=ACTOR,
            )
            for number, (member, coupon, day) in enumerate(acts, start=1)
        ],
        ROWS_AT_ONCE,
    )  # fmt: skip


def _recipient(campaign: Campaign, member: Member, recorded: Recorded) -> CampaignMember:
    return CampaignMember(
        campaign=campaign, member=member, arm=Arm.TREATED,
        position=assignment.position(campaign.code, member.public_id),
        entered_at=recorded.begins, treated_at=recorded.begins, left_at=recorded.ends,
    )  # fmt: skip


def _members(journey: Journey) -> dict[int, Member]:
    """Return the members behind the households that have been loaded."""
    households = {row["household_id"] for row in _rows("campaigns")}
    households |= {row["household_id"] for row in _rows("coupon_redemptions")}
    keys = {
        (complete_journey.IDENTIFIER_KIND, "", complete_journey.external_id(number)): number
        for number in households
    }
    found = identity.find(list(keys))
    members = Member.objects.in_bulk(set(found.values()))
    return {keys[key]: members[member] for key, member in found.items()}


def _recipients(members: Mapping[int, Member]) -> dict[int, set[Member]]:
    found: dict[int, set[Member]] = {}
    for row in _rows("campaigns"):
        if (member := members.get(row["household_id"])) is not None:
            found.setdefault(row["campaign_id"], set()).add(member)
    return found


def _redemptions(members: Mapping[int, Member]) -> dict[int, list[tuple[Member, str, date]]]:
    found: dict[int, list[tuple[Member, str, date]]] = {}
    for row in _rows("coupon_redemptions"):
        if (member := members.get(row["household_id"])) is not None:
            used = (member, str(row["coupon_upc"]), row["redemption_date"].date())
            found.setdefault(row["campaign_id"], []).append(used)
    return found


def _recorded(journey: Journey) -> list[Recorded]:
    return [
        Recorded(
            row["campaign_id"],
            row["campaign_type"],
            (row["start_date"].date() + journey.shift, row["end_date"].date() + journey.shift),
        )
        for row in _rows("campaign_descriptions")
    ]


def _rows(name: str) -> Iterator[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(complete_journey.data_file(name)).to_pylist()
    return iter(rows)
