"""The form in which a campaign is written: one page, in the operator's words; nobody types JSON."""

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
from campaigns.domain.effects import NAMED, EffectKind
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
_SPACE: Final = 3


def _instant() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a version says besides its trigger and its effects, with the names of its campaign."""

    name_zh = forms.CharField(label=_("Chinese name"), max_length=80)
    name_en = forms.CharField(label=_("English name"), max_length=80, required=False)
    objective = forms.CharField(label=_("Objective"), max_length=300, required=False)
    owner = forms.ModelChoiceField(
        User.objects.filter(is_staff=True), label=_("Owner"), required=False
    )
    audience = forms.MultipleChoiceField(
        label=_("Audience"), required=False, help_text=_("Nothing chosen: all members.")
    )
    excluded = forms.MultipleChoiceField(label=_("Never these"), required=False)
    messages = forms.MultipleChoiceField(label=_("Messages"), required=False)
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
    """One thing that an act gives."""

    kind = forms.ChoiceField(label=_("Kind"), required=False)
    thing = forms.ChoiceField(label=_("Which one"), required=False)
    amount = forms.DecimalField(
        label=_("How many (points, pieces, factor)"), required=False, min_value=Decimal(0)
    )
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

    def __init__(self, *arguments: Any, things: Choices, **named: Any) -> None:
        """Offer the kinds, and the things that can be given."""
        super().__init__(*arguments, **named)
        self.fields["kind"].choices = [("", "–"), *((k.value, w) for k, w in KINDS.items())]  # type: ignore[attr-defined]
        self.fields["thing"].choices = [("", "–"), *things]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse a part of a point or of a piece: only factors have parts."""
        read, amount = self.cleaned_data, self.cleaned_data.get("amount") or Decimal(0)
        is_whole = read.get("kind") not in ("", EffectKind.MULTIPLIER)
        if is_whole and amount != amount.to_integral_value():
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
        if read["amount"] is not None:
            said |= _amount(kind, read["amount"])
        said |= {name: read[name] for name in ("valid_days", "cap_points") if read[name]}
        if read["birthday_month"]:
            said["birthday_month"] = True
        if read["cost"] is not None:
            said["cost"] = f"{read['cost']:f}"
        if variants := _words(read["for_variants"]):
            said["variants"] = variants
        if kept.get("kind") == kind:
            hidden = ("conditions", "line_conditions", "max_points")
            said |= {name: kept[name] for name in hidden if name in kept}
        return said


class EffectRows:
    """The effects of a version as rows, with empty ones to fill in."""

    def __init__(self, stored: Sequence[Mapping[str, Any]], data: QueryDict | None) -> None:
        """Show what is stored, or what was posted."""
        self.stored = list(stored)
        things = _things()
        count = len(stored) + _SPACE
        self.forms = [
            EffectForm(
                data, prefix=f"effect-{number}", things=things,
                initial=_shown(stored[number]) if number < len(stored) else None,
            )
            for number in range(count)
        ]  # fmt: skip

    def read(self) -> list[dict[str, Any]] | None:
        """Return the effects as they are stored; None where a row is wrong."""
        valid = [form.is_valid() for form in self.forms]
        if not all(valid):
            return None
        kept = [*self.stored, *({} for _number in range(_SPACE))]
        pairs = zip(self.forms, kept, strict=True)
        return [said for form, each in pairs if (said := form.effect(each)) is not None]


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
    found: Choices = []
    models: Iterable[tuple[str, Any]] = (
        ("coupon", CouponTemplate), ("reward", Reward), ("benefit", Benefit),
    )  # fmt: skip
    for kind, model in models:
        label = str(KINDS[EffectKind(kind)])
        rows = model.objects.order_by("code")
        found += [(f"{kind}:{row.code}", f"{label}: {name_of(row)}") for row in rows]
    return found


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
