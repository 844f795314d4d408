"""Segments: made and changed by staff, filled by their conditions, kept as intervals.

Every count is one statement, whatever the number of members. A count locks its segment, so the
size that it keeps is always the number of open intervals.

Source: SEG-05, SEG-18.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Prefetch
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.conditions import ConditionError
from config.base.errors import DomainError
from members.domain import segments as rules
from members.models import Segment, SegmentDay, SegmentKind
from members.services import events
from members.services.segment_reading import (
    Explanation,
    broken,
    conditions_sql,
    count,
    explain,
    explain_facts,
    explain_many,
    facts_of,
    matching,
    member_ids_sql,
    parse,
    problem,
)

__all__ = [
    "ENTERED",
    "LEFT",
    "Content",
    "Explanation",
    "Refreshed",
    "SegmentError",
    "add_missing",
    "broken",
    "change",
    "count",
    "create",
    "explain",
    "explain_facts",
    "explain_many",
    "facts_of",
    "leave_all",
    "matching",
    "member_ids_sql",
    "parse",
    "problem",
    "refresh",
    "refresh_all",
    "retire",
]

logger = logging.getLogger(__name__)

ENTERED: Final = "segment.entered"
LEFT: Final = "segment.left"

_NOBODY: Final = "SELECT 0::bigint AS member_id WHERE false"
# Of a segment that is not counted any more, only those stay who are still members.
_STAYING: Final = """
SELECT s.member_id FROM members_segmentmembership s JOIN members_member m ON m.id = s.member_id
WHERE s.segment_id = %(segment)s AND s.to_at IS NULL AND m.status IN ('active', 'frozen')
"""

_CHANGES: Final = """
SELECT member_id, kind, %(at)s::timestamptz AS occurred_at,
       %(recorded_at)s::timestamptz AS recorded_at, '' AS caused_by,
       jsonb_build_object('segment', %(code)s::text) AS payload
FROM (
    SELECT member_id, 'segment.entered' AS kind FROM came
    UNION ALL SELECT member_id, 'segment.left' FROM gone
) moved ORDER BY member_id
"""

_REFRESH: Final = """
WITH found AS MATERIALIZED ({found}), was AS MATERIALIZED (
    SELECT id, member_id FROM members_segmentmembership
    WHERE segment_id = %(segment)s AND to_at IS NULL
), gone AS (
    UPDATE members_segmentmembership s SET to_at = greatest(%(at)s, s.from_at)
    FROM was WHERE s.id = was.id
      AND NOT EXISTS (SELECT 1 FROM found f WHERE f.member_id = was.member_id)
    RETURNING s.member_id
), came AS (
    INSERT INTO members_segmentmembership (segment_id, member_id, from_at, to_at)
    SELECT %(segment)s, f.member_id, %(at)s, NULL FROM found f
    WHERE NOT EXISTS (SELECT 1 FROM was WHERE was.member_id = f.member_id)
    RETURNING member_id
), {events}
SELECT (SELECT count(*) FROM was), (SELECT count(*) FROM came), (SELECT count(*) FROM gone)
"""

# Segments first, as every count has them, so that neither waits for the other in a circle. The
# audiences of campaigns end where no purchase has been decided yet, which their campaigns see to.
_LOCK_OPEN: Final = """
SELECT g.id FROM members_segment g
WHERE g.kind <> 'campaign' AND g.id IN (SELECT segment_id FROM members_segmentmembership
               WHERE member_id = %(member)s AND to_at IS NULL)
ORDER BY g.id FOR NO KEY UPDATE
"""

_LEAVE: Final = """
WITH gone AS (
    UPDATE members_segmentmembership s SET to_at = greatest(%(at)s, s.from_at)
    FROM members_segment g
    WHERE g.id = s.segment_id AND s.member_id = %(member)s AND s.to_at IS NULL
      AND g.kind <> 'campaign'
    RETURNING s.member_id, s.segment_id, g.code
), smaller AS (
    UPDATE members_segment g SET size = greatest(0, g.size - 1)
    FROM gone WHERE g.id = gone.segment_id
), counted AS (
    INSERT INTO members_segmentday (segment_id, "on", size, entries, exits)
    SELECT g.id, %(today)s, greatest(0, g.size - 1), 0, 1
    FROM members_segment g JOIN gone ON gone.segment_id = g.id WHERE g.size IS NOT NULL
    ON CONFLICT (segment_id, "on") DO UPDATE
    SET size = EXCLUDED.size, exits = members_segmentday.exits + 1
), {events}
SELECT count(*) FROM gone
"""

_LEFT_ALL: Final = """
SELECT member_id, 'segment.left' AS kind, %(at)s::timestamptz AS occurred_at,
       %(at)s::timestamptz AS recorded_at, '' AS caused_by,
       jsonb_build_object('segment', code) AS payload
FROM gone
"""


class SegmentError(DomainError):
    """A segment cannot be made or changed in this way."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a count has changed, and how many are in the segment now."""

    entered: int
    left: int
    size: int


@dataclass(frozen=True, slots=True)
class Content:
    """What staff say of a segment."""

    name_zh: str
    name_en: str
    description: str
    conditions: Mapping[str, Any]
    alert_percent: int | None = None


@transaction.atomic
def create(
    *, code: str, content: Content, at: datetime, actor: str, is_frozen: bool = False
) -> Segment:
    """Make a segment and count it for the first time.

    Raises: ConditionError, SegmentError.
    """
    parse(content.conditions)
    if Segment.objects.filter(code=code).exists():
        raise SegmentError("segment_exists", _("There is a segment with this code already."), 409)
    segment = _new(code, content, at, actor)
    segment.kind = SegmentKind.FROZEN if is_frozen else SegmentKind.DYNAMIC
    segment.save(force_insert=True)
    _check_circle()
    refresh(segment, at=at, recorded_at=at)
    return segment


@transaction.atomic
def add_missing(wanted: Mapping[str, Content], *, at: datetime, actor: str) -> list[str]:
    """Make the segments whose codes are not there yet; the next run counts them.

    Raises: ConditionError.
    """
    if not wanted:
        return []
    known = set(Segment.objects.filter(code__in=wanted).values_list("code", flat=True))
    missing = {code: content for code, content in wanted.items() if code not in known}
    for content in missing.values():
        parse(content.conditions)
    Segment.objects.bulk_create([_new(code, it, at, actor) for code, it in missing.items()])
    return sorted(missing)


@transaction.atomic
def change(*, segment_id: int, content: Content, at: datetime) -> Segment:
    """Change a segment; where its conditions have changed it is counted again.

    Raises: ConditionError, SegmentError.
    """
    segment = _locked(segment_id)
    is_other = dict(content.conditions) != segment.conditions
    if is_other and segment.kind != SegmentKind.DYNAMIC:
        message = _("Who is in a segment that is kept as it was counted cannot be changed.")
        raise SegmentError("segment_frozen", message, 409)
    parse(content.conditions)
    for name in ("name_zh", "name_en", "description", "alert_percent"):
        setattr(segment, name, getattr(content, name))
    segment.conditions = dict(content.conditions)
    segment.save()
    if is_other:
        _check_circle()
        refresh(segment, at=at, recorded_at=at)
    return segment


@transaction.atomic
def retire(*, segment_id: int, at: datetime, recorded_at: datetime) -> Segment:
    """Retire a segment: everybody leaves it, and it is not counted any more.

    Raises: SegmentError.
    """
    segment = _locked(segment_id)
    _apply(segment, _NOBODY, {}, at=at, recorded_at=recorded_at)
    segment.retired_at = at
    segment.save(update_fields=["retired_at"])
    return segment


@transaction.atomic
def refresh(segment: Segment, *, at: datetime, recorded_at: datetime) -> Refreshed:
    """Let the intervals of a segment say who is in it at an instant; again changes nothing.

    Time does not go back: an earlier instant than that of the last count changes nothing either.
    Raises: ConditionError.
    """
    locked = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
    is_late = locked.counted_at is not None and locked.counted_at > at
    if is_late or locked.retired_at is not None:
        return Refreshed(0, 0, locked.size or 0)
    if _is_counted_again(locked):
        statement = conditions_sql(locked.conditions or {}, at=at)
        found, parameters = statement.sql, statement.parameters
    else:
        found, parameters = _STAYING, {}
    done = _apply(locked, found, parameters, at=at, recorded_at=recorded_at)
    segment.size, segment.counted_at = done.size, at
    return done


def refresh_all(
    *, at: datetime, recorded_at: datetime, progress: Callable[[int, int], None] | None = None
) -> int:
    """Count every segment that has not been counted on this day yet; return how many were.

    Each count is a transaction: a run that was cut off goes on where it stopped. One whose
    conditions mean nothing any more, as an attribute has got another type, keeps no other from it.
    The audiences of campaigns are left to their campaigns.
    Source: SEG-18.
    """
    today = clock.local_day(at)
    due = [
        segment
        for segment in _living(SegmentKind.DYNAMIC, SegmentKind.FROZEN)
        if segment.counted_at is None or clock.local_day(segment.counted_at) < today
    ]
    counted = 0
    for number, segment in enumerate(due, 1):
        try:
            refresh(segment, at=at, recorded_at=recorded_at)
            counted += 1
        except ConditionError as error:
            logger.warning("segment %s cannot be counted: %s", segment.code, error)
        if progress is not None:
            progress(number, len(due))
    return counted


def leave_all(*, member_id: int, at: datetime) -> int:
    """End every open interval of a member who is gone; return how many there were.

    Those of campaigns' audiences stay: their campaigns end them.
    Inside the caller's transaction.
    """
    statement = _LEAVE.format(events=events.parts(_LEFT_ALL))
    parameters: dict[str, Any] = {"member": member_id, "at": at, "today": clock.local_day(at)}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_OPEN, parameters)
        if cursor.rowcount == 0:
            return 0
        cursor.execute(statement, parameters)
        (gone,) = cursor.fetchone()
    return int(gone)


def drifting() -> list[tuple[Segment, SegmentDay, SegmentDay]]:
    """Return the segments whose size has moved too far, with their last two days, newest first.

    Source: SEG-18.
    """
    watched = Segment.objects.filter(alert_percent__isnull=False, retired_at__isnull=True)
    found: list[tuple[Segment, SegmentDay, SegmentDay]] = []
    latest = Prefetch("days", SegmentDay.objects.order_by("-on")[:2], to_attr="latest_days")
    for segment in watched.prefetch_related(latest):
        days = segment.latest_days
        if len(days) == 2 and rules.is_drifting(days[1].size, days[0].size, segment.alert_percent):
            found.append((segment, days[0], days[1]))
    return found


def _apply(
    segment: Segment, found: str, parameters: Mapping[str, Any], *, at: datetime,
    recorded_at: datetime,
) -> Refreshed:  # fmt: skip
    """Make the open intervals of a locked segment those of the members that were found."""
    statement = _REFRESH.format(found=found, events=events.parts(_CHANGES))
    values = {
        **parameters, "segment": segment.pk, "code": segment.code, "at": at,
        "recorded_at": recorded_at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        was, entered, left = cursor.fetchone()
    size = was + entered - left
    segment.size, segment.counted_at = size, at
    segment.save(update_fields=["size", "counted_at"])
    _note_day(segment, Refreshed(entered, left, size), at)
    return Refreshed(entered, left, size)


def _note_day(segment: Segment, done: Refreshed, at: datetime) -> None:
    day, is_new = SegmentDay.objects.get_or_create(
        segment=segment, on=clock.local_day(at),
        defaults={"size": done.size, "entries": done.entered, "exits": done.left},
    )  # fmt: skip
    if not is_new:
        SegmentDay.objects.filter(pk=day.pk).update(
            size=done.size, entries=F("entries") + done.entered, exits=F("exits") + done.left
        )


def _new(code: str, content: Content, at: datetime, actor: str) -> Segment:
    return Segment(
        code=code, kind=SegmentKind.DYNAMIC, name_zh=content.name_zh, name_en=content.name_en,
        description=content.description, conditions=dict(content.conditions),
        alert_percent=content.alert_percent, created_at=at, created_by=actor,
    )  # fmt: skip


def _is_counted_again(segment: Segment) -> bool:
    if segment.kind == SegmentKind.FROZEN:
        return segment.counted_at is None
    return segment.kind == SegmentKind.DYNAMIC


def _living(*kinds: SegmentKind) -> list[Segment]:
    """Return the segments of some kinds that are not retired, each after those it builds on."""
    segments = {s.code: s for s in Segment.objects.filter(kind__in=kinds, retired_at=None)}
    order = rules.in_order({code: _built_on(s) for code, s in segments.items()})
    return [segments[code] for code in order if code in segments]


def _built_on(segment: Segment) -> Collection[str]:
    try:
        return rules.references(parse(segment.conditions)) if segment.conditions else ()
    except ConditionError:
        return ()


def _check_circle() -> None:
    try:
        _living(*SegmentKind)
    except ValueError as error:
        message = _("Segments cannot build on each other in a circle.")
        raise SegmentError("segment_circle", message, 409) from error


def _locked(segment_id: int) -> Segment:
    segment = Segment.objects.select_for_update(no_key=True).get(pk=segment_id)
    if segment.retired_at is not None:
        raise SegmentError("segment_retired", _("The segment is retired."), 409)
    if segment.kind == SegmentKind.CAMPAIGN:
        message = _("The audience of a campaign is kept by its campaign.")
        raise SegmentError("segment_of_campaign", message, 409)
    return segment
