"""Earning rules as data: what a rule gives, when it applies, how rules combine.

Units: points are integers, money is minor units, a rate is `points` per `per_amount` minor units.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base import conditions, money
from config.base.conditions import Node
from config.base.errors import DomainError
from rewards.domain import fields as rule_fields
from rewards.domain.cart import SPEND_KINDS, Line


class RuleError(DomainError):
    """A rule, or a set of rules, that contradicts itself."""

    def __init__(self, code: str, rule: str, message: str | Promise) -> None:
        super().__init__(code, message, rule=rule)
        self.rule = rule


class Trigger(StrEnum):
    """What a rule is decided for."""

    ORDER = "order"
    INTERACTION = "interaction"


class GroupMode(StrEnum):
    """How the rules of one group combine."""

    ADD = "add"
    BEST = "best"
    PRODUCT = "product"
    FIRST = "first"


class CapPeriod(StrEnum):
    """The period over which a member's points from one rule are capped."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    LIFETIME = "lifetime"


class FactorSource(StrEnum):
    """Where a multiplier takes its factor from."""

    RULE = "rule"
    TIER = "tier"


@dataclass(frozen=True, slots=True)
class PerAmount:
    """Give `points` for every `per_amount` of the base, in proportion."""

    points: int
    per_amount: int


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Give the rate times (factor − 1): what a factor adds to the points of that rate."""

    points: int
    per_amount: int
    factor_num: int = 1
    factor_den: int = 1
    factor_source: FactorSource = FactorSource.RULE


@dataclass(frozen=True, slots=True)
class Fixed:
    """Give so many points once."""

    points: int


Effect = PerAmount | Multiplier | Fixed


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One version of one rule; `key` identifies the stored version.

    Lower priority numbers go first, ties by code. Validity is half-open.
    """

    code: str
    version: int
    key: int
    trigger: Trigger
    effect: Effect
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    conditions: Node | None = None
    line_conditions: Node | None = None
    max_points: int | None = None
    group: str | None = None
    group_mode: GroupMode = GroupMode.ADD
    priority: int = 0
    cap_points: int | None = None
    cap_period: CapPeriod | None = None

    def __post_init__(self) -> None:
        _check_effect(self)
        _check_limits(self)
        _check_scopes(self)
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise RuleError("validity_empty", self.code, _("The validity ends before it begins."))
        if self.group_mode is not GroupMode.ADD and not self.group:
            raise RuleError("group_missing", self.code, _("This way of combining needs a group."))

    def applies_at(self, instant: datetime | None) -> bool:
        """Say whether the rule is valid at an instant; None is the beginning of time."""
        if instant is None:
            return self.valid_from is None
        begun = self.valid_from is None or self.valid_from <= instant
        return begun and (self.valid_until is None or instant < self.valid_until)


@dataclass(frozen=True, slots=True)
class Programme:
    """What holds for every earning rule; `exponent` is the currency's number of decimals."""

    earn_on_points_paid: bool = False
    excluded_skus: frozenset[str] = frozenset()
    excluded_categories: frozenset[str] = frozenset()
    excluded_brands: frozenset[str] = frozenset()
    earning_kinds: frozenset[str] = SPEND_KINDS
    exponent: int = field(default_factory=money.exponent)

    @property
    def is_plain(self) -> bool:
        """Say whether only the kind and the flag of a line decide that it earns."""
        excluded = self.excluded_skus or self.excluded_categories or self.excluded_brands
        return not excluded and self.earning_kinds == SPEND_KINDS

    def exclusion(self, line: Line) -> str | None:
        """Return the code that says why a line earns nothing, None when it earns.

        Source: PTS-16.
        """
        if not line.earns:
            return "excluded_flag"
        if line.kind not in self.earning_kinds:
            return "excluded_kind"
        if line.sku in self.excluded_skus:
            return "excluded_sku"
        if line.category in self.excluded_categories:
            return "excluded_category"
        return "excluded_brand" if line.brand in self.excluded_brands else None


def parse_conditions(trigger: Trigger, data: object) -> Node:
    """Read the conditions of a rule.

    Raises: ConditionError.
    """
    return conditions.parse(data, _scopes(trigger))


def parse_line_conditions(data: object) -> Node:
    """Read the line conditions of an order rule.

    Raises: ConditionError.
    """
    return conditions.parse(data, ("line",))


def _scopes(trigger: Trigger) -> tuple[str, str]:
    return (trigger.value, "member")


def _check_effect(rule: RuleSpec) -> None:
    effect = rule.effect
    if effect.points < 1:
        raise RuleError("points_not_positive", rule.code, _("A rule gives at least one point."))
    if isinstance(effect, Fixed):
        if rule.group_mode is GroupMode.PRODUCT:
            message = _("Only multipliers can be multiplied with each other.")
            raise RuleError("product_needs_multiplier", rule.code, message)
        return
    if rule.trigger is not Trigger.ORDER:
        message = _("Interactions can only give a fixed number of points.")
        raise RuleError("effect_needs_order", rule.code, message)
    if effect.per_amount < 1:
        raise RuleError("amount_not_positive", rule.code, _("The amount of a rate is positive."))
    _check_factor(rule, effect)


def _check_factor(rule: RuleSpec, effect: PerAmount | Multiplier) -> None:
    if isinstance(effect, PerAmount):
        if rule.group_mode is GroupMode.PRODUCT:
            message = _("Only multipliers can be multiplied with each other.")
            raise RuleError("product_needs_multiplier", rule.code, message)
    elif effect.factor_den < 1 or effect.factor_num < effect.factor_den:
        raise RuleError("factor_below_one", rule.code, _("A factor is at least one."))


def _check_limits(rule: RuleSpec) -> None:
    for limit in (rule.max_points, rule.cap_points):
        if limit is not None and limit < 1:
            raise RuleError("cap_not_positive", rule.code, _("A cap is at least one point."))
    if (rule.cap_points is None) is not (rule.cap_period is None):
        raise RuleError("cap_incomplete", rule.code, _("A cap has points and a period."))


def _check_scopes(rule: RuleSpec) -> None:
    if rule.line_conditions is not None and rule.trigger is not Trigger.ORDER:
        raise RuleError("lines_need_order", rule.code, _("Only orders have lines."))
    allowed = _scopes(rule.trigger)
    for node, scopes in ((rule.conditions, allowed), (rule.line_conditions, ("line",))):
        for leaf in conditions.leaves(node) if node is not None else ():
            if leaf.field.scope not in scopes:
                message = _("A condition speaks about something that is not known here.")
                raise RuleError("field_out_of_scope", rule.code, message)
            if "line" in scopes and leaf.field.name not in rule_fields.LINE_ATTRIBUTES:
                message = _("A condition speaks about an unknown field of a line.")
                raise RuleError("unknown_line_field", rule.code, message)
