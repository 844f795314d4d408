"""The stored ladder versions as the fold evaluates them."""

from fractions import Fraction

from config.base import money
from tiers.domain.ladder import (
    Criterion,
    Ladder,
    LadderBook,
    Metric,
    Purpose,
    RefundPolicy,
    Requirement,
    ReviewPolicy,
    TierSpec,
)
from tiers.domain.windows import Window, WindowKind
from tiers.models import LadderVersion, QualificationRule

MONEY_METRICS = frozenset({Metric.SPEND, Metric.AVERAGE_ORDER, Metric.LARGEST_ORDER})


def load_ladder_book() -> LadderBook | None:
    """Return all versions of the ladder, None where there is none yet.

    Raises: LadderError for stored versions that contradict themselves.
    """
    stored = LadderVersion.objects.prefetch_related(
        "terms__tier", "rules__tier", "rules__from_tier"
    )
    return LadderBook([ladder_of(version) for version in stored]) if stored else None


def ladder_of(version: LadderVersion) -> Ladder:
    """Return one stored version as the fold evaluates it."""
    terms = sorted(version.terms.all(), key=lambda term: term.tier.rank)
    spend_weight = Fraction(version.growth_spend_weight) / 10 ** money.exponent()
    return Ladder(
        version=version.number,
        effective_from=version.effective_from,
        tiers=tuple(
            TierSpec(term.tier.code, term.tier.rank, _ratio(Fraction(term.multiplier)))
            for term in terms
        ),
        requirements=tuple(_requirements(list(version.rules.all()))),
        validity_days=version.validity_days,
        grace_days=version.grace_days,
        review=ReviewPolicy(version.review),
        refund_policy=RefundPolicy(version.refund_policy),
        withdraw_days=version.withdraw_days,
        growth_spend_weight=_ratio(spend_weight),
        growth_interaction_weight=(version.growth_interaction_weight, 1),
        qualifying_kinds=frozenset(version.qualifying_kinds),
    )


def _requirements(stored: list[QualificationRule]) -> list[Requirement]:
    groups: dict[tuple[int, str, int | None], dict[int, list[Criterion]]] = {}
    for rule in stored:
        from_rank = rule.from_tier.rank if rule.from_tier else None
        key = (rule.tier.rank, rule.purpose, from_rank)
        groups.setdefault(key, {}).setdefault(rule.group, []).append(_criterion(rule))
    return [
        Requirement(
            rank,
            Purpose(purpose),
            tuple(tuple(criteria) for _group, criteria in sorted(members.items())),
            from_rank,
        )
        for (rank, purpose, from_rank), members in groups.items()
    ]


def _criterion(rule: QualificationRule) -> Criterion:
    metric = Metric(rule.metric)
    kind = WindowKind(rule.window)
    threshold = rule.threshold
    if metric in MONEY_METRICS:
        return Criterion(metric, _window(kind, rule), money.to_minor(threshold))
    return Criterion(
        metric,
        _window(kind, rule),
        int(threshold),
        attribute=rule.attribute or None,
        value=rule.value or None,
    )


def _window(kind: WindowKind, rule: QualificationRule) -> Window:
    return Window(kind, rule.window_days) if kind is WindowKind.ROLLING_DAYS else Window(kind)


def _ratio(value: Fraction) -> tuple[int, int]:
    return value.numerator, value.denominator
