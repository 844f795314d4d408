"""Whom a trigger of the calendar is due for on a day: one statement a slice of members.

Source: ENG-11, ENG-12, ENG-13, ENG-18, PTS-07, CMP-03.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection

from campaigns.domain.festivals import Rule
from campaigns.domain.triggers import Direction, Kind, Measure, Moment, Repeat, Trigger
from config.base import clock
from rewards.domain import grants
from tiers.domain import windows
from tiers.domain.windows import TenureUnit

SLICE: Final = 500
LONGEST_LIFE: Final = 120
# Who is past a churn risk by a jump, after an order was cancelled for one, is still acted on.
RISK_STANDS_DAYS: Final = 7
_DAY: Final = timedelta(days=1)

# Whatever the kind, who is not a member yet at the instant, or no longer, is not thought of.
_PAGE: Final = """
  AND m.status = 'active' AND m.joined_at <= %(point)s AND m.id > %(after)s
ORDER BY m.id LIMIT %(limit)s
"""

_EVERYBODY: Final = "SELECT m.id, NULL::date FROM members_member m WHERE true"

_BIRTHDAYS: Final = """
SELECT m.id, NULL::date FROM members_memberprofile p JOIN members_member m ON m.id = p.member_id
WHERE (p.birth_month, p.birth_day) IN (SELECT * FROM unnest(%(months)s::int[], %(days)s::int[]))
"""

_BIRTH_MONTHS: Final = """
SELECT m.id, NULL::date FROM members_memberprofile p JOIN members_member m ON m.id = p.member_id
WHERE p.birth_month = %(month)s
"""

_FIRST_PURCHASES: Final = """
SELECT m.id, p.first_purchase_on
FROM members_memberprofile p JOIN members_member m ON m.id = p.member_id
WHERE p.first_purchase_on = ANY(%(dates)s)
"""

_JOINED: Final = """
SELECT m.id, d.day
FROM unnest(%(dates)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS d (day, f, e)
JOIN members_member m ON m.joined_at >= d.f AND m.joined_at < d.e
WHERE true
"""

# Only accounts in which something is due by then can have such a lot.
_EXPIRING: Final = """
SELECT m.id, NULL::date
FROM rewards_pointsaccount a JOIN members_member m ON m.id = a.member_id
WHERE a.next_due_at <= %(until)s
  AND EXISTS (SELECT FROM rewards_lot l
              WHERE l.account_id = a.id AND l.remaining > 0
                AND l.expires_at > %(since)s AND l.expires_at <= %(until)s)
"""

_DORMANT: Final = """
SELECT m.id, NULL::date FROM members_member m
WHERE m.id IN (SELECT o.member_id FROM members_order o
               WHERE o.placed_at >= %(since)s AND o.placed_at < %(until)s
                 AND o.status <> 'cancelled' AND o.net_amount > 0)
  AND NOT EXISTS (SELECT FROM members_order o
                  WHERE o.member_id = m.id AND o.placed_at >= %(until)s
                    AND o.status <> 'cancelled' AND o.net_amount > 0)
"""

# The risk is the days since the last order in per cent of those after which one is dormant.
_AT_RISK: Final = """
SELECT m.id, i.last_order_on
FROM members_memberinsight i JOIN members_member m ON m.id = i.member_id
WHERE i.dormant_from > i.last_order_on
  AND i.last_order_on + ceil((i.dormant_from - i.last_order_on) * %(threshold)s / 100.0)::int
      BETWEEN %(first)s AND %(day)s
"""

# Scores of one policy only: another way to count is nothing that the member did.
_CROSSED: Final = """
SELECT m.id, v."on"
FROM members_valuescore v JOIN members_member m ON m.id = v.member_id
CROSS JOIN LATERAL (SELECT p.* FROM members_valuescore p
                    WHERE p.member_id = v.member_id AND p."on" < v."on"
                    ORDER BY p."on" DESC LIMIT 1) b
WHERE v."on" = %(day)s AND b.policy = v.policy AND b.model = v.model
"""
_RISEN: Final = _CROSSED + "  AND v.{0} >= %(threshold)s AND b.{0} < %(threshold)s"
_FALLEN: Final = _CROSSED + "  AND v.{0} < %(threshold)s AND b.{0} >= %(threshold)s"
_SCORES: Final = {
    Measure.VALUE: "total", Measure.CURRENT: "current", Measure.POTENTIAL: "potential",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """A member for whom a trigger is due on a day, and the key of the occurrence."""

    member_id: int
    key: str


@dataclass(frozen=True, slots=True)
class _Search:
    """A statement, what it is given, and how an occurrence is named."""

    statement: str
    parameters: Mapping[str, Any]
    key: Callable[[date | None], str]


def due_on(
    trigger: Trigger, day: date, festivals: Mapping[str, Rule], *, after: int = 0
) -> Iterator[list[Due]]:
    """Yield for whom a trigger is due on a day, a slice of members at a time, by id."""
    search = _SEARCHES[trigger.kind](trigger, day, festivals)
    while search is not None:
        rows = _rows(search, trigger.point(day), after)
        if rows:
            yield [Due(member, search.key(about)) for member, about in rows]
        if len(rows) < SLICE:
            return
        after = rows[-1][0]


def is_day(trigger: Trigger, day: date, festivals: Mapping[str, Rule]) -> bool:
    """Say whether anybody can be due on a day: for the same day for all, this one."""
    return _SEARCHES[trigger.kind](trigger, day, festivals) is not None


def next_day(
    trigger: Trigger, at: datetime, festivals: Mapping[str, Rule], *, within: timedelta
) -> datetime | None:
    """Return the next instant at which a trigger of the calendar can be due, if there is one."""
    for day in days(at, at + within):
        point = trigger.point(day)
        if point > at and is_day(trigger, day, festivals):
            return point
    return None


def days(since: datetime, until: datetime) -> Iterator[date]:
    """Yield the programme days from that of an instant to that of another."""
    day, last = clock.local_day(since), clock.local_day(until)
    while day <= last:
        yield day
        day += _DAY


def _rows(search: _Search, point: datetime, after: int) -> Sequence[tuple[int, date | None]]:
    with connection.cursor() as cursor:
        cursor.execute(
            search.statement + _PAGE,
            {**search.parameters, "point": point, "after": after, "limit": SLICE},
        )
        rows: Sequence[tuple[int, date | None]] = cursor.fetchall()
        return rows


def _named(text: str) -> Callable[[date | None], str]:
    return lambda _about: text


def _bounds(day: date) -> dict[str, datetime]:
    return {"since": clock.day_start(day), "until": clock.day_start(day + _DAY)}


def _expiring(trigger: Trigger, day: date, _festivals: Mapping[str, Rule]) -> _Search:
    last = day + timedelta(days=trigger.values["days"])
    return _Search(_EXPIRING, _bounds(last), _named(last.isoformat()))


def _birthday(trigger: Trigger, day: date, _festivals: Mapping[str, Rule]) -> _Search | None:
    if trigger.values.get("moment") is Moment.MONTH_BEGIN:
        return (
            _Search(_BIRTH_MONTHS, {"month": day.month}, _named(str(day.year)))
            if (day.day == 1)
            else None
        )
    celebrated = day + timedelta(days=trigger.values.get("days_before", 0))
    born = grants.birthdays_of(celebrated)
    parameters = {"months": [month for month, _d in born], "days": [d for _month, d in born]}
    return _Search(_BIRTHDAYS, parameters, _named(str(celebrated.year)))


def _years(trigger: Trigger, day: date) -> list[date]:
    """Return the days whose anniversary a day is."""
    years = trigger.values.get("years") or range(1, min(LONGEST_LIFE, day.year - 1))
    return [since for each in years for since in grants.joined_on(day, each)]


def _anniversary(day: date) -> Callable[[date | None], str]:
    return lambda since: f"years:{day.year - since.year}" if since else ""


def _first_purchase(trigger: Trigger, day: date, _festivals: Mapping[str, Rule]) -> _Search:
    return _Search(_FIRST_PURCHASES, {"dates": _years(trigger, day)}, _anniversary(day))


def _joined(dates: Sequence[date], key: Callable[[date | None], str]) -> _Search:
    parameters = {
        "dates": list(dates),
        "starts": [clock.day_start(each) for each in dates],
        "ends": [clock.day_start(each + _DAY) for each in dates],
    }
    return _Search(_JOINED, parameters, key)


def _membership(trigger: Trigger, day: date, _festivals: Mapping[str, Rule]) -> _Search:
    return _joined(_years(trigger, day), _anniversary(day))


def _tenure(trigger: Trigger, day: date, _festivals: Mapping[str, Rule]) -> _Search:
    unit = TenureUnit(trigger.values["unit"].value)
    lengths = {
        joined: length
        for length in trigger.values["lengths"]
        for joined in _reaching(unit, length, day)
    }
    return _joined(list(lengths), lambda since: f"{unit}:{lengths[since]}" if since else "")


def _reaching(unit: TenureUnit, length: int, day: date) -> list[date]:
    """Return the days of enrolment that reach a length of membership on a day."""
    if unit is TenureUnit.DAYS:
        return [day - timedelta(days=length)]
    about = clock.add_months(day, -length)
    near = (about + timedelta(days=offset) for offset in range(-4, 5))
    ordinal = day.toordinal()
    return [each for each in near if windows.tenure_day(each.toordinal(), unit, length) == ordinal]


def _festival(trigger: Trigger, day: date, festivals: Mapping[str, Rule]) -> _Search | None:
    code = trigger.values["festival"]
    celebrated = day + timedelta(days=trigger.values.get("days_before", 0))
    rule = festivals.get(code)
    if rule is None or not rule.days_between(celebrated, celebrated):
        return None
    return _Search(_EVERYBODY, {}, _named(f"{code}:{celebrated}"))


def _member_day(trigger: Trigger, day: date, _festivals: Mapping[str, Rule]) -> _Search | None:
    return _everybody_on(day, _is_day(day, trigger.values))


def _schedule(trigger: Trigger, day: date, _festivals: Mapping[str, Rule]) -> _Search | None:
    if trigger.values["repeat"] is Repeat.ONCE:
        return _everybody_on(day, day == trigger.values["on"])
    return _everybody_on(day, _is_day(day, trigger.values))


def _is_day(day: date, values: Mapping[str, Any]) -> bool:
    """Say whether a day is that of the week or of the month; the 31st is the last of any month."""
    if "weekday" in values:
        weekday: int = values["weekday"]
        return day.isoweekday() == weekday
    of_month: int = values.get("day", day.day)
    return day.day == min(of_month, clock.month_end(day).day)


def _everybody_on(day: date, is_it: bool) -> _Search | None:
    return _Search(_EVERYBODY, {}, _named(day.isoformat())) if is_it else None


def _dormancy(trigger: Trigger, day: date, _festivals: Mapping[str, Rule]) -> _Search:
    last = day - timedelta(days=trigger.values["days"])
    return _Search(_DORMANT, _bounds(last), _named(f"since:{last}"))


def _score(trigger: Trigger, day: date, _festivals: Mapping[str, Rule]) -> _Search:
    measure, threshold = trigger.values["measure"], trigger.values["threshold"]
    if measure is Measure.CHURN_RISK:
        first = day - timedelta(days=RISK_STANDS_DAYS - 1)
        parameters = {"threshold": threshold, "first": first, "day": day}
        return _Search(_AT_RISK, parameters, lambda last: f"{measure}:{threshold}:{last}")
    # The day before, whole: the score of a day may still change until its end.
    parameters = {"threshold": threshold, "day": day - _DAY}
    falls = trigger.values.get("direction") is Direction.FALLS
    statement = (_FALLEN if falls else _RISEN).format(_SCORES[measure])
    return _Search(statement, parameters, lambda on: f"{measure}:{threshold}:{on}")


_SEARCHES: Final[Mapping[Kind, Callable[[Trigger, date, Mapping[str, Rule]], _Search | None]]] = {
    Kind.POINTS_EXPIRING: _expiring,
    Kind.BIRTHDAY: _birthday,
    Kind.FIRST_PURCHASE: _first_purchase,
    Kind.MEMBERSHIP: _membership,
    Kind.TENURE: _tenure,
    Kind.FESTIVAL: _festival,
    Kind.MEMBER_DAY: _member_day,
    Kind.SCHEDULE: _schedule,
    Kind.DORMANCY: _dormancy,
    Kind.SCORE: _score,
}
