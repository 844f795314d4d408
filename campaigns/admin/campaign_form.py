"""The form in which a campaign is written: one page, in the operator's words; nobody types JSON."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.forms.models import model_to_dict
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import choices
from campaigns.choices import Choices
from campaigns.domain.effects import MOST_EFFECTS, NAMED, EffectKind
from campaigns.models import CampaignVersion
from campaigns.services.campaign_drafts import Names
from config.base.names import name_of
from rewards.models import CouponTemplate, Reward
from tiers.models import Benefit

KINDS: Final[Mapping[EffectKind, Promise]] = {
    EffectKind.POINTS: _("Points"),
    EffectKind.COUPON: _("Coupon"),
    EffectKind.MULTIPLIER: _("Points multiplier on orders"),
    EffectKind.REWARD: _("Reward"),
    EffectKind.BENEFIT: _("Benefit"),
    EffectKind.CASE: _("Task for staff"),
}
_CHOSEN: Final = ("thing", "amount", "valid_days", "cost", "for_variants")
# What is asked for of each kind; a multiplier works for all variants and costs what is bought.
_ASKED: Final[Mapping[str, Sequence[str]]] = {
    EffectKind.POINTS: ("amount", "cost", "for_variants"),
    EffectKind.COUPON: _CHOSEN,
    EffectKind.MULTIPLIER: ("amount", "cap_points", "birthday_month"),
    EffectKind.REWARD: ("thing", "amount", "cost", "for_variants"),
    EffectKind.BENEFIT: _CHOSEN,
    EffectKind.CASE: ("title", "cost", "for_variants"),
}
_NEEDED: Final[Mapping[str, str]] = {
    EffectKind.POINTS: "amount", EffectKind.MULTIPLIER: "amount", EffectKind.CASE: "title",
    EffectKind.COUPON: "thing", EffectKind.REWARD: "thing", EffectKind.BENEFIT: "thing",
}  # fmt: skip
_AMOUNTS: Final[Mapping[str, Any]] = {
    EffectKind.POINTS: _("Points"), EffectKind.MULTIPLIER: _("Factor"),
}  # fmt: skip


def _instant() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


def _several(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, required=False, help_text=help_text, widget=forms.CheckboxSelectMultiple
    )


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a version says besides its trigger and its effects, with the names of its campaign."""

    name_zh = forms.CharField(label=_("Chinese name"), max_length=80)
    name_en = forms.CharField(label=_("English name"), max_length=80, required=False)
    objective = forms.CharField(label=_("Objective"), max_length=300, required=False)
    owner = forms.ModelChoiceField(
        User.objects.filter(is_staff=True), label=_("Owner"), required=False
    )
    audience = _several(_("Audience"), _("Nothing chosen: all members."))
    excluded = _several(_("Never these"))
    messages = _several(_("Messages"))
    variants = forms.CharField(
        label=_("Variants"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "One a line: code, weight, and the segment that it is for, if it is for one. Example: "
            "a 50"
        ),
    )  # fmt: skip

    class Meta:
        model = CampaignVersion
        fields = (
            "holdout_percent", "limit_acts", "limit_period", "budget_points", "budget_money",
            "budget_acts", "budget_period", "over_budget", "returns_to_budget", "group", "priority",
            "starts_at", "ends_at", "terms_version", "terms_zh", "terms_en",
        )  # fmt: skip
        widgets: Final = {
            "starts_at": _instant(), "ends_at": _instant(),
            "terms_zh": forms.Textarea(attrs={"rows": 4}),
            "terms_en": forms.Textarea(attrs={"rows": 4}),
        }  # fmt: skip

    def __init__(self, version: CampaignVersion, data: QueryDict | None = None) -> None:
        """Show what a version says, or what was posted."""
        campaign = version.campaign
        initial = {
            **model_to_dict(campaign, ["name_zh", "name_en", "objective", "owner"]),
            "audience": version.audience, "excluded": version.excluded,
            "messages": [template_of(each) for each in version.messages],
            "variants": "\n".join(_variant_line(each) for each in version.variants),
        }  # fmt: skip
        # A copy: cleaning a model form writes into its instance.
        held = {name: getattr(version, name) for name in self.Meta.fields}
        super().__init__(data, instance=CampaignVersion(**held), initial=initial)
        known, offered = choices.segments(), _segments()
        for name in ("audience", "excluded"):
            self._offer(name, choices.with_stored(offered, initial[name], known))
        templates = choices.templates()
        current = choices.named(templates.filter(retired_at=None))
        self._offer("messages", choices.with_stored(current, initial["messages"], templates))
        self.said_before = list(version.messages)

    def _offer(self, name: str, offered: Choices) -> None:
        self.fields[name].choices = offered  # type: ignore[attr-defined]  # a choice

    def clean_variants(self) -> list[dict[str, Any]]:
        """Read one variant a line."""
        return [
            _variant(line) for line in self.cleaned_data["variants"].splitlines() if line.strip()
        ]

    @property
    def names(self) -> Names:
        """Return what the campaign is called."""
        read = self.cleaned_data
        owner = read["owner"]
        return Names(
            read["name_zh"], read["name_en"], read["objective"], owner.pk if owner else None
        )

    @property
    def terms(self) -> dict[str, Any]:
        """Return what the version says."""
        read = self.cleaned_data
        kept = {template_of(each): each for each in self.said_before}
        return {
            **{name: read[name] for name in self.Meta.fields},
            "audience": read["audience"], "excluded": read["excluded"],
            "messages": [kept.get(code, code) for code in read["messages"]],
            "variants": read["variants"],
        }  # fmt: skip


class EffectForm(forms.Form):
    """One thing that an act gives: its kind decides what else is asked for."""

    kind = forms.ChoiceField(label=_("Kind"), required=False)
    thing = forms.ChoiceField(label=_("Which one"), required=False)
    amount = forms.DecimalField(label=_("Pieces"), required=False, min_value=Decimal(0))
    valid_days = forms.IntegerField(label=_("Valid (days)"), required=False, min_value=1)
    cap_points = forms.IntegerField(
        label=_("At most per member (points)"), required=False, min_value=1
    )
    birthday_month = forms.BooleanField(label=_("Only in the birthday month"), required=False)
    title = forms.CharField(label=_("What staff should do"), required=False, max_length=80)
    cost = forms.DecimalField(
        label=_("Cost each time"), required=False, min_value=Decimal(0), decimal_places=2
    )
    for_variants = forms.CharField(label=_("Only for variants"), required=False, max_length=120)

    def __init__(self, *arguments: Any, wanted: str, things: Choices, **named: Any) -> None:
        """Offer the kinds, and what there is to say about the `wanted` one."""
        super().__init__(*arguments, **named)
        asked = _ASKED.get(wanted, ())
        for name in [each for each in self.fields if each not in ("kind", *asked)]:
            del self.fields[name]
        self.fields["kind"].choices = [("", "–"), *((k.value, w) for k, w in KINDS.items())]  # type: ignore[attr-defined]
        if "thing" in asked:
            own = [each for each in things if each[0].startswith(f"{wanted}:")]
            self.fields["thing"].choices = [("", "–"), *own]  # type: ignore[attr-defined]
        if wanted in _AMOUNTS:
            self.fields["amount"].label = _AMOUNTS[wanted]

    def clean(self) -> dict[str, Any]:
        """Refuse what cannot be given: nothing named, no amount, a part of a point or piece."""
        read = self.cleaned_data
        kind, amount = read.get("kind"), read.get("amount")
        needed = _NEEDED.get(kind or "")
        if needed in self.fields and needed not in self.errors and not read.get(needed):
            self.add_error(needed, forms.Field.default_error_messages["required"])
        elif kind == EffectKind.MULTIPLIER and amount is not None and amount <= 1:
            self.add_error("amount", gettext("A multiplier is larger than 1."))
        elif kind != EffectKind.MULTIPLIER and amount and amount != amount.to_integral_value():
            self.add_error("amount", gettext("Enter a whole number."))
        return read

    def effect(self, kept: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the effect as it is stored; `kept` is the one that stood here before."""
        read = self.cleaned_data
        if not read.get("kind"):
            return None
        kind = EffectKind(read["kind"])
        said: dict[str, Any] = {"kind": kind.value}
        if kind in NAMED:
            said[NAMED[kind]] = read["thing"].partition(":")[2]
        if kind is EffectKind.CASE:
            said["title"] = read["title"]
        if read.get("amount") is not None:
            said |= _amount(kind, read["amount"])
        said |= {name: read[name] for name in ("valid_days", "cap_points") if read.get(name)}
        if read.get("birthday_month"):
            said["birthday_month"] = True
        if read.get("cost") is not None:
            said["cost"] = f"{read['cost']:f}"
        if variants := _words(read.get("for_variants", "")):
            said["variants"] = variants
        if kept.get("kind") == kind:
            hidden = ("conditions", "line_conditions", "max_points")
            said |= {name: kept[name] for name in hidden if name in kept}
        return said


class EffectRows:
    """The effects of a version as rows, with an empty one to fill in."""

    def __init__(
        self,
        stored: Sequence[Mapping[str, Any]],
        data: QueryDict | None,
        *,
        is_redraw: bool = False,
    ) -> None:
        """Show what is stored, or what was posted; drawn anew nothing is checked yet."""
        self.stored = list(stored)
        self._things, self._data, self._is_redraw = _things(), data, is_redraw
        kinds = [each["kind"] for each in stored] if data is None else _posted_kinds(data)
        if (not kinds or kinds[-1]) and len(kinds) < MOST_EFFECTS:
            kinds.append("")
        self.forms = [self._form(number, kind) for number, kind in enumerate(kinds)]

    def _form(self, number: int, kind: str) -> EffectForm:
        prefix, data, initial = f"effect-{number}", self._data, {}
        if data is None and kind:
            initial = _shown(self.stored[number])
        elif data is not None and self._is_redraw:
            names = EffectForm.base_fields
            initial = {name: data.get(f"{prefix}-{name}") for name in names}
            data = None
        return EffectForm(data, prefix=prefix, wanted=kind, things=self._things, initial=initial)

    def read(self) -> list[dict[str, Any]] | None:
        """Return the effects as they are stored; None where a row is wrong."""
        valid = [form.is_valid() for form in self.forms]
        if not all(valid):
            return None
        spare = len(self.forms) - len(self.stored)
        kept = [*self.stored, *({} for _number in range(spare))]
        pairs = zip(self.forms, kept, strict=False)
        return [said for form, each in pairs if (said := form.effect(each)) is not None]


def _posted_kinds(data: QueryDict) -> list[str]:
    """Return the kinds of the rows that were posted, up to the first that was not."""
    numbers = itertools.takewhile(
        lambda number: f"effect-{number}-kind" in data, range(MOST_EFFECTS)
    )
    return [str(data[f"effect-{number}-kind"]) for number in numbers]


def template_of(item: Any) -> str:
    """Return the template that an entry of messages names."""
    return str(item["template"]) if isinstance(item, dict) else str(item)


def _shown(effect: Mapping[str, Any]) -> dict[str, Any]:
    kind = effect["kind"]
    name = effect.get(NAMED.get(EffectKind(kind), ""), "")
    amount = {"points": "points", "multiplier": "factor"}.get(kind, "quantity")
    return {
        **effect, "thing": f"{kind}:{name}" if name else "", "amount": effect.get(amount),
        "for_variants": ", ".join(effect.get("variants", [])),
    }  # fmt: skip


def _amount(kind: EffectKind, amount: Decimal) -> dict[str, Any]:
    if kind is EffectKind.MULTIPLIER:
        return {"factor": f"{amount.normalize():f}"}
    if kind is EffectKind.CASE:
        return {}
    return {"points" if kind is EffectKind.POINTS else "quantity": int(amount)}


def _segments() -> Choices:
    return [
        (row.code, f"{name_of(row)} ({row.size:,})" if row.size is not None else name_of(row))
        for row in choices.segments().filter(retired_at=None)
    ]


def _things() -> Choices:
    models: Iterable[tuple[str, Any]] = (
        ("coupon", CouponTemplate), ("reward", Reward), ("benefit", Benefit),
    )  # fmt: skip
    return [
        (f"{kind}:{row.code}", name_of(row))
        for kind, model in models
        for row in model.objects.order_by("code")
    ]


def _variant(line: str) -> dict[str, Any]:
    code, *rest = line.split()
    if len(rest) > 2 or (rest and not rest[0].isdecimal()):
        raise forms.ValidationError(gettext("A line has a code, a weight and a segment."))
    said: dict[str, Any] = {"code": code, "weight": int(rest[0]) if rest else 1}
    return {**said, "segment": rest[1]} if len(rest) > 1 else said


def _variant_line(item: Mapping[str, Any]) -> str:
    return f"{item['code']} {item.get('weight', 1)} {item.get('segment', '')}".strip()


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.replace("，", ",").split(",") if word.strip()]
