"""The stored ladder versions as the fold evaluates them."""

from collections.abc import Mapping, Sequence
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
from tiers.domain.windows import TenureUnit, Window, WindowKind
from tiers.models import LadderVersion, QualificationRule, TierTerm

# What can raise a member without any order or interaction.
TIMELESS_METRICS = frozenset({Metric.TENURE, Metric.ATTRIBUTE})
NO_RANK = -1
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
    return compiled(version, list(version.terms.all()), list(version.rules.all()))


def compiled(
    version: LadderVersion, given: Sequence[TierTerm], rules: list[QualificationRule]
) -> Ladder:
    """Return rows, stored or not, as the fold evaluates them.

    Raises: LadderError for a ladder that contradicts itself.
    """
    terms = sorted(given, key=lambda term: term.tier.rank)
    # A version may leave tiers out: its ranks are places among those that it has.
    ranks = {term.tier_id: rank for rank, term in enumerate(terms)}
    spend_weight = Fraction(version.growth_spend_weight) / 10 ** money.exponent()
    return Ladder(
        version=version.number,
        effective_from=version.effective_from,
        tiers=tuple(
            TierSpec(
                term.tier.code,
                rank,
                _ratio(Fraction(term.multiplier)),
                int(term.discount_percent * 100),
            )
            for rank, term in enumerate(terms)
        ),
        requirements=tuple(_requirements(rules, ranks)),
        validity_days=version.validity_days,
        grace_days=version.grace_days,
        review=ReviewPolicy(version.review),
        refund_policy=RefundPolicy(version.refund_policy),
        withdraw_days=version.withdraw_days,
        growth_spend_weight=_ratio(spend_weight),
        growth_interaction_weight=(version.growth_interaction_weight, 1),
        qualifying_kinds=frozenset(version.qualifying_kinds),
        tenure_counts_suspension=version.tenure_counts_suspension,
    )


def _requirements(stored: list[QualificationRule], ranks: Mapping[int, int]) -> list[Requirement]:
    """Return what is asked for by rank; a tier that the version leaves out has none: refused."""
    groups: dict[tuple[int, str, int | None], dict[int, list[Criterion]]] = {}
    for rule in stored:
        from_rank = None if rule.from_tier_id is None else ranks.get(rule.from_tier_id, NO_RANK)
        key = (ranks.get(rule.tier_id, NO_RANK), rule.purpose, from_rank)
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
        unit=TenureUnit(rule.unit),
        attribute=rule.attribute or None,
        value=rule.value or None,
    )


def _window(kind: WindowKind, rule: QualificationRule) -> Window:
    return Window(kind, rule.window_days) if kind is WindowKind.ROLLING_DAYS else Window(kind)


def _ratio(value: Fraction) -> tuple[int, int]:
    return value.numerator, value.denominator
