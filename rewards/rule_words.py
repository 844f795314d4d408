"""Earning rules in the words of who writes and approves them: one sentence, part by part, warnings.

Made from what is stored, so what people read is what the engine decides by. `labels` name the
values of fields (tiers, shops) in the active language.

Source: PTS-04.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext

from config.base import clock, conditions
from config.base.admin import formats
from config.base.conditions import Op
from rewards import explanations, programme_words
from rewards.domain.rule_warnings import Finding
from rewards.models import RuleVersion
from rewards.models.rule import FactorSource, GroupMode, RuleEffect, RuleTrigger

Labels = Mapping[str, Mapping[str, str]]
Data = Mapping[str, Any]

_NO_LABELS: Final[Labels] = {}


def sentence(version: RuleVersion, labels: Labels = _NO_LABELS) -> str:
    """Return a rule as one sentence: when, who, what it gives, at most how much."""
    parts = [effect(version), *_limits(version)]
    said = gettext("%(when)s: %(what)s") % {
        "when": capfirst(when(version, labels)),
        "what": _clauses(parts),
    }
    if version.line_conditions:
        lines = condition(version.line_conditions, labels)
        said = gettext("%(said)s (only lines where %(lines)s)") % {"said": said, "lines": lines}
    return said


def when(version: RuleVersion, labels: Labels = _NO_LABELS) -> str:
    """Return to what a rule applies."""
    if version.conditions and "all" in version.conditions:
        tests = (_nested(item, labels) for item in version.conditions["all"])
        return _clauses(tests)
    if version.conditions:
        return condition(version.conditions, labels)
    if version.trigger == RuleTrigger.INTERACTION:
        return gettext("every interaction")
    return gettext("every order")


def _clauses(parts: Iterable[str]) -> str:
    return pgettext("between clauses", ", ").join(parts)


def effect(version: RuleVersion) -> str:
    """Return what a rule gives."""
    if version.effect == RuleEffect.FIXED:
        return gettext("%(points)s points") % {"points": formats.points(version.points)}
    if version.effect == RuleEffect.PER_AMOUNT:
        return gettext("%(points)s points per %(amount)s") % {
            "points": formats.points(version.points),
            "amount": _money(version.per_amount),
        }
    if version.factor_source == FactorSource.TIER:
        return gettext("base points × the factor of the tier")
    return gettext("base points × %(factor)s") % {"factor": programme_words.number(version.factor)}


def stacking(version: RuleVersion) -> str:
    """Return how a rule combines with others."""
    if not version.group:
        return gettext("adds to what other rules give")
    said = {
        GroupMode.ADD: gettext("adds up within the group “%(group)s”"),
        GroupMode.BEST: gettext("only the best rule of the group “%(group)s” counts"),
        GroupMode.PRODUCT: gettext("multiplies with the rules of the group “%(group)s”"),
        GroupMode.FIRST: gettext("only the first rule of the group “%(group)s” counts"),
    }
    return said[GroupMode(version.group_mode)] % {"group": version.group}


def instant(at: datetime | None, otherwise: str) -> str:
    """Return an instant on the programme's own clock."""
    return otherwise if at is None else f"{clock.local(at):%Y-%m-%d %H:%M}"


def facets(version: RuleVersion, labels: Labels = _NO_LABELS) -> list[tuple[str, str]]:
    """Return what a version says, part by part."""
    none = gettext("none")
    limits = _limits(version)
    return [
        (gettext("Chinese name"), version.rule.name_zh),
        (gettext("English name"), version.rule.name_en),
        (gettext("Applies to"), when(version, labels)),
        (gettext("Lines"), condition(version.line_conditions, labels)
         if version.line_conditions else gettext("all lines")),
        (gettext("Gives"), effect(version)),
        (gettext("Base rate"), _rate(version)),
        (gettext("At most"), _clauses(limits) or gettext("no limit")),
        (gettext("Stacking"), stacking(version)),
        (gettext("Order of application"), str(version.priority)),
        (gettext("From"), instant(version.valid_from, gettext("as soon as it is published"))),
        (gettext("Until"), instant(version.valid_until, none)),
    ]  # fmt: skip


def condition(data: Data, labels: Labels = _NO_LABELS) -> str:
    """Return a stored condition as part of a sentence."""
    if "all" in data:
        return gettext(" and ").join(_nested(item, labels) for item in data["all"])
    if "any" in data:
        if programme_words.is_birthday_month(data["any"]):
            return gettext("in the month of the birthday")
        return gettext(" or ").join(_nested(item, labels) for item in data["any"])
    if "not" in data:
        return gettext("not (%(asked)s)") % {"asked": condition(data["not"], labels)}
    return _test(data, labels)


def _nested(data: Data, labels: Labels) -> str:
    said = condition(data, labels)
    parts = data.get("any", data.get("all", ()))
    is_plain = len(parts) < 2 or programme_words.is_birthday_month(parts)
    return said if is_plain else f"({said})"


def _test(leaf: Data, labels: Labels) -> str:
    said = [_label(leaf["field"], item, labels) for item in _listed(leaf["value"])]
    op = Op(leaf["op"])
    phrase = _PHRASES.get(leaf["field"])
    if phrase is not None and op in {Op.EQ, Op.IN}:
        return phrase() % {"values": gettext(", ").join(said)}
    if op is Op.BETWEEN:
        return gettext("%(field)s is between %(low)s and %(high)s") % {
            "field": _field(leaf["field"]), "low": said[0], "high": said[1],
        }  # fmt: skip
    shown = said if isinstance(leaf["value"], list) else said[0]
    value = leaf["value"] if op is Op.IS_SET else shown
    return explanations.asked_for({**leaf, "value": value})


_PHRASES: Final[Mapping[str, Callable[[], str]]] = {
    "order.day": lambda: gettext("on day %(values)s of each month"),
    "order.weekday": lambda: gettext("on %(values)s"),
    "order.month": lambda: pgettext("months", "in %(values)s"),
    "order.date": lambda: pgettext("date", "on %(values)s"),
    "order.channel": lambda: gettext("orders through %(values)s"),
    "order.store": lambda: gettext("orders at %(values)s"),
    "member.tier": lambda: gettext("members of tier %(values)s"),
    "member.birthday_month": lambda: gettext("members born in %(values)s"),
}


def weekdays() -> list[tuple[str, str]]:
    """Return the days of the week, 1 = Monday."""
    names = (
        gettext("Monday"), gettext("Tuesday"), gettext("Wednesday"), gettext("Thursday"),
        gettext("Friday"), gettext("Saturday"), gettext("Sunday"),
    )  # fmt: skip
    return [(str(number), name) for number, name in enumerate(names, start=1)]


def months() -> list[tuple[str, str]]:
    """Return the months of the year."""
    names = (
        gettext("January"), gettext("February"), gettext("March"), gettext("April"),
        gettext("May"), gettext("June"), gettext("July"), gettext("August"),
        gettext("September"), gettext("October"), gettext("November"), gettext("December"),
    )  # fmt: skip
    return [(str(number), name) for number, name in enumerate(names, start=1)]


_NAMED: Final[Mapping[str, Callable[[], list[tuple[str, str]]]]] = {
    "order.weekday": weekdays,
    "interaction.weekday": weekdays,
    "order.month": months,
    "interaction.month": months,
    "member.birthday_month": months,
}


def _label(field: str, value: Any, labels: Labels) -> str:
    """Return one value of a field as people name it."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    known = dict(_NAMED[field]()) if field in _NAMED else labels.get(field, {})
    found = conditions.fields.find(field)
    if not known and found is not None and found.choices:
        known = {code: str(label) for code, label in found.choices}
    if found is not None and found.type is conditions.FieldType.MONEY:
        return _money(Decimal(value))
    return known.get(str(value), str(value))


def _field(name: str) -> str:
    found = conditions.fields.find(name)
    return str(found.label) if found else name


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _money(amount: Decimal) -> str:
    """Return an amount without decimals that say nothing."""
    said = formats.money(Decimal(amount))
    return said.removesuffix(".00")


def _rate(version: RuleVersion) -> str:
    if version.effect != RuleEffect.MULTIPLIER:
        return ""
    return gettext("%(points)s points per %(amount)s") % {
        "points": formats.points(version.points),
        "amount": _money(version.per_amount),
    }


def _limits(version: RuleVersion) -> list[str]:
    found = []
    if version.max_points is not None:
        said = gettext("at most %(points)s points per order")
        found.append(said % {"points": formats.points(version.max_points)})
    if version.cap_points is not None:
        said = _CAPS[version.cap_period]()
        found.append(said % {"points": formats.points(version.cap_points)})
    return found


_CAPS: Final[Mapping[str, Callable[[], str]]] = {
    "day": lambda: gettext("at most %(points)s points per member a day"),
    "week": lambda: gettext("at most %(points)s points per member a week"),
    "month": lambda: gettext("at most %(points)s points per member a month"),
    "year": lambda: gettext("at most %(points)s points per member a year"),
    "lifetime": lambda: gettext("at most %(points)s points per member in all"),
}


def warning(finding: Finding, names: Mapping[str, str]) -> str:
    """Return a warning as a sentence; `names` are rule names by code."""
    rules: Sequence[str] = finding.details.get("rules", ())
    told = {
        **finding.details,
        "rules": gettext(", ").join(names.get(code, code) for code in rules),
    }
    return _WARNINGS[finding.code]() % told


_WARNINGS: Final[Mapping[str, Callable[[], str]]] = {
    "no_condition": lambda: gettext("There is no condition: the rule applies to every order."),
    "already_over": lambda: gettext("The period is over already: the rule will give nothing."),
    "begins_in_the_past": lambda: gettext(
        "The period begins in the past. Earlier purchases keep what they earned; the rule takes"
        " effect when it is published."
    ),
    "nothing_follows": lambda: gettext(
        "The version in force has no end, this one has: after it the rule gives nothing."
    ),
    "never_matches": lambda: gettext("The conditions contradict each other: nothing ever matches."),
    "multiplier_without_cap": lambda: gettext(
        "A multiplier without a limit: one large order can give any number of points."
    ),
    "fixed_without_cap": lambda: gettext(
        "Fixed points without a limit per member: many small orders can collect them again and"
        " again."
    ),
    "factor_high": lambda: gettext("×%(factor)g is more than any usual promotion gives."),
    "factor_is_one": lambda: gettext("×1 adds nothing to the base points."),
    "cap_below_award": lambda: gettext(
        "The limit of %(cap)d points per member is below the %(points)d points of one award."
    ),
    "shares_group": lambda: gettext("In the same stacking group at the same time: %(rules)s."),
    "adds_to": lambda: gettext(
        "Adds up with other multipliers of the same time: %(rules)s. Use a stacking group if only"
        " one of them may count."
    ),
    "no_order_matched": lambda: gettext("No order of last month would have matched."),
}
