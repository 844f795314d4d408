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


@transaction.atomic
def follow_wanted() -> None:
    """Follow the kinds of event that running campaigns ask for, and no others: they cost a row.

    Call it in the transaction in which a campaign starts or ends.
    """
    # Or what a campaign that starts meanwhile asks for would be deleted.
    events.lock_subscriptions()
    every = running((*RUNNING, CampaignState.PAUSED))
    wanted = {kind for each in every for kind in each.trigger.events}
    rows = Subscription.objects.filter(follower=FOLLOWER)
    rows.exclude(kind__in=wanted).delete()
    missing = wanted - set(rows.values_list("kind", flat=True))
    if missing:
        events.subscribe(FOLLOWER, list(missing))


@transaction.atomic
def follow(events: Sequence[Delivery], *, at: datetime) -> int:
    """Let every campaign act that events start; return on how many it did, or will.

    A campaign never acts on what it has caused itself. Statements grow with the campaigns that are
    started, and with the events only where categories, steps of a spend or answers are asked for.
    """
    following = [each for each in running() if each.trigger.event is not None]
    known = trigger_events.Known(events)
    started = _first_of_each(
        _Started(each, event, found)
        for each in following
        for event in events
        if not _is_own(each.campaign, event.caused_by)
        for found in trigger_events.find(each.trigger, event, known, running_since=each.since)
    )
    # Even where its instant is over: what waits is looked at again when it acts.
    waiting = [one for one in started if one.waits]
    _wait(waiting)
    due = [one for one in started if not one.waits and one.by.holds(one.acts_at)]
    campaigns = {one.by.campaign.pk for one in due}
    if len(campaigns) > 1:
        firing.hold(members={one.event.member_id for one in due}, campaigns=campaigns)
    acted = sum(
        act(each, [one.occurrence for one in due if one.by is each], at=at)
        for each in following
        if each.campaign.pk in campaigns
    )
    return len(waiting) + acted


@dataclass(frozen=True, slots=True)
class _Started:
    """An event that starts a campaign for its member."""

    by: Running
    event: Delivery
    found: Found

    @property
    def acts_at(self) -> datetime:
        return self.by.trigger.acts_at(self.found.since)

    @property
    def waits(self) -> bool:
        return self.acts_at > self.found.since

    @property
    def occurrence(self) -> Occurrence:
        found = self.found
        cause = _cause(self.event)
        return Occurrence(self.event.member_id, found.key, self.acts_at, cause, found.context)

    @property
    def row(self) -> TriggerOccurrence:
        found = self.found
        row = _row(self.by, self.event.member_id, found.key, found.since, self.acts_at)
        row.caused_by, row.context = _cause(self.event), dict(found.context)
        return row


def _first_of_each(started: Iterable[_Started]) -> list[_Started]:
    """Return of those that are the same occurrence the first, which alone would have counted."""
    found: dict[tuple[int, int, str], _Started] = {}
    for one in started:
        found.setdefault((one.by.campaign.pk, one.event.member_id, one.found.key), one)
    return list(found.values())


def _is_own(campaign: Campaign, caused_by: str) -> bool:
    own = f"{CAUSE}{campaign.code}"
    return caused_by == own or caused_by.startswith((f"{own}:", f"{own} "))


def _cause(event: Delivery) -> str:
    return event.caused_by or f"event:{event.event_id}"


def _wait(started: Sequence[_Started]) -> None:
    """Let occurrences wait; in an order, so that two who write the same never wait in a ring."""
    rows = [one.row for one in started]
    rows.sort(key=lambda row: (row.campaign_id, row.member_id, row.key))
    TriggerOccurrence.objects.bulk_create(rows, ignore_conflicts=True)


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
