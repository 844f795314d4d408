"""Triggers: what starts a campaign for a member, and at which instant it then acts.

A trigger of events follows the log; one of the calendar is due on days. Both name each occurrence
by a key, so that a campaign acts at most once per member and occurrence.

Pure. Source: issue of campaigns, section 3; CMP-01.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from campaigns.domain import trigger_values as values
from campaigns.domain.trigger_values import TriggerError
from config.base import clock

DEFAULT_HOUR: Final = 10
DEFAULT_STALE_HOURS: Final = 72
FULL_SCORE: Final = 100


class Kind(StrEnum):
    """What starts a campaign."""

    ORDER = "order"
    INTERACTION = "interaction"
    SURVEY = "survey"
    ENROLMENT = "enrolment"
    TIER_UP = "tier_up"
    TIER_LAPSING = "tier_lapsing"
    TIER_LAPSED = "tier_lapsed"
    SEGMENT_ENTERED = "segment_entered"
    SEGMENT_LEFT = "segment_left"
    LIFECYCLE = "lifecycle"
    CASE_CLOSED = "case_closed"
    POINTS_EXPIRING = "points_expiring"
    BIRTHDAY = "birthday"
    FIRST_PURCHASE = "first_purchase"
    MEMBERSHIP = "membership"
    TENURE = "tenure"
    FESTIVAL = "festival"
    MEMBER_DAY = "member_day"
    DORMANCY = "dormancy"
    SCORE = "score"
    SCHEDULE = "schedule"


EVENTS: Final[Mapping[Kind, str]] = {
    Kind.ORDER: "order.recorded",
    Kind.INTERACTION: "interaction.recorded",
    Kind.SURVEY: "interaction.recorded",
    Kind.ENROLMENT: "member.enrolled",
    Kind.TIER_UP: "tier.changed",
    Kind.TIER_LAPSING: "tier.lapse_warning",
    Kind.TIER_LAPSED: "tier.changed",
    Kind.SEGMENT_ENTERED: "segment.entered",
    Kind.SEGMENT_LEFT: "segment.left",
    Kind.LIFECYCLE: "lifecycle.changed",
    Kind.CASE_CLOSED: "case.closed",
}
"""The kinds that follow the log, each with the kind of event; the others are of the calendar."""
CORRECTED: Final = "interaction.corrected"
_MORE_EVENTS: Final[Mapping[Kind, str]] = {Kind.SURVEY: CORRECTED}
"""What a kind follows besides: a score that was put right is looked at again."""


class Window(StrEnum):
    """Over what the orders of a stepped trigger add up."""

    ORDER = "order"
    MONTH = "month"
    YEAR = "year"
    CAMPAIGN = "campaign"


class Moment(StrEnum):
    """When a birthday is thought of."""

    DAY = "day"
    MONTH_BEGIN = "month_begin"


class Repeat(StrEnum):
    """How often a schedule comes."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Unit(StrEnum):
    """What a tenure is counted in."""

    DAYS = "days"
    MONTHS = "months"


class Measure(StrEnum):
    """A score of a member that a trigger watches."""

    CHURN_RISK = "churn_risk"
    VALUE = "value_total"
    CURRENT = "value_current"
    POTENTIAL = "value_potential"


class Direction(StrEnum):
    """Which way a score crosses a threshold: up to it or above, or below it."""

    RISES = "rises"
    FALLS = "falls"


class StopIf(StrEnum):
    """What since then makes the occurrence pointless."""

    NOTHING = ""
    PURCHASE = "purchase"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a campaign; `values` are the fields of its kind.

    `hour` is the hour of the programme day at which it acts, None at once (events only). After
    `stale_hours` there is nothing to be said of it any more. `cooldown_days` keep it from acting
    again for the same member.
    """

    kind: Kind
    values: Mapping[str, Any]
    delay_days: int = 0
    delay_hours: int = 0
    hour: int | None = None
    stop_if: StopIf = StopIf.NOTHING
    stale_hours: int = DEFAULT_STALE_HOURS
    cooldown_days: int = 0

    @property
    def event(self) -> str | None:
        """Return the kind of event that it follows; None of the calendar."""
        return EVENTS.get(self.kind)

    @property
    def events(self) -> frozenset[str]:
        """Return all kinds of event that it follows."""
        return frozenset(found[self.kind] for found in (EVENTS, _MORE_EVENTS) if self.kind in found)

    @property
    def stale_after(self) -> timedelta:
        """Return how long after its instant an occurrence is still worth telling."""
        return timedelta(hours=self.stale_hours)

    def acts_at(self, started_at: datetime) -> datetime:
        """Return when it acts on an event: so many days and hours later, then at its hour.

        An hour that is over on that day, where no days are to pass, is that of the next day.
        """
        at = started_at + timedelta(hours=self.delay_hours)
        if self.hour is None:
            return at + timedelta(days=self.delay_days)
        day = clock.local_day(at) + timedelta(days=self.delay_days)
        point = instant(day, self.hour)
        return point if point >= at else instant(day + timedelta(days=1), self.hour)

    def point(self, day: date) -> datetime:
        """Return the instant of a day at which a trigger of the calendar acts."""
        return instant(day, DEFAULT_HOUR if self.hour is None else self.hour)

    def to_json(self) -> dict[str, Any]:
        """Return the trigger as it is stored; `parse` reads it back."""
        data: dict[str, Any] = {"kind": self.kind.value}
        data |= {name: values.plain(value) for name, value in self.values.items()}
        for name, default in _TIMING_DEFAULTS.items():
            value = getattr(self, name)
            if value != default:
                data[name] = values.plain(value)
        return data


def instant(day: date, hour: int) -> datetime:
    """Return an hour of a programme day."""
    return datetime.combine(day, time(hour), tzinfo=clock.zone()).astimezone(UTC)


Reader = Callable[[str, Any], Any]
_DAY_OF_MONTH, _WEEKDAY = values.integer(1, 31), values.integer(1, 7)
_HOUR: Final = values.integer(0, 23)

REQUIRED: Final[Mapping[Kind, Mapping[str, Reader]]] = {
    Kind.INTERACTION: {"interactions": values.words},
    Kind.SEGMENT_ENTERED: {"segment": values.word},
    Kind.SEGMENT_LEFT: {"segment": values.word},
    Kind.LIFECYCLE: {"stages": values.words},
    Kind.POINTS_EXPIRING: {"days": values.integer(0, 400)},
    Kind.TENURE: {"unit": values.one_of(Unit), "lengths": values.integers(1, 36_500)},
    Kind.FESTIVAL: {"festival": values.word},
    Kind.DORMANCY: {"days": values.integer(1, 3_650)},
    Kind.SCORE: {"measure": values.one_of(Measure), "threshold": values.integer(1, 1_000)},
    Kind.SCHEDULE: {"repeat": values.one_of(Repeat)},
}
OPTIONAL: Final[Mapping[Kind, Mapping[str, Reader]]] = {
    Kind.ORDER: {
        "nth": values.integer(1, 9_999), "min_amount": values.amount, "categories": values.words,
        "steps": values.amounts, "window": values.one_of(Window),
    },
    Kind.INTERACTION: {"first_only": values.flag},
    Kind.SURVEY: {
        "survey": values.word, "field": values.word,
        "min_score": values.integer(-100, 1_000), "max_score": values.integer(-100, 1_000),
    },
    Kind.ENROLMENT: {"channels": values.words},
    Kind.TIER_UP: {"tiers": values.words},
    Kind.TIER_LAPSED: {"tiers": values.words},
    Kind.TIER_LAPSING: {"tiers": values.words},
    Kind.CASE_CLOSED: {"kinds": values.words},
    Kind.BIRTHDAY: {"moment": values.one_of(Moment), "days_before": values.integer(0, 60)},
    Kind.FIRST_PURCHASE: {"years": values.integers(1, 150)},
    Kind.MEMBERSHIP: {"years": values.integers(1, 150)},
    Kind.FESTIVAL: {"days_before": values.integer(0, 60)},
    Kind.MEMBER_DAY: {"day": _DAY_OF_MONTH, "weekday": _WEEKDAY},
    Kind.SCORE: {"direction": values.one_of(Direction)},
    Kind.SCHEDULE: {"on": values.day, "day": _DAY_OF_MONTH, "weekday": _WEEKDAY},
}  # fmt: skip

_TIMING: Final[Mapping[str, Reader]] = {
    "hour": _HOUR,
    "stale_hours": values.integer(1, 24 * 60),
    "cooldown_days": values.integer(0, 3_650),
}
_WAITING: Final[Mapping[str, Reader]] = {
    "delay_days": values.integer(0, 730),
    "delay_hours": values.integer(0, 72),
    "stop_if": values.one_of(StopIf),
}
_TIMING_DEFAULTS: Final[Mapping[str, Any]] = {
    "delay_days": 0, "delay_hours": 0, "hour": None, "stop_if": StopIf.NOTHING,
    "stale_hours": DEFAULT_STALE_HOURS, "cooldown_days": 0,
}  # fmt: skip


def fields_of(kind: Kind) -> Mapping[str, Reader]:
    """Return the fields that a kind of trigger has besides when it acts."""
    return {**REQUIRED.get(kind, {}), **OPTIONAL.get(kind, {})}


def timing_of(kind: Kind) -> Mapping[str, Reader]:
    """Return the fields that say when a kind of trigger acts."""
    return {**_TIMING, **_WAITING} if kind in EVENTS else _TIMING


def parse(data: Mapping[str, Any]) -> Trigger:
    """Read a trigger as it is stored, and refuse everything that it does not know.

    Raises: TriggerError.
    """
    if not isinstance(data, Mapping):
        raise TriggerError("trigger_invalid", "")
    try:
        kind = Kind(data.get("kind", ""))
    except ValueError as error:
        raise TriggerError("trigger_kind_unknown", "kind") from error
    known, timing = fields_of(kind), timing_of(kind)
    for name in data:
        if name != "kind" and name not in known and name not in timing:
            raise TriggerError("trigger_field_unknown", str(name))
    for name in REQUIRED.get(kind, {}):
        if name not in data:
            raise TriggerError("trigger_field_missing", name)
    read = {name: reader(name, data[name]) for name, reader in known.items() if name in data}
    when = {name: reader(name, data[name]) for name, reader in timing.items() if name in data}
    trigger = Trigger(kind, read, **when)
    _check(trigger)
    return trigger


def _check(trigger: Trigger) -> None:
    check = _CHECKS.get(trigger.kind)
    if check is not None:
        check(trigger.values)


def _check_order(read: Mapping[str, Any]) -> None:
    if "steps" in read:
        for name in ("nth", "min_amount", "categories"):
            if name in read:
                raise TriggerError("trigger_fields_exclude", name)
    elif "window" in read:
        raise TriggerError("trigger_field_missing", "steps")


def _check_survey(read: Mapping[str, Any]) -> None:
    if "min_score" not in read and "max_score" not in read:
        raise TriggerError("trigger_field_missing", "max_score")
    if read.get("min_score", -100) > read.get("max_score", 1_000):
        raise TriggerError("trigger_field_invalid", "max_score")


def _check_birthday(read: Mapping[str, Any]) -> None:
    if read.get("moment") is Moment.MONTH_BEGIN and read.get("days_before"):
        raise TriggerError("trigger_fields_exclude", "days_before")


def _check_member_day(read: Mapping[str, Any]) -> None:
    if ("day" in read) == ("weekday" in read):
        raise TriggerError(
            "trigger_fields_exclude" if "day" in read else "trigger_field_missing", "day"
        )


def _check_score(read: Mapping[str, Any]) -> None:
    if read["measure"] is Measure.CHURN_RISK:
        # It falls by an order, and orders start campaigns by themselves.
        if read.get("direction") is Direction.FALLS:
            raise TriggerError("trigger_field_invalid", "direction")
    elif read["threshold"] > FULL_SCORE:
        raise TriggerError("trigger_field_invalid", "threshold")


_WANTED_BY_REPEAT: Final[Mapping[Repeat, str | None]] = {
    Repeat.ONCE: "on", Repeat.DAILY: None, Repeat.WEEKLY: "weekday", Repeat.MONTHLY: "day",
}  # fmt: skip


def _check_schedule(read: Mapping[str, Any]) -> None:
    wanted = _WANTED_BY_REPEAT[read["repeat"]]
    if wanted is not None and wanted not in read:
        raise TriggerError("trigger_field_missing", wanted)
    for name in ("on", "weekday", "day"):
        if name in read and name != wanted:
            raise TriggerError("trigger_fields_exclude", name)


_CHECKS: Final[Mapping[Kind, Callable[[Mapping[str, Any]], None]]] = {
    Kind.ORDER: _check_order,
    Kind.SURVEY: _check_survey,
    Kind.BIRTHDAY: _check_birthday,
    Kind.MEMBER_DAY: _check_member_day,
    Kind.SCORE: _check_score,
    Kind.SCHEDULE: _check_schedule,
}
