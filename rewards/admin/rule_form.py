"""The form in which staff write an earning rule, in their own words; nobody types JSON."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock, money
from config.base.admin.condition_form import ConditionForm
from config.base.errors import DomainError
from members.models import Channel
from rewards.admin.rule_choices import SHORTHANDS, RuleChoices
from rewards.domain.rules import RuleSpec
from rewards.models import Rule, RuleVersion
from rewards.models.rule import CapPeriod, FactorSource, GroupMode, RuleEffect, RuleTrigger
from rewards.services.programme import rule_spec
from rewards.services.rule_drafts import RuleNames, terms_of
from rewards.services.rule_preview import SampleCart

TIER_MULTIPLIER: Final = "tier_multiplier"
UNSAVED: Final = "draft"
REASON_LENGTH: Final = 200

_FIELD_OF_ERROR: Final[Mapping[str, str]] = {
    "points_not_positive": "points",
    "amount_not_positive": "per_amount",
    "factor_below_one": "factor",
    "effect_needs_order": "gives",
    "product_needs_multiplier": "group_mode",
    "group_missing": "group",
    "cap_incomplete": "cap_points",
    "cap_not_positive": "cap_points",
    "validity_empty": "valid_until",
}

_TRIGGERS: Final = (
    (RuleTrigger.ORDER.value, _("an order")),
    (RuleTrigger.INTERACTION.value, _("an interaction")),
)
_GIVES: Final = (
    (RuleEffect.PER_AMOUNT.value, _("points for what is paid")),
    (RuleEffect.MULTIPLIER.value, _("a multiple of the base points")),
    (TIER_MULTIPLIER, _("the multiple of the member's tier")),
    (RuleEffect.FIXED.value, _("a fixed number of points")),
)
_PERIODS: Final = (
    ("", _("no limit per member")),
    (CapPeriod.DAY.value, _("a day")),
    (CapPeriod.WEEK.value, _("a week")),
    (CapPeriod.MONTH.value, _("a month")),
    (CapPeriod.YEAR.value, _("a year")),
    (CapPeriod.LIFETIME.value, _("in all")),
)
_MODES: Final = (
    (GroupMode.ADD.value, _("adds to the others")),
    (GroupMode.BEST.value, _("only the best of its group counts")),
    (GroupMode.FIRST.value, _("only the first of its group counts")),
    (GroupMode.PRODUCT.value, _("multiplies with the others of its group")),
)


def _moment(label: Any, help_text: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, help_text=help_text, required=False, widget=widget)


class RuleForm(forms.Form):
    """A rule but for its conditions."""

    name_zh = forms.CharField(label=_("Chinese name"), max_length=80)
    name_en = forms.CharField(label=_("English name"), max_length=80, required=False)
    trigger = forms.ChoiceField(label=_("Applies to"), choices=_TRIGGERS)
    valid_from = _moment(_("From"), _("Empty: as soon as it is published."))
    valid_until = _moment(_("Until"), _("Empty: until it is ended."))
    gives = forms.ChoiceField(label=_("Gives"), choices=_GIVES)
    factor = forms.DecimalField(
        label=_("Factor"), min_value=1, max_digits=8, decimal_places=4, required=False,
        help_text=_("2 doubles the base points."),
    )  # fmt: skip
    points = forms.IntegerField(label=_("Points"), min_value=1, max_value=1_000_000, required=False)
    per_amount = forms.DecimalField(
        label=_("for each amount of"), min_value=Decimal("0.0001"), max_digits=12,
        decimal_places=4, required=False,
    )  # fmt: skip
    max_points = forms.IntegerField(
        label=_("At most per order"), min_value=1, max_value=10**12, required=False,
        help_text=_("Points. Empty: no limit."),
    )  # fmt: skip
    cap_points = forms.IntegerField(
        label=_("At most per member"), min_value=1, max_value=10**12, required=False,
        help_text=_("Points, together with the period."),
    )  # fmt: skip
    cap_period = forms.ChoiceField(label=_("Period"), choices=_PERIODS, required=False)
    group_mode = forms.ChoiceField(label=_("With other rules"), choices=_MODES)
    group = forms.CharField(
        label=_("Stacking group"), max_length=40, required=False,
        help_text=_("Rules with the same group are weighed against each other."),
    )  # fmt: skip
    priority = forms.IntegerField(
        label=_("Order of application"), min_value=-1_000, max_value=1_000,
        help_text=_("Lower numbers go first."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Fill what the kind of rule does not ask for."""
        values: dict[str, Any] = super().clean() or {}
        for name, default in (("points", 1), ("per_amount", Decimal(1)), ("factor", Decimal(1))):
            if values.get(name) is None and name not in self.errors:
                values[name] = default
        if values.get("cap_period") and not values.get("cap_points"):
            self.add_error("cap_points", gettext("Say how many points a member gets at most."))
        if values.get("cap_points") and not values.get("cap_period"):
            self.add_error("cap_period", gettext("Say in which period."))
        return values


class CartForm(forms.Form):
    """A purchase to try the rule on."""

    prefix = "cart"
    amount = forms.DecimalField(label=_("Amount"), min_value=0, max_value=10**9)
    on = _moment(_("When"), "")
    tier = forms.ChoiceField(label=_("Tier"), required=False)
    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices)
    store = forms.ChoiceField(label=_("Store"), required=False)
    category = forms.CharField(label=_("Category"), required=False, max_length=100)
    birth_month = forms.ChoiceField(label=_("Born in"), required=False)

    def __init__(self, choices: RuleChoices, *args: Any, **values: Any) -> None:
        """Offer the tiers and shops that there are."""
        super().__init__(*args, **values)
        for name, source in (
            ("tier", "member.tier"),
            ("store", "order.store"),
            ("birth_month", "member.birthday_month"),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "–"), *choices.of[source]]
        for field in self.fields.values():
            field.widget.attrs.pop("required", None)

    def cart(self, at: datetime) -> SampleCart | None:
        """Return the purchase; None where it cannot be read."""
        if not self.is_valid():
            return None
        said = self.cleaned_data
        try:
            amount = money.to_minor(said["amount"])
        except money.AmountError as error:
            self.add_error("amount", str(error.message))
            return None
        return SampleCart(
            amount=amount,
            placed_at=said["on"] or at,
            tier=said["tier"],
            channel=said["channel"],
            store=said["store"],
            category=said["category"] or None,
            birth_month=int(said["birth_month"]) if said["birth_month"] else None,
        )


class RuleBuilder:
    """All of one rule on a page: its form, its conditions, the cart to try it on."""

    def __init__(self, version: RuleVersion, choices: RuleChoices, data: QueryDict | None) -> None:
        """Show a version, or what was posted about it."""
        self.version = version
        self.choices = choices
        self._is_rule: bool | None = None
        self.form = RuleForm(data, initial=_initial(version))
        trigger = (data.get("trigger") if data else None) or version.trigger
        self.is_of_order = trigger != RuleTrigger.INTERACTION
        self.gives = (data.get("gives") if data else None) or self.form.initial["gives"]
        self.conditions = ConditionForm(
            "c", choices.for_rule(trigger), (trigger, "member"),
            stored=version.conditions, data=data, shorthands=SHORTHANDS,
        )  # fmt: skip
        self.lines = ConditionForm(
            "l", choices.for_lines(), ("line",), stored=version.line_conditions, data=data
        )
        cart = data if data and "cart-amount" in data else None
        self.cart_form = CartForm(choices, cart, initial={"amount": 100, "channel": Channel.POS})

    @property
    def has_no_factor(self) -> bool:
        """Tell whether nobody has to name a factor."""
        return self.gives != RuleEffect.MULTIPLIER

    @property
    def is_fixed(self) -> bool:
        """Tell whether the points do not depend on the amount."""
        return self.gives == RuleEffect.FIXED

    @property
    def multiplies(self) -> bool:
        """Tell whether base points are multiplied."""
        return self.gives in {RuleEffect.MULTIPLIER, TIER_MULTIPLIER}

    def read(self) -> bool:
        """Take over what was posted; say whether it makes a rule. Errors stand at their fields."""
        if self._is_rule is None:
            self._is_rule = self._read()
        return self._is_rule

    def _read(self) -> bool:
        is_valid = self.form.is_valid()
        conditions = self.conditions.cleaned()
        lines = self.lines.cleaned() if self.is_of_order else None
        if not is_valid or self.conditions.errors or self.lines.errors:
            return False
        self._take(conditions, lines)
        try:
            rule_spec(self.version)
        except DomainError as error:
            self.refuse(error)
            return False
        return True

    def refuse(self, error: DomainError) -> None:
        """Show why a service refused, at the field that it is about."""
        name = _FIELD_OF_ERROR.get(error.code)
        self.form.add_error(name, str(error.message))

    @property
    def spec(self) -> RuleSpec:
        """Return the rule as the engine would decide by it."""
        return rule_spec(self.version)

    @property
    def names(self) -> RuleNames:
        """Return what the rule is called; in Chinese where no English name is given."""
        said = self.form.cleaned_data
        return RuleNames(said["name_zh"], said["name_en"] or said["name_zh"])

    @property
    def terms(self) -> dict[str, Any]:
        """Return what the rule says, once it is read."""
        return terms_of(self.version)

    def _take(self, conditions: Any, lines: Any) -> None:
        said, version = self.form.cleaned_data, self.version
        version.rule.name_zh, version.rule.name_en = self.names.zh, self.names.en
        version.conditions, version.line_conditions = conditions, lines
        is_of_tier = said["gives"] == TIER_MULTIPLIER
        version.effect = RuleEffect.MULTIPLIER if is_of_tier else said["gives"]
        version.factor_source = FactorSource.TIER if is_of_tier else FactorSource.FIXED
        is_multiplier = said["gives"] == RuleEffect.MULTIPLIER
        version.factor = said["factor"] if is_multiplier else Decimal(1)
        version.per_amount = Decimal(1) if said["gives"] == RuleEffect.FIXED else said["per_amount"]
        for name in ("trigger", "valid_from", "valid_until", "points", "max_points", "cap_points",
                     "cap_period", "group", "group_mode", "priority"):  # fmt: skip
            setattr(version, name, said[name])


def new_version() -> RuleVersion:
    """Return a version that nobody has written yet: double points, as most promotions are."""
    return RuleVersion(
        rule=Rule(code=UNSAVED), number=1, trigger=RuleTrigger.ORDER,
        effect=RuleEffect.MULTIPLIER, factor=Decimal(2), priority=50, created_at=clock.now(),
    )  # fmt: skip


def _initial(version: RuleVersion) -> dict[str, Any]:
    is_of_tier = version.factor_source == FactorSource.TIER
    is_multiplier = version.effect == RuleEffect.MULTIPLIER
    return {
        **{name: _shown(value) for name, value in terms_of(version).items()},
        "name_zh": version.rule.name_zh,
        "name_en": version.rule.name_en,
        "gives": TIER_MULTIPLIER if is_multiplier and is_of_tier else version.effect,
    }


def _shown(value: Any) -> Any:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value
