"""Gifts of the calendar: birthdays and years of membership, day by day.

Days that were missed are gone through in order. Today is gone through again and again until it is
over, for whoever enrols on the day; the unique grant keeps it to one.

Source: BEN-02, ENG-07.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Min

from config.base import clock
from rewards.domain import grants as deciding
from rewards.domain.grants import GrantSpec, Trigger, Wanted
from rewards.domain.programme import ProgrammeBook
from rewards.models import Grant, GrantCalendar, GrantRuleVersion
from rewards.models.grant import GrantStatus, GrantTrigger
from rewards.models.rule import RuleState
from rewards.services import giving, loading, member_facts
from rewards.services.programme import current_book
from tiers import queries as tier_queries
from tiers.domain.state import suspended_days
from tiers.domain.windows import Anchors, TenureUnit

SLICE: Final = 500
ACTOR: Final = "system"
MONTHS_A_YEAR: Final = 12
_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)

Progress = Callable[[int, int], None]

_NOT_YET = """
  AND m.status IN ('active', 'frozen') AND m.id > %(after)s
  AND NOT EXISTS (SELECT FROM rewards_grant g WHERE g.member_id = m.id
                  AND g.rule_id = %(rule)s AND g.occurrence = %(occurrence)s)
ORDER BY m.id LIMIT %(limit)s
"""

_BIRTHDAYS = f"""
SELECT m.id FROM members_memberprofile p JOIN members_member m ON m.id = p.member_id
WHERE (p.birth_month, p.birth_day) IN (SELECT * FROM unnest(%(months)s::int[], %(days)s::int[]))
  AND m.joined_at < %(end)s
{_NOT_YET}"""  # noqa: S608 - constants

# Frozen time puts the day off where the ladder says so: who was ever frozen is looked at one by
# one, the others by the day of their enrolment.
_TENURES = f"""
SELECT m.id FROM members_member m
WHERE (%(frozen_counts)s OR NOT EXISTS (
           SELECT FROM members_suspension s WHERE s.member_id = m.id))
  AND EXISTS (SELECT FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS d (f, e)
              WHERE m.joined_at >= d.f AND m.joined_at < d.e)
{_NOT_YET}"""  # noqa: S608 - constants

_EVER_FROZEN = """
SELECT m.id, m.joined_at,
       json_agg(json_build_array(s.from_at, s.ended_at) ORDER BY s.from_at)::text
FROM members_member m JOIN members_suspension s ON s.member_id = m.id
WHERE m.joined_at < %(latest)s AND m.status IN ('active', 'frozen') AND m.id > %(after)s
  AND NOT EXISTS (SELECT FROM rewards_grant g WHERE g.member_id = m.id
                  AND g.rule_id = %(rule)s AND g.occurrence = %(occurrence)s)
GROUP BY m.id ORDER BY m.id LIMIT %(limit)s
"""


def give_calendar_gifts(
    *, at: datetime, recorded_at: datetime, progress: Progress | None = None
) -> int:
    """Give what the days up to an instant give; returns how many gifts that was.

    Each slice of members is a transaction of its own. Again finds nothing.
    """
    book = current_book()
    if not (book.grants.has(Trigger.BIRTHDAY) or book.grants.has(Trigger.TENURE)):
        return 0
    today, done = clock.local_day(at), 0
    for day in _days(today):
        for count in _give_day(book, day, recorded_at):
            done += count
            if progress is not None:
                progress(done, done)
        if day < today:
            GrantCalendar.objects.update_or_create(id=1, defaults={"done_on": day})
    return done


def retry_waiting(*, at: datetime) -> int:
    """Try again to give what could not be given; returns how many gifts were given now."""
    done, after = 0, 0
    while True:
        rows = Grant.objects.filter(
            status=GrantStatus.GIVEN, evidence__has_key=giving.WAITING, pk__gt=after
        )
        waiting = list(rows.order_by("pk").values_list("pk", "member_id")[:SLICE])
        if not waiting:
            return done
        with transaction.atomic():
            loading.lock({member for _pk, member in waiting})
            tried = giving.retry_waiting(grants=[pk for pk, _member in waiting], at=at, actor=ACTOR)
        done += sum(giving.WAITING not in each.grant.evidence for each in tried)
        after = waiting[-1][0]


def _days(today: date) -> Iterator[date]:
    """Yield the days that are still to be gone through, today last.

    The first time, from the day on which the first rule of the calendar was made.
    """
    kept = GrantCalendar.objects.filter(pk=1).values_list("done_on", flat=True).first()
    day = today if kept is None else kept + _DAY
    if kept is None:
        versions = GrantRuleVersion.objects.filter(
            state=RuleState.ACTIVE, trigger__in=[GrantTrigger.BIRTHDAY, GrantTrigger.TENURE]
        )
        made_at = versions.aggregate(first=Min("created_at"))["first"]
        day = today if made_at is None else min(today, clock.local_day(made_at))
    while day <= today:
        yield day
        day += _DAY


def _give_day(book: ProgrammeBook, day: date, recorded_at: datetime) -> Iterator[int]:
    starts = clock.day_start(day)
    for spec in book.grants.at(Trigger.BIRTHDAY, starts):
        yield from _give_birthdays(spec, day, recorded_at)
    for spec in book.grants.at(Trigger.TENURE, starts):
        for years in spec.years:
            yield from _give_tenures(book, spec, years, day, recorded_at)


def _give_birthdays(spec: GrantSpec, day: date, at: datetime) -> Iterator[int]:
    born = deciding.birthdays_of(day)
    parameters = {
        "months": [month for month, _day in born],
        "days": [of_month for _month, of_month in born],
        "end": clock.day_start(day + _DAY),
        "rule": spec.rule,
        "occurrence": str(day.year),
    }

    def wanted(member: int, rank: int) -> list[Wanted]:
        return deciding.of_birthday(spec, member=member, rank=rank, day=day)

    for members in _slices(_BIRTHDAYS, parameters):
        yield _give(members, wanted, day, at)


def _give_tenures(
    book: ProgrammeBook, spec: GrantSpec, years: int, day: date, at: datetime
) -> Iterator[int]:
    frozen_counts = book.ladders.at(clock.day_start(day)).tenure_counts_suspension
    joined = deciding.joined_on(day, years)
    parameters: dict[str, Any] = {
        "frozen_counts": frozen_counts,
        "starts": [clock.day_start(each) for each in joined],
        "ends": [clock.day_start(each + _DAY) for each in joined],
        "latest": clock.day_start(day),
        "rule": spec.rule,
        "occurrence": f"years:{years}",
    }

    def wanted(member: int, rank: int) -> list[Wanted]:
        return deciding.of_tenure(spec, member=member, rank=rank, years=years, day=day)

    for members in _slices(_TENURES, parameters):
        yield _give(members, wanted, day, at)
    if not frozen_counts:
        for rows in _row_slices(_EVER_FROZEN, parameters):
            reached = [row[0] for row in rows if _reaches(row, years, day)]
            if reached:
                yield _give(reached, wanted, day, at)


def _reaches(row: Sequence[Any], years: int, day: date) -> bool:
    """Say whether a member who was frozen for a time has been one for so long on a day."""
    suspended = suspended_days(member_facts.read_suspensions(row[2]))
    anchors = Anchors(clock.local_day(row[1]).toordinal(), 0, suspended)
    reached = anchors.tenure_reached(TenureUnit.MONTHS, years * MONTHS_A_YEAR, frozen_counts=False)
    return reached == day.toordinal()


def _slices(statement: str, parameters: dict[str, Any]) -> Iterator[list[int]]:
    for rows in _row_slices(statement, parameters):
        yield [row[0] for row in rows]


def _row_slices(statement: str, parameters: dict[str, Any]) -> Iterator[list[Any]]:
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, {**parameters, "after": after, "limit": SLICE})
            rows = cursor.fetchall()
        if rows:
            yield rows
        if len(rows) < SLICE:
            return
        after = rows[-1][0]


def _give(
    members: Sequence[int], wanted: Callable[[int, int], list[Wanted]], day: date, at: datetime
) -> int:
    """Give to members by the tier that each held at the end of the day, as far as that is known."""
    held_at = min(at, clock.day_start(day + _DAY) - _INSTANT)
    with transaction.atomic():
        loading.lock(members)
        current = tier_queries.current_tiers(members, at=held_at)
        found = [
            each
            for member in members
            if member in current
            for each in wanted(member, current[member].tier.rank)
        ]
        return len(giving.give(found, at=at, actor=ACTOR))
