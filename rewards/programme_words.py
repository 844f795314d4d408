"""The programme in words: rules, policies and the ladder as sentences for members.

Every sentence is made anew in each language, so what the page says is what the engine decides by.
Source: TIR-13, INT-11.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

from django.utils import translation
from django.utils.translation import gettext, ngettext

from config.base.conditions.operators import Op
from rewards import explanations
from rewards.models import PointsPolicy, RuleVersion
from rewards.models.rule import CapPeriod, ExpiryPolicy, FactorSource, RuleEffect
from tiers import words
from tiers.models import LadderVersion, QualificationRule, TierBenefit
from tiers.models.ladder import RefundPolicy, ReviewPolicy

LANGUAGES: Final = {"zh": "zh-hans", "en": "en"}

Words = dict[str, str]


def of(make: Callable[[], str]) -> Words:
    """Return a sentence in the reader's language as `text`, and in both."""
    both = {}
    for key, language in LANGUAGES.items():
        with translation.override(language):
            both[key] = make()
    return words_of(both["zh"], both["en"])


def words_of(zh: str, en: str) -> Words:
    """Return a text that is kept in both languages."""
    is_english = (translation.get_language() or "").startswith("en")
    return {"text": (en or zh) if is_english else (zh or en), "zh": zh, "en": en}


def number(value: Decimal) -> str:
    """Return a plain decimal number without zeros at its end."""
    return f"{value.normalize():f}"


def rule(version: RuleVersion) -> Words:
    """Return what an earning rule gives, when, and how much at most."""
    return of(lambda: " ".join(_rule(version)))


def way(rules: Sequence[QualificationRule]) -> Words:
    """Return one way to a tier: all of its thresholds have to be reached."""
    return of(lambda: gettext(" and ").join(_threshold(each) for each in rules))


def ladder(version: LadderVersion) -> list[Words]:
    """Return how long a tier is kept and what lowers it."""
    return [of(make) for make in _ladder(version)]


def policy(version: PointsPolicy) -> list[Words]:
    """Return when points become usable and expire, and how to pay with them."""
    return [of(make) for make in _policy(version)]


def benefit(terms: TierBenefit) -> Words:
    """Return how often a benefit may be used."""
    return of(lambda: _quota(terms))


def condition(data: Mapping[str, Any]) -> str:
    """Return a stored condition in the active language."""
    if "all" in data:
        return gettext(" and ").join(_nested(item) for item in data["all"])
    if "any" in data:
        return _any(data["any"])
    if "not" in data:
        return gettext("not: %(asked)s") % {"asked": _nested(data["not"])}
    return explanations.asked_for(data)


BIRTHDAY_MONTH: Final[Mapping[str, Any]] = {
    "any": [
        {
            "all": [
                {"field": "member.birthday_month", "op": Op.EQ.value, "value": month},
                {"field": "order.month", "op": Op.EQ.value, "value": month},
            ]
        }
        for month in range(1, 13)
    ]
}
"""Twelve pairs of tests that say one thing: the condition language has no variables."""


def is_birthday_month(items: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether these alternatives say that the order falls in the month of the birthday."""
    return bool(list(items) == BIRTHDAY_MONTH["any"])


def _nested(data: Mapping[str, Any]) -> str:
    said = condition(data)
    return f"({said})" if len(data.get("any", data.get("all", ()))) > 1 else said


def _any(items: Sequence[Mapping[str, Any]]) -> str:
    if is_birthday_month(items):
        return gettext("the order falls in the month of the birthday")
    return gettext(" or ").join(_nested(item) for item in items)


def _rule(version: RuleVersion) -> Iterable[str]:
    yield _effect(version)
    if version.conditions:
        yield gettext("Only if: %(condition)s.") % {"condition": condition(version.conditions)}
    if version.line_conditions:
        yield gettext("Only for lines where: %(condition)s.") % {
            "condition": condition(version.line_conditions)
        }
    if version.max_points is not None:
        yield gettext("At most %(points)d points per order.") % {"points": version.max_points}
    if version.cap_points is not None:
        yield gettext("At most %(points)d points per member, per period: %(period)s.") % {
            "points": version.cap_points,
            "period": CapPeriod(version.cap_period).label,
        }


def _effect(version: RuleVersion) -> str:
    if version.effect == RuleEffect.FIXED:
        return gettext("Gives %(points)d points.") % {"points": version.points}
    if version.effect == RuleEffect.PER_AMOUNT:
        return gettext("Gives %(points)d points per %(amount)s paid.") % {
            "points": version.points,
            "amount": number(version.per_amount),
        }
    if version.factor_source == FactorSource.TIER:
        return gettext("Multiplies the base points by the factor of the member's tier.")
    return gettext("Multiplies the base points by %(factor)s.") % {"factor": number(version.factor)}


def _threshold(rule: QualificationRule) -> str:
    if rule.metric == "attribute":
        said = gettext("attribute %(attribute)s is %(value)s") % {
            "attribute": rule.attribute,
            "value": rule.value,
        }
    else:
        said = gettext("%(metric)s (%(window)s) at least %(amount)s") % {
            "metric": words.metric(rule.metric),
            "window": words.window(rule.window, rule.window_days),
            "amount": words.amount(rule.metric, rule.threshold, rule.unit),
        }
    if rule.from_tier is None:
        return said
    tier = rule.from_tier
    name = tier.name_en if (translation.get_language() or "").startswith("en") else tier.name_zh
    return gettext("%(asked)s, coming from %(tier)s") % {"asked": said, "tier": name}


def _ladder(version: LadderVersion) -> Iterable[Callable[[], str]]:
    yield (
        lambda: (
            gettext("A tier is kept for %(days)d days; reaching it again renews it.")
            % {"days": version.validity_days}
        )
    )
    if version.grace_days:
        yield (
            lambda: (
                gettext("A lowering waits for %(days)d days of grace.")
                % {"days": version.grace_days}
            )
        )
    if version.review == ReviewPolicy.ONE_LEVEL:
        yield lambda: gettext("At the end of its term a tier falls by one rank at most.")
    else:
        yield lambda: gettext("At the end of its term the tier falls to what is still earned.")
    if version.refund_policy == RefundPolicy.WITHDRAW:
        yield (
            lambda: (
                gettext("A refund within %(days)d days of an upgrade may withdraw the upgrade.")
                % {"days": version.withdraw_days}
            )
        )


def _policy(version: PointsPolicy) -> Iterable[Callable[[], str]]:
    yield lambda: _expiry(version)
    for channel, days in sorted(version.return_window_days.items()):
        yield partial(_return_window, str(channel), int(days))
    yield lambda: _paying(version)
    if not version.earn_on_points_paid:
        yield lambda: gettext("What is paid with points earns no points.")


def _return_window(channel: str, days: int) -> str:
    said = gettext("Points of channel %(channel)s become usable after %(days)d full days.")
    return said % {"channel": channel, "days": days}


def _paying(version: PointsPolicy) -> str:
    said = gettext(
        "Paying with points: %(points)d points are worth %(amount)s; at least %(least)d, in steps"
        " of %(step)d, up to %(percent)s %% of the goods."
    )
    return said % {
        "points": version.pay_points,
        "amount": f"{version.pay_amount:.2f}",
        "least": version.pay_min_points,
        "step": version.pay_step_points,
        "percent": number(version.pay_max_percent),
    }


def _expiry(version: PointsPolicy) -> str:
    after = version.expires_after
    match version.expiry:
        case ExpiryPolicy.MONTH_END:
            return gettext(
                "Points are valid to the end of the month, %(count)d months after they were earned."
            ) % {"count": after}
        case ExpiryPolicy.ROLLING_DAYS:
            return ngettext(
                "Points are valid for %(count)d day.", "Points are valid for %(count)d days.", after
            ) % {"count": after}
        case ExpiryPolicy.ROLLING_MONTHS:
            return ngettext(
                "Points are valid for %(count)d month.",
                "Points are valid for %(count)d months.",
                after,
            ) % {"count": after}
        case ExpiryPolicy.SLIDING:
            return gettext("Points are valid for %(count)d months after the last earning.") % {
                "count": after
            }
        case ExpiryPolicy.FIXED_DATE:
            return gettext("Points expire on %(date)s, after %(count)d turns of the year.") % {
                "date": version.expires_on,
                "count": after,
            }
        case _:
            return gettext("Points never expire.")


def _quota(terms: TierBenefit) -> str:
    if terms.quota is None:
        return gettext("Without limit.")
    return gettext("%(count)d times, per period: %(period)s.") % {
        "count": terms.quota,
        "period": terms.get_period_display(),
    }
