"""The programme as it is published: what holds at an instant, as data and in words.

Its versions are counted by the instants at which anything changes: the ladder, a rule, the policy
of points, the benefits of a tier, or the brand. Terms of campaigns come and go by their own dates.
Source: TIR-13, INT-11.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet

from members.models import Brand
from rewards import programme_words as words
from rewards.models import PointsPolicy, RuleVersion
from rewards.models.rule import FactorSource, RuleEffect, RuleState
from rewards.services.programme import ProgrammeMissingError
from tiers.models import LadderVersion, QualificationRule, TierBenefit, TierTerm
from tiers.models.ladder import Purpose

TermsAt = Callable[[datetime], list[dict[str, Any]]]

_TERMS_AT: list[TermsAt] = []


def tell_terms(terms_at: TermsAt) -> None:
    """Let the terms that something above publishes be told with the programme; once is enough."""
    if terms_at not in _TERMS_AT:
        _TERMS_AT.append(terms_at)


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of the whole programme: its number, and from when until when it holds."""

    number: int
    from_at: datetime | None
    until_at: datetime | None

    def instant(self, at: datetime) -> datetime:
        """Return an instant inside of it: the given one, or its beginning, or just before its end.

        Half-open: `until_at` itself belongs to the next one.
        """
        if self.from_at is not None and at < self.from_at:
            return self.from_at
        if self.until_at is not None and at >= self.until_at:
            return self.from_at or datetime.min.replace(tzinfo=self.until_at.tzinfo)
        return at


def editions() -> list[Edition]:
    """Return all versions of the programme, oldest first."""
    starts: set[datetime | None] = set()
    for model in (LadderVersion, PointsPolicy, Brand):
        starts |= set(model._default_manager.values_list("effective_from", flat=True))
    rules = RuleVersion.objects.filter(state=RuleState.ACTIVE)
    spans: Iterable[tuple[datetime | None, datetime | None]] = [
        *rules.values_list("valid_from", "valid_until"),
        *TierBenefit.objects.values_list("effective_from", "effective_until"),
    ]
    for span in spans:
        starts |= set(span)
    instants = sorted(start for start in starts if start is not None)
    begins: list[datetime | None] = [None, *instants]
    ends: list[datetime | None] = [*instants, None]
    return [
        Edition(number, begin, end)
        for number, (begin, end) in enumerate(zip(begins, ends, strict=True), start=1)
    ]


def edition_at(found: Sequence[Edition], at: datetime) -> Edition:
    """Return the version that holds at an instant."""
    starts = [edition.from_at for edition in found[1:] if edition.from_at is not None]
    return found[bisect_right(starts, at)]


def published(edition: Edition, at: datetime, following: Edition | None) -> dict[str, Any]:
    """Return the whole programme of a version.

    Raises: ProgrammeMissingError.
    """
    ladder = _in_force(LadderVersion.objects.all(), at)
    policy = _in_force(PointsPolicy.objects.all(), at)
    if ladder is None or policy is None:
        raise ProgrammeMissingError
    upcoming = None
    if following is not None:
        upcoming = {"version": following.number, "effective_from": following.from_at}
    return {
        "version": edition.number,
        "effective_from": edition.from_at,
        "effective_until": edition.until_at,
        "upcoming": upcoming,
        "currency": settings.LOYALTY_CURRENCY,
        "time_zone": settings.LOYALTY_TIME_ZONE,
        "brand": _brand(_in_force(Brand.objects.all(), at)),
        "ladder": _ladder(ladder, at),
        "earning": [_rule(version) for version in _rules(at)],
        "points": _policy(policy),
        "campaigns": [terms for terms_at in _TERMS_AT for terms in terms_at(at)],
    }


def _in_force(rows: QuerySet[Any], at: datetime) -> Any:
    begun = rows.filter(Q(effective_from=None) | Q(effective_from__lte=at))
    return begun.order_by(F("effective_from").desc(nulls_last=True)).first()


def _brand(brand: Brand | None) -> dict[str, Any] | None:
    if brand is None:
        return None
    return {
        "version": brand.number,
        "effective_from": brand.effective_from,
        "programme_name": words.words_of(brand.programme_name_zh, brand.programme_name_en),
        "points_name": words.words_of(brand.points_name_zh, brand.points_name_en),
        "logo_url": brand.logo_url or None,
        "colours": {"primary": brand.primary_colour, "accent": brand.accent_colour},
        "texts": [
            {"code": code, **words.words_of(text.get("zh", ""), text.get("en", ""))}
            for code, text in sorted(brand.texts.items())
        ],
    }


def _ladder(version: LadderVersion, at: datetime) -> dict[str, Any]:
    rules = list(version.rules.select_related("from_tier").order_by("purpose", "group", "id"))
    benefits = list(_benefits(at))
    return {
        "version": version.number,
        "effective_from": version.effective_from,
        "validity_days": version.validity_days,
        "grace_days": version.grace_days,
        "review": version.review,
        "refund_policy": version.refund_policy,
        "qualifying_kinds": version.qualifying_kinds,
        "sentences": words.ladder(version),
        "tiers": [
            _tier(
                terms,
                [rule for rule in rules if rule.tier_id == terms.tier_id],
                [each for each in benefits if each.tier_id == terms.tier_id],
            )
            for terms in version.terms.select_related("tier").order_by("tier__rank")
        ],
    }


def _tier(
    terms: TierTerm, rules: Sequence[QualificationRule], benefits: Sequence[TierBenefit]
) -> dict[str, Any]:
    """Return one tier; where nothing is said about keeping it, what earns it keeps it."""
    entry = _ways(rules, Purpose.ENTRY)
    return {
        "code": terms.tier.code,
        "rank": terms.tier.rank,
        "name": words.words_of(terms.tier.name_zh, terms.tier.name_en),
        "multiplier": words.number(terms.multiplier),
        "discount_percent": words.number(terms.discount_percent),
        "entry": entry,
        "retention": _ways(rules, Purpose.RETENTION) or entry,
        "benefits": [_benefit(each) for each in benefits],
    }


def _ways(rules: Sequence[QualificationRule], purpose: Purpose) -> list[dict[str, Any]]:
    wanted = [rule for rule in rules if rule.purpose == purpose]
    groups = [list(found) for _group, found in groupby(wanted, key=lambda rule: rule.group)]
    return [
        {"all": [_threshold(rule) for rule in group], "sentence": words.way(group)}
        for group in groups
    ]


def _threshold(rule: QualificationRule) -> dict[str, Any]:
    return {
        "metric": rule.metric,
        "window": rule.window,
        "window_days": rule.window_days,
        "threshold": words.number(rule.threshold),
        "from_tier": rule.from_tier.code if rule.from_tier else None,
        "attribute": rule.attribute or None,
        "value": rule.value or None,
    }


def _benefits(at: datetime) -> QuerySet[TierBenefit]:
    return TierBenefit.objects.filter(
        Q(effective_from=None) | Q(effective_from__lte=at),
        Q(effective_until=None) | Q(effective_until__gt=at),
        benefit__is_active=True,
    ).select_related("benefit").order_by("tier__rank", "benefit__code", "number")  # fmt: skip


def _benefit(terms: TierBenefit) -> dict[str, Any]:
    benefit = terms.benefit
    return {
        "code": benefit.code,
        "version": terms.number,
        "name": words.words_of(benefit.name_zh, benefit.name_en),
        "description": words.words_of(benefit.description_zh, benefit.description_en),
        "quota": terms.quota,
        "period": terms.period,
        "sentence": words.benefit(terms),
    }


def _rules(at: datetime) -> QuerySet[RuleVersion]:
    return RuleVersion.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=at),
        Q(valid_until=None) | Q(valid_until__gt=at),
        state=RuleState.ACTIVE,
    ).select_related("rule").order_by("priority", "rule__code")  # fmt: skip


def _rule(version: RuleVersion) -> dict[str, Any]:
    is_multiplier = version.effect == RuleEffect.MULTIPLIER
    is_of_tier = version.factor_source == FactorSource.TIER
    cap = None
    if version.cap_points is not None:
        cap = {"points": version.cap_points, "period": version.cap_period}
    return {
        "code": version.rule.code,
        "version": version.number,
        "name": words.words_of(version.rule.name_zh, version.rule.name_en),
        "trigger": version.trigger,
        "effect": version.effect,
        "points": version.points,
        "per_amount": (
            words.number(version.per_amount) if version.effect != RuleEffect.FIXED else None
        ),
        "factor": words.number(version.factor) if is_multiplier and not is_of_tier else None,
        "factor_source": version.factor_source if is_multiplier else None,
        "conditions": version.conditions,
        "line_conditions": version.line_conditions,
        "max_points": version.max_points,
        "cap": cap,
        "valid_from": version.valid_from,
        "valid_until": version.valid_until,
        "sentence": words.rule(version),
    }


def _policy(policy: PointsPolicy) -> dict[str, Any]:
    return {
        "version": policy.number,
        "effective_from": policy.effective_from,
        "expiry": {
            "kind": policy.expiry,
            "after": policy.expires_after,
            "on": policy.expires_on or None,
        },
        "return_window_days": policy.return_window_days,
        "activate_on": policy.activate_on,
        "pay": {
            "points": policy.pay_points,
            "amount": f"{policy.pay_amount:.2f}",
            "min_points": policy.pay_min_points,
            "step_points": policy.pay_step_points,
            "max_percent": words.number(policy.pay_max_percent),
        },
        "sentences": words.policy(policy),
    }
