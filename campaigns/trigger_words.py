"""Triggers in the words of who sets them up: what starts a campaign, and when it then acts.

`labels` name what codes stand for (tiers, segments, festivals), by field; a code that has none is
shown as it is. Source: CMP-01.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from campaigns.domain import triggers
from campaigns.domain.triggers import (
    Direction,
    Kind,
    Measure,
    Moment,
    Repeat,
    StopIf,
    Trigger,
    Unit,
    Window,
)
from config.base.admin import formats

Labels = Mapping[str, Mapping[str, str]]

_NO_LABELS: Final[Labels] = {}

KINDS: Final[Mapping[Kind, Promise]] = {
    Kind.ORDER: _("An order"),
    Kind.INTERACTION: _("An interaction"),
    Kind.SURVEY: _("A score in a survey"),
    Kind.ENROLMENT: _("Enrolment"),
    Kind.TIER_UP: _("A higher tier"),
    Kind.TIER_LAPSING: _("A tier is about to lapse"),
    Kind.TIER_LAPSED: _("A tier has lapsed"),
    Kind.SEGMENT_ENTERED: _("Entry into a segment"),
    Kind.SEGMENT_LEFT: _("Exit from a segment"),
    Kind.LIFECYCLE: _("A lifecycle stage begins"),
    Kind.CASE_CLOSED: _("A case is closed"),
    Kind.POINTS_EXPIRING: _("Points are about to expire"),
    Kind.BIRTHDAY: _("Birthday"),
    Kind.FIRST_PURCHASE: _("Anniversary of the first purchase"),
    Kind.MEMBERSHIP: _("Anniversary of the enrolment"),
    Kind.TENURE: _("Length of membership"),
    Kind.FESTIVAL: _("Festival"),
    Kind.MEMBER_DAY: _("Member day"),
    Kind.DORMANCY: _("No order for a while"),
    Kind.SCORE: _("A score crosses a threshold"),
    Kind.SCHEDULE: _("Schedule"),
}

MEASURES: Final[Mapping[Measure, Promise]] = {
    Measure.CHURN_RISK: _("Churn risk"),
    Measure.VALUE: pgettext_lazy("customer", "Value"),
    Measure.CURRENT: _("Current value"),
    Measure.POTENTIAL: _("Potential value"),
}

DIRECTIONS: Final[Mapping[Direction, Promise]] = {
    Direction.RISES: _("rises to it or above"),
    Direction.FALLS: _("falls below it"),
}

WINDOWS: Final[Mapping[Window, Promise]] = {
    Window.ORDER: _("one order"),
    Window.MONTH: _("the orders of a month"),
    Window.YEAR: _("the orders of a year"),
    Window.CAMPAIGN: _("the orders since the campaign began"),
}

REPEATS: Final[Mapping[Repeat, Promise]] = {
    Repeat.ONCE: _("once"),
    Repeat.DAILY: _("every day"),
    Repeat.WEEKLY: _("every week"),
    Repeat.MONTHLY: _("every month"),
}


def sentence(trigger: Trigger, labels: Labels = _NO_LABELS) -> str:
    """Return a trigger as one sentence: what starts it, and when it acts."""
    parts = [what(trigger, labels), when(trigger)]
    if trigger.stop_if is StopIf.PURCHASE:
        parts.append(gettext("unless there has been an order by then"))
    if trigger.cooldown_days:
        parts.append(
            ngettext(
                "at most once in %(days)d day", "at most once in %(days)d days",
                trigger.cooldown_days,
            )
            % {"days": trigger.cooldown_days}
        )  # fmt: skip
    return _clauses(part for part in parts if part)


def _clauses(parts: Iterable[str]) -> str:
    return pgettext("between clauses", ", ").join(parts)


def when(trigger: Trigger) -> str:
    """Return at which time it acts, from what starts it on."""
    hour = triggers.DEFAULT_HOUR if trigger.hour is None else trigger.hour
    if trigger.event is None:
        return gettext("at %(hour)d:00") % {"hour": hour}
    said = []
    if trigger.delay_days:
        said.append(
            ngettext("%(days)d day later", "%(days)d days later", trigger.delay_days)
            % {"days": trigger.delay_days}
        )
    if trigger.delay_hours:
        said.append(
            ngettext("%(hours)d hour later", "%(hours)d hours later", trigger.delay_hours)
            % {"hours": trigger.delay_hours}
        )
    if trigger.hour is not None:
        said.append(gettext("at %(hour)d:00") % {"hour": trigger.hour})
    return " ".join(said) if said else gettext("at once")


def valid(trigger: Trigger) -> str:
    """Return how long after its time there is still something to be said."""
    return ngettext("%(hours)d hour", "%(hours)d hours", trigger.stale_hours) % {
        "hours": trigger.stale_hours
    }


def what(trigger: Trigger, labels: Labels = _NO_LABELS) -> str:
    """Return what starts a trigger."""
    say = _SAYS.get(trigger.kind)
    said = say(trigger.values, labels) if say is not None else ""
    return said or str(KINDS[trigger.kind])


def _named(codes: Iterable[str], field: str, labels: Labels) -> str:
    known = labels.get(field, {})
    return pgettext("between words", ", ").join(known.get(code, code) for code in codes)


def _order(values: Mapping[str, Any], labels: Labels) -> str:
    if "steps" in values:
        return gettext("%(window)s reach %(steps)s") % {
            "window": WINDOWS[values.get("window", Window.ORDER)],
            "steps": pgettext("between words", ", ").join(
                formats.money(step) for step in values["steps"]
            ),
        }
    number = values.get("nth")
    said = gettext("an order")
    if number == 1:
        said = gettext("the first order")
    elif number:
        said = gettext("order number %(number)d") % {"number": number}
    if "min_amount" in values:
        said += gettext(" of at least %(amount)s") % {"amount": formats.money(values["min_amount"])}
    if "categories" in values:
        said += gettext(" with goods of %(categories)s") % {
            "categories": _named(values["categories"], "categories", labels)
        }
    return said


def _interaction(values: Mapping[str, Any], labels: Labels) -> str:
    kinds = _named(values["interactions"], "interactions", labels)
    if values.get("first_only"):
        return gettext("the first interaction of the kind %(kinds)s") % {"kinds": kinds}
    return gettext("an interaction of the kind %(kinds)s") % {"kinds": kinds}


def _survey(values: Mapping[str, Any], labels: Labels) -> str:
    least, most = values.get("min_score"), values.get("max_score")
    if least is None:
        return gettext("a score of at most %(most)d in a survey") % {"most": most}
    if most is None:
        return gettext("a score of at least %(least)d in a survey") % {"least": least}
    return gettext("a score from %(least)d to %(most)d in a survey") % {
        "least": least, "most": most,
    }  # fmt: skip


def _tiers(said: Promise) -> Callable[[Mapping[str, Any], Labels], str]:
    def say(values: Mapping[str, Any], labels: Labels) -> str:
        if "tiers" not in values:
            return ""
        return f"{said}: {_named(values['tiers'], 'tiers', labels)}"

    return say


def _segment(said: Promise) -> Callable[[Mapping[str, Any], Labels], str]:
    return lambda values, labels: f"{said}: {_named([values['segment']], 'segment', labels)}"


def _lifecycle(values: Mapping[str, Any], labels: Labels) -> str:
    stages = _named(values["stages"], "stages", labels)
    return gettext("the lifecycle stage %(stages)s begins") % {"stages": stages}


def _expiring(values: Mapping[str, Any], labels: Labels) -> str:
    return ngettext(
        "points expire in %(days)d day", "points expire in %(days)d days", values["days"]
    ) % {"days": values["days"]}


def _before(said: str, days: int) -> str:
    if not days:
        return said
    return ngettext(
        "%(days)d day before: %(what)s", "%(days)d days before: %(what)s", days
    ) % {"days": days, "what": said}  # fmt: skip


def _birthday(values: Mapping[str, Any], labels: Labels) -> str:
    if values.get("moment") is Moment.MONTH_BEGIN:
        return gettext("the month of the birthday begins")
    return _before(gettext("the birthday"), values.get("days_before", 0))


def _anniversary(said: Promise) -> Callable[[Mapping[str, Any], Labels], str]:
    def say(values: Mapping[str, Any], labels: Labels) -> str:
        if "years" not in values:
            return ""
        years = pgettext("between words", ", ").join(str(each) for each in values["years"])
        return gettext("%(what)s (years: %(years)s)") % {"what": said, "years": years}

    return say


def _tenure(values: Mapping[str, Any], labels: Labels) -> str:
    lengths = pgettext("between words", ", ").join(str(each) for each in values["lengths"])
    if values["unit"] is Unit.DAYS:
        return gettext("a member for %(lengths)s days") % {"lengths": lengths}
    return gettext("a member for %(lengths)s months") % {"lengths": lengths}


def _festival(values: Mapping[str, Any], labels: Labels) -> str:
    named = _named([values["festival"]], "festival", labels)
    return _before(named, values.get("days_before", 0))


def _days(values: Mapping[str, Any], labels: Labels) -> str:
    if "on" in values:
        return date_format(values["on"])
    if "weekday" in values:
        return gettext("every week on %(day)s") % {"day": WEEKDAYS[values["weekday"] - 1]}
    if "day" in values:
        return gettext("on day %(day)d of every month") % {"day": values["day"]}
    return gettext("every day")


def _dormancy(values: Mapping[str, Any], labels: Labels) -> str:
    return ngettext(
        "no order for %(days)d day", "no order for %(days)d days", values["days"]
    ) % {"days": values["days"]}  # fmt: skip


def _score(values: Mapping[str, Any], labels: Labels) -> str:
    falls = values.get("direction") is Direction.FALLS
    said = (
        gettext("%(score)s falls below %(threshold)d")
        if falls
        else gettext("%(score)s rises to %(threshold)d")
    )
    return said % {"score": MEASURES[values["measure"]], "threshold": values["threshold"]}


_SAYS: Final[Mapping[Kind, Callable[[Mapping[str, Any], Labels], str]]] = {
    Kind.ORDER: _order,
    Kind.INTERACTION: _interaction,
    Kind.SURVEY: _survey,
    Kind.TIER_UP: _tiers(KINDS[Kind.TIER_UP]),
    Kind.TIER_LAPSING: _tiers(KINDS[Kind.TIER_LAPSING]),
    Kind.TIER_LAPSED: _tiers(KINDS[Kind.TIER_LAPSED]),
    Kind.SEGMENT_ENTERED: _segment(KINDS[Kind.SEGMENT_ENTERED]),
    Kind.SEGMENT_LEFT: _segment(KINDS[Kind.SEGMENT_LEFT]),
    Kind.LIFECYCLE: _lifecycle,
    Kind.POINTS_EXPIRING: _expiring,
    Kind.BIRTHDAY: _birthday,
    Kind.FIRST_PURCHASE: _anniversary(KINDS[Kind.FIRST_PURCHASE]),
    Kind.MEMBERSHIP: _anniversary(KINDS[Kind.MEMBERSHIP]),
    Kind.TENURE: _tenure,
    Kind.FESTIVAL: _festival,
    Kind.MEMBER_DAY: _days,
    Kind.DORMANCY: _dormancy,
    Kind.SCORE: _score,
    Kind.SCHEDULE: _days,
}
