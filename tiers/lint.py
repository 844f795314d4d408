"""Warnings about a ladder that is allowed, but hardly meant. Source: TIR-06, BEN-04."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from django.utils.translation import gettext as _

from config.base.names import name_of
from tiers import words
from tiers.models import LadderVersion, Purpose, QualificationRule, Tier, TierBenefit, TierTerm


def warnings_of(ladder: LadderVersion) -> list[str]:
    """Return what looks wrong in a version of the ladder, for people."""
    terms = list(ladder.terms.select_related("tier").order_by("tier__rank"))
    rules = list(ladder.rules.select_related("tier").order_by("tier__rank", "id"))
    return warnings(terms, rules)


def warnings(terms: Sequence[TierTerm], rules: Sequence[QualificationRule]) -> list[str]:
    """Return what looks wrong in rows, stored or not, given by rank."""
    return [
        *_identical(terms),
        *_worse(terms),
        *fewer_benefits([term.tier for term in terms], _benefits_in_force()),
        *not_increasing(rules),
        *_unreachable(terms, rules),
    ]


def _identical(terms: Sequence[TierTerm]) -> Iterator[str]:
    for lower, higher in pairwise(terms):
        if (lower.multiplier, lower.discount_percent) == (
            higher.multiplier,
            higher.discount_percent,
        ):
            yield _("%(higher)s is worth no more than %(lower)s.") % {
                "higher": name_of(higher.tier),
                "lower": name_of(lower.tier),
            }


def _worse(terms: Sequence[TierTerm]) -> Iterator[str]:
    """Yield each tier whose discount is below that of the tier under it. Source: BEN-04."""
    for lower, higher in pairwise(terms):
        if higher.discount_percent < lower.discount_percent:
            yield _("%(higher)s has a lower discount than %(lower)s.") % {
                "higher": name_of(higher.tier),
                "lower": name_of(lower.tier),
            }


def fewer_benefits(
    tiers: Sequence[Tier], given: Mapping[int, Mapping[int, TierBenefit]]
) -> Iterator[str]:
    """Yield each benefit that a tier gives and the tier above it does not, or gives less of.

    `given` is by tier and benefit.
    """
    for lower, higher in pairwise(tiers):
        above, below = given.get(higher.pk, {}), given.get(lower.pk, {})
        for benefit in below.values():
            mine = above.get(benefit.benefit_id)
            is_less = mine is None or (
                mine.quota is not None
                and mine.period == benefit.period
                and (benefit.quota is None or mine.quota < benefit.quota)
            )
            if is_less:
                yield _("%(higher)s gives less of %(benefit)s than %(lower)s.") % {
                    "higher": name_of(higher),
                    "lower": name_of(lower),
                    "benefit": name_of(benefit.benefit),
                }


def _benefits_in_force() -> dict[int, dict[int, TierBenefit]]:
    """Return the version of every benefit that has no end, by tier and benefit."""
    found: dict[int, dict[int, TierBenefit]] = {}
    rows = TierBenefit.objects.filter(effective_until=None, benefit__is_active=True)
    for row in rows.select_related("benefit").order_by("benefit__code", "number"):
        found.setdefault(row.tier_id, {})[row.benefit_id] = row
    return found


def not_increasing(rules: Sequence[QualificationRule]) -> Iterator[str]:
    """Yield each single criterion that a higher tier asks no more of than a lower one."""
    alone = [rule for rule in rules if _stands_alone(rule, rules)]
    for lower in alone:
        for higher in alone:
            if (
                higher.tier.rank > lower.tier.rank
                and _measure(higher) == _measure(lower)
                and higher.threshold <= lower.threshold
            ):
                yield _("%(higher)s asks for no more %(metric)s than %(lower)s.") % {
                    "higher": name_of(higher.tier),
                    "lower": name_of(lower.tier),
                    "metric": words.metric(higher.metric),
                }


def _measure(rule: QualificationRule) -> tuple[object, ...]:
    return rule.metric, rule.window, rule.window_days, rule.unit, rule.attribute, rule.value


def _stands_alone(rule: QualificationRule, rules: Sequence[QualificationRule]) -> bool:
    if rule.purpose != Purpose.ENTRY or rule.from_tier_id is not None:
        return False
    same = [r for r in rules if (r.tier_id, r.purpose, r.group) == _group_of(rule)]
    return len(same) == 1


def _group_of(rule: QualificationRule) -> tuple[int, str, int]:
    return rule.tier_id, rule.purpose, rule.group


def _unreachable(terms: Sequence[TierTerm], rules: Sequence[QualificationRule]) -> Iterator[str]:
    entered = {rule.tier_id for rule in rules if rule.purpose == Purpose.ENTRY}
    for term in terms:
        if term.tier.rank and term.tier_id not in entered:
            yield _("Nothing leads to %(tier)s.") % {"tier": name_of(term.tier)}
