"""The form of a draft of the ladder: terms, what each tier is worth, and rows of conditions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from config.base.names import name_of
from tiers import lint, words
from tiers.domain.ladder import DEFAULT_QUALIFYING_KINDS, Metric
from tiers.domain.windows import WindowKind
from tiers.models import Purpose, RefundPolicy, ReviewPolicy, TenureUnit, Tier
from tiers.services.ladder_content import WINDOWLESS, LadderContentError, rows_of

ROW: Final = "rule"
MOST_ROWS: Final = 200
METRICS: Final = tuple(metric.value for metric in Metric)
_CELLS: Final = {
    "tier": "tier", "purpose": "purpose", "from_tier": "from", "group": "group",
    "metric": "metric", "window": "window", "window_days": "days", "threshold": "threshold",
    "unit": "unit", "attribute": "attribute", "value": "value",
}  # fmt: skip
_NEW_ROW: Final = {
    "from_tier": None, "metric": "spend", "window": "rolling_days", "window_days": 365,
    "threshold": "", "unit": "months", "attribute": "", "value": "",
}  # fmt: skip


class TermsForm(forms.Form):
    """What holds for the whole ladder."""

    name = forms.CharField(label=_("What it is about"), max_length=80)
    starts_at = forms.DateTimeField(
        label=_("Takes effect"), required=False,
        help_text=_("Empty: at the midnight after it is approved."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    validity_days = forms.IntegerField(label=_("tier validity (days)"), min_value=1)
    grace_days = forms.IntegerField(label=_("grace period (days)"), min_value=0)
    warning_days = forms.IntegerField(
        label=_("warning before the end (days)"), min_value=0, help_text=_("0: none.")
    )
    review = forms.ChoiceField(label=_("A review lowers by"), choices=ReviewPolicy.choices)
    refund_policy = forms.ChoiceField(label=_("after a refund"), choices=RefundPolicy.choices)
    withdraw_days = forms.IntegerField(label=_("withdrawal within (days)"), min_value=0)
    growth_spend_weight = forms.DecimalField(
        label=_("growth value per 1.00 spent"), min_value=0, max_digits=9, decimal_places=4
    )
    growth_interaction_weight = forms.IntegerField(
        label=_("growth value per interaction"), min_value=0
    )
    qualifying_kinds = forms.CharField(
        label=_("qualifying interaction kinds"), required=False,
        help_text=gettext_lazy("Codes, separated by commas."),
    )  # fmt: skip
    tenure_counts_suspension = forms.BooleanField(
        label=_("frozen time counts as membership"), required=False
    )

    def terms(self) -> dict[str, Any]:
        """Return the terms as the content of a draft holds them."""
        said = dict(self.cleaned_data)
        kinds = said["qualifying_kinds"].replace("，", ",").split(",")
        said["qualifying_kinds"] = sorted({kind.strip() for kind in kinds if kind.strip()})
        said["growth_spend_weight"] = f"{said['growth_spend_weight'].normalize():f}"
        return {name: value for name, value in said.items() if name not in {"name", "starts_at"}}


@dataclass(slots=True)
class Row:
    """One condition as the form shows it."""

    number: int
    said: Mapping[str, Any]
    error: str = ""

    @property
    def key(self) -> str:
        """Return how the names of its fields begin."""
        return f"{ROW}-{self.number}"

    @property
    def has_window(self) -> bool:
        """Tell whether progress of a period is asked for."""
        return self.said["metric"] not in WINDOWLESS

    @property
    def has_days(self) -> bool:
        """Tell whether the period has a length."""
        return self.has_window and self.said["window"] == WindowKind.ROLLING_DAYS

    @property
    def is_tenure(self) -> bool:
        """Tell whether a length of membership is asked for."""
        return bool(self.said["metric"] == Metric.TENURE)

    @property
    def is_attribute(self) -> bool:
        """Tell whether an attribute is asked for."""
        return bool(self.said["metric"] == Metric.ATTRIBUTE)


@dataclass(slots=True)
class Part:
    """What a tier asks for one purpose: groups of rows."""

    tier: Tier
    purpose: str
    title: str
    groups: list[tuple[int, list[Row]]] = field(default_factory=list)

    @property
    def next_group(self) -> int:
        """Return the number of a further group."""
        return max((number for number, _rows in self.groups), default=0) + 1


class LadderBuilder:
    """A draft on its way through the form: read, shown again, or turned into content."""

    def __init__(
        self, content: Mapping[str, Any], about: Mapping[str, Any], data: QueryDict | None
    ) -> None:
        """Begin with what is stored, or with what was posted."""
        self.data = data
        self.tiers = list(Tier.objects.order_by("rank"))
        terms = content["terms"]
        kinds = ", ".join(terms["qualifying_kinds"])
        initial = {**terms, **about, "qualifying_kinds": kinds}
        self.form = TermsForm(data, initial=initial)
        self.worth = self._posted_worth() if data else list(content["tiers"])
        self.rules = list(self._posted_rules()) if data else [dict(r) for r in content["rules"]]
        self.errors: dict[str, str] = {}
        if data:
            self._change(data.get("do", ""))

    def _posted_worth(self) -> list[dict[str, Any]]:
        assert self.data is not None
        return [
            {
                "tier": tier.code,
                "multiplier": self.data.get(f"tier-{tier.code}-multiplier", ""),
                "discount_percent": self.data.get(f"tier-{tier.code}-discount", ""),
            }
            for tier in self.tiers
            if f"tier-{tier.code}-multiplier" in self.data
        ]

    def _posted_rules(self) -> Iterator[dict[str, Any]]:
        assert self.data is not None
        for number in range(MOST_ROWS):
            if f"{ROW}-{number}-tier" not in self.data:
                continue
            said: dict[str, Any] = {
                name: self.data.get(f"{ROW}-{number}-{cell}", "").strip()
                for name, cell in _CELLS.items()
            }
            unasked = {name: value for name, value in _NEW_ROW.items() if not said[name]}
            blank = {"threshold": "", "window_days": None, "from_tier": None}
            yield {**said, **unasked, **{n: v for n, v in blank.items() if not said[n]}}

    def _change(self, do: str) -> None:
        """Add or take away a row, as a button says."""
        what, _sep, where = do.partition(":")
        if what == "add-row" and len(self.rules) < MOST_ROWS:
            tier, _sep, rest = where.partition(":")
            purpose, _sep, group = rest.partition(":")
            self.rules.append({"tier": tier, "purpose": purpose, "group": group, **_NEW_ROW})
        elif what == "remove-row" and where.isdecimal() and int(where) < len(self.rules):
            del self.rules[int(where)]

    @property
    def is_redraw(self) -> bool:
        """Tell whether a button only asked for the form again."""
        do = self.data.get("do", "") if self.data else ""
        return do.partition(":")[0] in {"add-row", "remove-row", "refresh"}

    def content(self) -> dict[str, Any] | None:
        """Return what was written, None where a field holds what it cannot hold."""
        if not self.form.is_valid():
            return None
        return {"terms": self.form.terms(), "tiers": self.worth, "rules": self.rules}

    def starts_at(self) -> datetime | None:
        """Return when it is to take effect."""
        chosen: datetime | None = self.form.cleaned_data["starts_at"]
        return chosen

    def refuse(self, error: DomainError) -> None:
        """Show a refusal where it belongs."""
        place = str(error.details.get("place", ""))
        self.errors[place] = str(error.message)
        if place in self.form.fields:
            self.form.add_error(place, str(error.message))
        elif not place.startswith((ROW, "tier-")):
            self.form.add_error(None, self._told(error))

    def _told(self, error: DomainError) -> str:
        """Return a refusal with the tier that it is about."""
        rank = error.details.get("rank")
        if not isinstance(rank, int) or not 0 <= rank < len(self.worth):
            return str(error.message)
        names = {tier.code: name_of(tier) for tier in self.tiers}
        return f"{names.get(self.worth[rank]['tier'], '')}: {error.message}"

    def warnings(self) -> list[str]:
        """Return what looks wrong in what is written, as far as it can be read."""
        terms = {**self.form.initial, "qualifying_kinds": []}
        # A row that was only added says nothing yet.
        filled = [r for r in self.rules if r["threshold"] or r["metric"] == Metric.ATTRIBUTE]
        try:
            rows = rows_of({"terms": terms, "tiers": self.worth, "rules": filled})
        except LadderContentError:
            return []
        return lint.warnings(rows.terms, rows.rules)

    def tier_rows(self) -> list[dict[str, Any]]:
        """Return what each tier is worth, with its name and its faults, by rank."""
        names = {tier.code: tier for tier in self.tiers}
        return [
            {
                **each, "name": name_of(names[each["tier"]]), "rank": names[each["tier"]].rank,
                "multiplier_error": self.errors.get(f"tier-{each['tier']}-multiplier", ""),
                "discount_error": self.errors.get(f"tier-{each['tier']}-discount", ""),
            }
            for each in self.worth
            if each["tier"] in names
        ]  # fmt: skip

    def parts(self) -> list[Part]:
        """Return the conditions of each tier above the lowest, entry before retention."""
        held = {each["tier"] for each in self.worth}
        return [
            self._part(tier, purpose)
            for tier in self.tiers[1:]
            if tier.code in held
            for purpose in Purpose
        ]

    def _part(self, tier: Tier, purpose: Purpose) -> Part:
        part = Part(tier, purpose.value, f"{name_of(tier)} · {purpose.label}")
        groups: dict[int, list[Row]] = {}
        for number, said in enumerate(self.rules):
            if (said["tier"], said["purpose"]) == (tier.code, purpose.value):
                row = Row(number, said, self._error_of(number))
                groups.setdefault(int(said["group"] or 1), []).append(row)
        part.groups = sorted(groups.items())
        return part

    def _error_of(self, number: int) -> str:
        begins = (f"{ROW}-{number}-", f"{ROW}-{number}")
        found = (text for place, text in self.errors.items() if place and place.startswith(begins))
        return next(found, "")


def choices(tiers: Sequence[Tier]) -> dict[str, list[tuple[str, str]]]:
    """Return what the selects of a row offer."""
    return {
        "metrics": [(code, words.metric(code)) for code in METRICS],
        "windows": [
            (kind.value, gettext("last … days") if kind == WindowKind.ROLLING_DAYS
             else words.window(kind.value))
            for kind in WindowKind
        ],
        "units": [(unit.value, str(unit.label)) for unit in TenureUnit],
        "tiers": [(tier.code, name_of(tier)) for tier in tiers],
        "kinds": [(kind, kind) for kind in sorted(DEFAULT_QUALIFYING_KINDS)],
    }  # fmt: skip
