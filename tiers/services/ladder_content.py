"""What a draft of the ladder says, as plain JSON, and as the rows that publishing writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from tiers.domain.ladder import Ladder, Metric
from tiers.domain.ladder_checks import LONGEST_DAYS
from tiers.domain.windows import WindowKind
from tiers.models import (
    LadderVersion,
    Purpose,
    QualificationRule,
    RefundPolicy,
    ReviewPolicy,
    TenureUnit,
    Tier,
    TierTerm,
)
from tiers.services.ladders import compiled

TERMS: Final = (
    "validity_days", "grace_days", "review", "refund_policy", "withdraw_days", "warning_days",
    "growth_spend_weight", "growth_interaction_weight", "qualifying_kinds",
    "tenure_counts_suspension",
)  # fmt: skip
RULE: Final = (
    "purpose", "group", "metric", "window", "window_days", "threshold", "unit", "attribute",
    "value",
)  # fmt: skip
MOST_DAYS: Final = LONGEST_DAYS
MOST: Final = Decimal(10) ** 12
MOST_RULES: Final = 200
WINDOWLESS: Final = frozenset({Metric.TENURE.value, Metric.ATTRIBUTE.value})

Content = Mapping[str, Any]


class LadderContentError(DomainError):
    """A draft says something that no ladder can say; `place` names the field."""

    def __init__(self, place: str, message: Any) -> None:
        super().__init__("ladder_draft_invalid", message, place=place)


@dataclass(frozen=True, slots=True)
class Rows:
    """A version of the ladder as rows that are not stored, by rank."""

    version: LadderVersion
    terms: Sequence[TierTerm]
    rules: Sequence[QualificationRule]

    def ladder(self) -> Ladder:
        """Return what the fold would evaluate. Raises: LadderError."""
        return compiled(self.version, self.terms, list(self.rules))


def content_of(version: LadderVersion) -> dict[str, Any]:
    """Return what a stored version says."""
    terms = version.terms.select_related("tier").order_by("tier__rank")
    rules = version.rules.select_related("tier", "from_tier").order_by(
        "tier__rank", "purpose", "group", "id"
    )
    return {
        "terms": {name: _plain(getattr(version, name)) for name in TERMS},
        "tiers": [
            {
                "tier": term.tier.code, "multiplier": _plain(term.multiplier),
                "discount_percent": _plain(term.discount_percent),
            }
            for term in terms
        ],
        "rules": [
            {
                "tier": rule.tier.code, "from_tier": rule.from_tier and rule.from_tier.code,
                **{name: _plain(getattr(rule, name)) for name in RULE},
            }
            for rule in rules
        ],
    }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(value)
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def rows_of(content: Content, *, number: int = 0) -> Rows:
    """Return the rows that a draft stands for.

    Raises: LadderContentError where a field holds what it cannot hold.
    """
    tiers = {tier.code: tier for tier in Tier.objects.order_by("rank")}
    version = LadderVersion(number=number, **_terms(content["terms"]))
    terms = [
        TierTerm(
            ladder=version, tier=_tier(tiers, each["tier"]),
            multiplier=_decimal(f"tier-{each['tier']}-multiplier", each["multiplier"], 1, 1_000, 3),
            discount_percent=_decimal(
                f"tier-{each['tier']}-discount", each["discount_percent"], 0, 100, 2
            ),
        )
        for each in content["tiers"]
    ]  # fmt: skip
    if len(content["rules"]) > MOST_RULES:
        raise LadderContentError("rules", _("These are too many conditions."))
    rules = [_rule(n, each, version, tiers) for n, each in enumerate(content["rules"])]
    _check_groups(rules)
    terms.sort(key=lambda term: term.tier.rank)
    rules.sort(key=lambda rule: rule.tier.rank)
    return Rows(version, terms, rules)


def _terms(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "validity_days": _whole("validity_days", said["validity_days"], 1, MOST_DAYS),
        "grace_days": _whole("grace_days", said["grace_days"], 0, MOST_DAYS),
        "review": _choice("review", said["review"], ReviewPolicy.values),
        "refund_policy": _choice("refund_policy", said["refund_policy"], RefundPolicy.values),
        "withdraw_days": _whole("withdraw_days", said["withdraw_days"], 0, MOST_DAYS),
        "warning_days": _whole("warning_days", said["warning_days"], 0, MOST_DAYS),
        "growth_spend_weight": _decimal(
            "growth_spend_weight", said["growth_spend_weight"], 0, 10_000, 4
        ),
        "growth_interaction_weight": _whole(
            "growth_interaction_weight", said["growth_interaction_weight"], 0, 1_000_000
        ),
        "qualifying_kinds": sorted({str(kind) for kind in said["qualifying_kinds"]}),
        "tenure_counts_suspension": bool(said["tenure_counts_suspension"]),
    }


def _rule(
    number: int, said: Mapping[str, Any], version: LadderVersion, tiers: Mapping[str, Tier]
) -> QualificationRule:
    place = f"rule-{number}"
    metric = _choice(f"{place}-metric", said["metric"], [each.value for each in Metric])
    window = WindowKind.LIFETIME.value
    days, is_attribute = None, metric == Metric.ATTRIBUTE
    if metric not in WINDOWLESS:
        kinds = [each.value for each in WindowKind]
        window = _choice(f"{place}-window", said["window"], kinds)
    if window == WindowKind.ROLLING_DAYS:
        days = _whole(f"{place}-days", said["window_days"], 1, MOST_DAYS)
    if is_attribute and not (said["attribute"] and said["value"]):
        raise LadderContentError(f"{place}-attribute", _("Name the attribute and its value."))
    return QualificationRule(
        ladder=version, tier=_tier(tiers, said["tier"]),
        from_tier=_tier(tiers, said["from_tier"]) if said["from_tier"] else None,
        purpose=_choice(place, said["purpose"], Purpose.values),
        group=_whole(place, said["group"], 1, 100), metric=metric, window=window,
        window_days=days, threshold=_threshold(place, metric, said["threshold"]),
        unit=_choice(f"{place}-unit", said["unit"] or "months", TenureUnit.values),
        attribute=said["attribute"][:60] if is_attribute else "",
        value=said["value"][:60] if is_attribute else "",
    )  # fmt: skip


def _check_groups(rules: Sequence[QualificationRule]) -> None:
    """Refuse a group whose conditions are for members of different tiers."""
    only: dict[tuple[Tier, str, int], Tier | None] = {}
    for number, rule in enumerate(rules):
        key = (rule.tier, rule.purpose, rule.group)
        if only.setdefault(key, rule.from_tier) != rule.from_tier:
            message = _("The conditions of a group are for members from the same tier.")
            raise LadderContentError(f"rule-{number}-from", message)


def _threshold(place: str, metric: str, said: Any) -> Decimal:
    if metric == Metric.ATTRIBUTE:
        return Decimal(1)
    is_money = metric in {Metric.SPEND, Metric.AVERAGE_ORDER, Metric.LARGEST_ORDER}
    lowest = Decimal("0.01") if is_money else 1
    return _decimal(f"{place}-threshold", said, lowest, MOST, 2 if is_money else 0)


def _tier(tiers: Mapping[str, Tier], code: Any) -> Tier:
    if code not in tiers:
        raise LadderContentError("tiers", _("There is no such tier."))
    return tiers[code]


def _choice(place: str, said: Any, values: Sequence[str]) -> str:
    if said not in values:
        raise LadderContentError(place, _("Choose one of the values."))
    return str(said)


def _whole(place: str, said: Any, lowest: int, highest: int) -> int:
    return int(_decimal(place, said, lowest, highest, 0))


def _decimal(
    place: str, said: Any, lowest: Decimal | int, highest: Decimal | int, digits: int
) -> Decimal:
    try:
        value = Decimal(str(said).strip())
    except InvalidOperation:
        raise LadderContentError(place, _("Write a number.")) from None
    if not value.is_finite() or not lowest <= value <= highest:
        message = _("Write a number from %(lowest)s to %(highest)s.")
        raise LadderContentError(place, message % {"lowest": lowest, "highest": highest})
    if value != round(value, digits):
        message = _("At most %(digits)s digits after the point.")
        raise LadderContentError(place, message % {"digits": digits})
    return value
