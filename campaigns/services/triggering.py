"""Triggers at work: which campaigns run, what follows the log, and how a campaign acts.

Whatever happens twice acts once: an occurrence has a key, and a campaign acts once for a member and
a key. What is late by more than a trigger allows is stale: nothing is said of it any more, what it
gives is owed all the same.

Source: CMP-01, CMP-03, CMP-05.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

import orjson
from django.db import transaction

from campaigns.domain import triggers
from campaigns.domain.triggers import Trigger
from campaigns.models import (
    Campaign,
    CampaignState,
    OccurrenceState,
    TriggerOccurrence,
)
from campaigns.models.campaign import RUNNING
from campaigns.services import firing, trigger_events
from campaigns.services.firing import Occurrence
from campaigns.services.trigger_events import Found
from members.models import Subscription
from members.services import events
from members.services.events import Delivery

FOLLOWER: Final = "campaigns.triggers"
CAUSE: Final = "campaign:"
STALE: Final = "stale"


@dataclass(frozen=True, slots=True)
class Running:
    """A campaign that is running, with its trigger; `since` and `until` bound what it acts on."""

    campaign: Campaign
    trigger: Trigger
    since: datetime
    until: datetime | None
    gives: bool

    def holds(self, at: datetime) -> bool:
        """Say whether the campaign runs at an instant."""
        return self.since <= at and (self.until is None or at < self.until)

    def is_stale(self, acts_at: datetime, at: datetime) -> bool:
        """Say whether there is nothing to be said any more, and nothing to be given."""
        return not self.gives and at - acts_at > self.trigger.stale_after


@lru_cache(maxsize=512)
def _compiled(stored: bytes) -> Trigger:
    return triggers.parse(orjson.loads(stored))


def running(states: Iterable[str] = RUNNING) -> list[Running]:
    """Return the campaigns in states of running that have a trigger, by id."""
    found = Campaign.objects.filter(state__in=list(states), running__isnull=False)
    return [
        _running(campaign)
        for campaign in found.select_related("running").order_by("pk")
        if campaign.running is not None and campaign.running.trigger
    ]


def _running(campaign: Campaign) -> Running:
    version = campaign.running
    assert version is not None
    since = max(each for each in (campaign.started_at, version.starts_at, _EVER) if each)
    trigger = _compiled(orjson.dumps(version.trigger, option=orjson.OPT_SORT_KEYS))
    return Running(campaign, trigger, since, version.ends_at, bool(version.effects))


_EVER: Final = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


# Following the log


def follow_wanted() -> None:
    """Follow the kinds of event that running campaigns ask for, and no others: they cost a row.

    Call it in the transaction in which a campaign starts or ends.
    """
    every = running((*RUNNING, CampaignState.PAUSED))
    wanted = {kind for each in every for kind in each.trigger.events}
    rows = Subscription.objects.filter(follower=FOLLOWER)
    rows.exclude(kind__in=wanted).delete()
    missing = wanted - set(rows.values_list("kind", flat=True))
    if missing:
        events.subscribe(FOLLOWER, list(missing))


@transaction.atomic
def follow(event: Delivery, *, at: datetime) -> int:
    """Let every campaign act that an event starts; return how many did, or will.

    A campaign never acts on what it has caused itself.
    """
    waiting, due = 0, list[tuple[Running, Occurrence]]()
    for each in running():
        if event.kind not in each.trigger.events or _is_own(each.campaign, event.caused_by):
            continue
        for found in trigger_events.find(each.trigger, event, running_since=each.since):
            acts_at = each.trigger.acts_at(found.since)
            if acts_at > found.since:
                # Even where its instant is over: what waits is looked at again when it acts.
                _wait(each, event, found, acts_at)
                waiting += 1
            elif each.holds(acts_at):
                due.append((each, _occurrence(event, found, acts_at)))
    campaigns = {each.campaign.pk for each, _one in due}
    if len(campaigns) > 1:
        firing.hold(members=[event.member_id], campaigns=campaigns)
    return waiting + sum(act(each, [one], at=at) for each, one in due)


def _is_own(campaign: Campaign, caused_by: str) -> bool:
    own = f"{CAUSE}{campaign.code}"
    return caused_by == own or caused_by.startswith((f"{own}:", f"{own} "))


def _cause(event: Delivery) -> str:
    return event.caused_by or f"event:{event.event_id}"


def _wait(each: Running, event: Delivery, found: Found, acts_at: datetime) -> None:
    row = _row(each, event.member_id, found.key, found.since, acts_at)
    row.caused_by, row.context = _cause(event), dict(found.context)
    TriggerOccurrence.objects.bulk_create([row], ignore_conflicts=True)


def _occurrence(event: Delivery, found: Found, acts_at: datetime) -> Occurrence:
    return Occurrence(event.member_id, found.key, acts_at, _cause(event), found.context)


def _row(
    each: Running, member: int, key: str, started_at: datetime, acts_at: datetime
) -> TriggerOccurrence:
    return TriggerOccurrence(
        campaign=each.campaign, member_id=member, key=key, started_at=started_at, acts_at=acts_at
    )


# Acting


@transaction.atomic
def act(each: Running, occurrences: Sequence[Occurrence], *, at: datetime) -> int:
    """Let a campaign act on occurrences of its trigger; return on how many it did.

    What is stale and gives nothing is noted instead.
    """
    late = [one for one in occurrences if each.is_stale(one.at, at)]
    if late:
        TriggerOccurrence.objects.bulk_create(
            [_ended(each, one, at) for one in late], ignore_conflicts=True
        )
    fresh = [one for one in occurrences if not each.is_stale(one.at, at)]
    if not fresh:
        return 0
    return firing.fire(campaign=each.campaign, occurrences=fresh, recorded_at=at).acted


def _ended(each: Running, one: Occurrence, at: datetime) -> TriggerOccurrence:
    row = _row(each, one.member_id, one.key, one.at, one.at)
    row.state, row.reason, row.ended_at = OccurrenceState.STALE, STALE, at
    return row
