"""The calendar of campaigns, gone through day by day up to an instant.

Source: ENG-11, ENG-12, ENG-13, ENG-18, PTS-07.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from campaigns.domain import festivals
from campaigns.domain.festivals import Rule
from campaigns.models import Campaign, CampaignState, Festival, TriggerMark
from campaigns.models.campaign import RUNNING
from campaigns.services import trigger_days, triggering
from campaigns.services.firing import Occurrence
from campaigns.services.triggering import Running

Progress = Callable[[int, int], None]


def fire_calendar(*, at: datetime, recorded_at: datetime, progress: Progress | None = None) -> int:
    """Go through the days of every campaign of the calendar up to an instant; return the acts.

    The mark of a campaign moves on with each day that is done, so a run that dies is gone on with
    where it stopped; what it has done already is not done again. What falls into a pause is not
    made up for, nor what was before a campaign of events came to the calendar.
    """
    done, known = 0, rules()
    every = triggering.running((*RUNNING, CampaignState.PAUSED))
    following = [e for e in every if e.campaign.is_running and e.trigger.event is None]
    marks = dict(TriggerMark.objects.values_list("campaign", "done_until"))
    for each in following:
        since = max(marks.get(each.campaign.pk, each.since), each.since)
        for count in _fire_days(each, known, since, at, recorded_at):
            done += count
            if progress is not None:
                progress(done, done)
    _move([each.campaign for each in every if marks.get(each.campaign.pk, each.since) < at], at)
    return done


def _fire_days(
    each: Running, known: dict[str, Rule], since: datetime, at: datetime, recorded_at: datetime
) -> Iterable[int]:
    for day in trigger_days.days(since, at):
        point = each.trigger.point(day)
        if since < point <= at and each.holds(point):
            yield from _act_on_day(each, day, known, recorded_at)


def _act_on_day(
    each: Running, day: date, known: dict[str, Rule], recorded_at: datetime
) -> Iterable[int]:
    """Act on a day, slice by slice, and remember that it is done: a day of nobody is no news."""
    point, is_any = each.trigger.point(day), False
    for due in trigger_days.due_on(each.trigger, day, known):
        is_any = True
        occurrences = [Occurrence(one.member_id, one.key, point) for one in due]
        yield triggering.act(each, occurrences, at=recorded_at)
    if is_any:
        _move([each.campaign], point)


def _move(campaigns: Sequence[Campaign], until: datetime) -> None:
    TriggerMark.objects.bulk_create(
        [TriggerMark(campaign=campaign, done_until=until) for campaign in campaigns],
        update_conflicts=True, unique_fields=["campaign"], update_fields=["done_until"],
    )  # fmt: skip


def rules() -> dict[str, Rule]:
    """Return the rules of the festivals that are used."""
    used = Festival.objects.filter(is_enabled=True)
    return {code: festivals.parse(rule) for code, rule in used.values_list("code", "rule")}
