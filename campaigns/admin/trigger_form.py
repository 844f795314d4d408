"""The part of a form in which staff say what starts a campaign, in their own words.

The page draws it anew when another kind is chosen: only the fields of a kind are shown.

Source: CMP-01.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from campaigns import choices, trigger_words
from campaigns.domain import triggers
from campaigns.domain.trigger_values import TriggerError
from campaigns.domain.triggers import Kind, Moment, Repeat, StopIf, Unit

LONGEST: Final = 500

_NUMBERS: Final = frozenset({"lengths", "years"})
_LISTS: Final = frozenset({"categories", "steps"}) | _NUMBERS
_DAY: Final = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _number(label: Any, least: int, most: int, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, required=False, help_text=help_text
    )


def _choice(label: Any, offered: Iterable[tuple[str, Any]], help_text: Any = "") -> forms.Field:
    return forms.ChoiceField(
        label=label, choices=list(offered), required=False, help_text=help_text
    )


def _several(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, required=False, help_text=help_text, widget=forms.CheckboxSelectMultiple
    )


def _list(label: Any, help_text: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=LONGEST, help_text=help_text)


class TriggerForm(forms.Form):
    """What starts a campaign, and when it acts; the kind decides which fields are asked for."""

    kind = forms.ChoiceField(label=_("Starts with"), choices=list(trigger_words.KINDS.items()))
    nth = _number(_("Only this order of the member"), 1, 9_999, _("1 is the first. Empty: any."))
    min_amount = forms.DecimalField(
        label=_("At least this amount"), required=False, min_value=Decimal("0.01"), max_digits=12
    )
    categories = _list(_("With goods of these categories"), _("Parted by commas. Empty: any."))
    steps = _list(
        _("Or: each time these amounts are reached"), _("Parted by commas, as 500, 1000.")
    )
    window = _choice(_("Reached by"), [("", ""), *trigger_words.WINDOWS.items()])
    interactions = _several(_("Kinds of interaction"))
    first_only = forms.BooleanField(label=_("Only the first one"), required=False)
    survey = _choice(_("Kind of survey"), [])
    field = forms.CharField(
        label=_("Name of the score"), required=False, max_length=100,
        help_text=_("In the data of the interaction. Empty: score."),
    )  # fmt: skip
    min_score = _number(_("Score from"), -100, 1_000)
    max_score = _number(_("Score to"), -100, 1_000)
    channels = _several(_("Channels"), _("None: any."))
    tiers = _several(_("Tiers"), _("None: any."))
    segment = _choice(_("Segment"), [])
    stages = _several(_("Lifecycle stages"))
    kinds = _several(_("Kinds of case"), _("None: complaints."))
    days = _number(_("Days"), 0, 3_650)
    measure = _choice(
        _("Score"), trigger_words.MEASURES.items(),
        _("A churn risk of 100 is the day on which a member counts as dormant."),
    )  # fmt: skip
    direction = _choice(_("Crossed when it"), trigger_words.DIRECTIONS.items())
    threshold = _number(_("Threshold"), 1, 1_000)
    moment = _choice(
        _("Thought of"),
        [(Moment.DAY.value, _("on the day")),
         (Moment.MONTH_BEGIN.value, _("when the month begins"))],
    )  # fmt: skip
    festival = _choice(_("Festival"), [])
    days_before = _number(_("So many days before"), 0, 60)
    years = _list(_("Only these years"), _("Parted by commas. Empty: every year."))
    unit = _choice(
        _("Counted in"), [(Unit.DAYS.value, _("days")), (Unit.MONTHS.value, _("months"))]
    )
    lengths = _list(_("Lengths of membership"), _("Parted by commas, as 12, 36."))
    repeat = _choice(_("Comes"), trigger_words.REPEATS.items())
    on = forms.DateField(label=_("On the day"), required=False, widget=_DAY)
    weekday = _choice(
        _("Day of the week"), [("", ""), *((str(n + 1), name) for n, name in WEEKDAYS.items())]
    )
    day = _number(_("Day of the month"), 1, 31, _("31 is the last day of any month."))
    delay_days = _number(_("Days later"), 0, 730)
    delay_hours = _number(_("Hours later"), 0, 72)
    hour = _number(_("At the hour"), 0, 23, _("Of the programme's day. Empty: at once."))
    stop_if = _choice(
        _("Not if"),
        [(StopIf.NOTHING.value, ""),
         (StopIf.PURCHASE.value, _("the member has bought by then"))],
    )  # fmt: skip
    stale_hours = _number(_("Worth telling for (hours)"), 1, 1_440)
    cooldown_days = _number(_("Once per member within (days)"), 0, 3_650)

    def __init__(self, stored: Mapping[str, Any], data: QueryDict | None = None) -> None:
        """Show the fields of the stored kind, or of the one that was posted."""
        super().__init__(data, initial=initial_of(stored), prefix="trigger")
        wanted = (data.get("trigger-kind") if data else None) or stored.get("kind")
        self.chosen = Kind(wanted) if wanted in set(Kind) else Kind.ORDER
        asked = {**triggers.fields_of(self.chosen), **triggers.timing_of(self.chosen)}
        for name in [each for each in self.fields if each != "kind" and each not in asked]:
            del self.fields[name]
        for name, offered in choices.trigger_choices(self.fields, stored).items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]  # a choice

    @property
    def kind_value(self) -> str:
        """Return the kind whose fields are shown."""
        return self.chosen.value

    def read(self) -> dict[str, Any] | None:
        """Return the trigger as it is stored; None where it cannot be understood, and why."""
        if not self.is_valid():
            return None
        try:
            return triggers.parse(_plain(self.chosen, self.cleaned_data)).to_json()
        except TriggerError as error:
            field = str(error.details.get("field", ""))
            self.add_error(field if field in self.fields else None, str(error.message))
            return None


def initial_of(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows of a stored trigger."""
    shown = dict(stored)
    for name in _LISTS & shown.keys():
        shown[name] = ", ".join(str(each) for each in shown[name])
    shown.setdefault("stale_hours", triggers.DEFAULT_STALE_HOURS)
    return shown


def _plain(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was filled in for a kind, as triggers are stored."""
    asked = {**triggers.fields_of(kind), **triggers.timing_of(kind)}
    filled = {
        name: _value(name, values[name])
        for name in asked
        if name in values and values[name] is not False and values[name] not in (None, "", [])
    }
    if "steps" not in filled:
        filled.pop("window", None)
    if kind is Kind.SCHEDULE:
        wanted = {Repeat.ONCE: "on", Repeat.WEEKLY: "weekday", Repeat.MONTHLY: "day"}
        keep = wanted.get(Repeat(filled.get("repeat", Repeat.ONCE)))
        filled = {k: v for k, v in filled.items() if k not in wanted.values() or k == keep}
    return {"kind": kind.value, **filled}


def _value(name: str, value: Any) -> Any:
    if name in _LISTS:
        parts = [part.strip() for part in value.replace("，", ",").split(",") if part.strip()]
        if name in _NUMBERS:
            return [int(part) if part.isdecimal() else part for part in parts]
        return parts
    if name == "weekday":
        return int(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if name == "on" else value
