"""Refusals of a ladder that contradicts itself, each with a stable code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from tiers.domain.windows import WindowKind

if TYPE_CHECKING:
    from tiers.domain.ladder import Criterion, Ladder, Requirement


LONGEST_DAYS = 36_525


class LadderError(DomainError):
    """A ladder, or the list of its versions, that cannot be used; ``details`` say where."""

    def __init__(self, code: str, **details: Any) -> None:
        """Give the code its sentence."""
        super().__init__(code, MESSAGES[code], **details)


MESSAGES = {
    "no_version": _("There is no version of the ladder."),
    "duplicate_version": _("Two versions of the ladder have the same number."),
    "duplicate_effective_from": _("Two versions of the ladder take effect at the same time."),
    "no_tier": _("The ladder has no tier."),
    "ranks_not_dense": _("The ranks of the tiers must be 0, 1, 2 … in this order."),
    "duplicate_tier_code": _("Two tiers have the same code."),
    "multiplier_below_one": _("A points multiplier is at least 1."),
    "version_negative": _("A version number is at least 0."),
    "validity_too_short": _("A tier is valid for at least one day."),
    "days_negative": _("A number of days cannot be negative."),
    "growth_weight_invalid": _("A growth weight cannot be negative."),
    "lowest_rank_has_requirement": _("The lowest tier is everyone's and asks for nothing."),
    "unknown_rank": _("A qualification rule names a tier that the ladder does not have."),
    "retention_from_rank": _("A retention rule applies to its own tier only."),
    "from_rank_not_below": _("An entry rule may only be limited to a lower tier."),
    "duplicate_requirement": _("A tier has two sets of rules for the same purpose."),
    "empty_group": _("A group of qualification rules is empty."),
    "duplicate_criterion": _("A group has the same qualification rule twice."),
    "threshold_below_one": _("A threshold is at least 1."),
    "window_days_invalid": _("Only rolling windows have a number of days, at least 1."),
    "period_too_long": _("A window or a tenure is at most a hundred years."),
    "attribute_invalid": _("Attribute and value belong to attribute rules, and only there."),
}


def check_ladder(ladder: Ladder) -> None:
    """Refuse a ladder that contradicts itself.

    Raises: LadderError with the first thing that is wrong.
    """
    _check_tiers(ladder)
    _check_terms(ladder)
    seen: set[tuple[int, str, int | None]] = set()
    for requirement in ladder.requirements:
        _check_requirement(requirement, len(ladder.tiers))
        key = (requirement.rank, requirement.purpose, requirement.from_rank)
        if key in seen:
            raise LadderError("duplicate_requirement", rank=key[0], purpose=key[1])
        seen.add(key)


def ordered_versions(versions: Iterable[Ladder]) -> list[Ladder]:
    """Return the versions by the instant they come into force.

    Raises: LadderError when there is none, or two share a number or an instant.
    """
    given = list(versions)
    if not given:
        raise LadderError("no_version")
    if len({v.version for v in given}) < len(given):
        raise LadderError("duplicate_version")
    if len({v.effective_from for v in given}) < len(given):
        raise LadderError("duplicate_effective_from")
    first = [v for v in given if v.effective_from is None]
    dated = ((v.effective_from, v) for v in given if v.effective_from is not None)
    return first + [version for __, version in sorted(dated, key=lambda pair: pair[0])]


def _check_tiers(ladder: Ladder) -> None:
    if not ladder.tiers:
        raise LadderError("no_tier")
    if [tier.rank for tier in ladder.tiers] != list(range(len(ladder.tiers))):
        raise LadderError("ranks_not_dense")
    if len({tier.code for tier in ladder.tiers}) < len(ladder.tiers):
        raise LadderError("duplicate_tier_code")
    for tier in ladder.tiers:
        if tier.multiplier[0] < tier.multiplier[1] or tier.multiplier[1] < 1:
            raise LadderError("multiplier_below_one", tier=tier.code)


def _check_terms(ladder: Ladder) -> None:
    if ladder.version < 0:
        raise LadderError("version_negative")
    if ladder.validity_days < 1:
        raise LadderError("validity_too_short", days=ladder.validity_days)
    if ladder.grace_days < 0 or ladder.withdraw_days < 0:
        raise LadderError("days_negative")
    for weight in (ladder.growth_spend_weight, ladder.growth_interaction_weight):
        if weight[0] < 0 or weight[1] < 1:
            raise LadderError("growth_weight_invalid", weight=list(weight))


def _check_requirement(requirement: Requirement, tiers: int) -> None:
    rank = requirement.rank
    if not 0 < rank < tiers:
        code = "lowest_rank_has_requirement" if rank == 0 else "unknown_rank"
        raise LadderError(code, rank=rank)
    if requirement.from_rank is not None:
        if requirement.purpose == "retention":
            raise LadderError("retention_from_rank", rank=rank)
        if not 0 <= requirement.from_rank < rank:
            raise LadderError("from_rank_not_below", rank=rank, from_rank=requirement.from_rank)
    if not requirement.groups or not all(requirement.groups):
        raise LadderError("empty_group", rank=rank)
    for group in requirement.groups:
        for code in _faults(group):
            raise LadderError(code, rank=rank)


def _faults(group: tuple[Criterion, ...]) -> Iterator[str]:
    if len(set(group)) < len(group):
        yield "duplicate_criterion"
    for criterion in group:
        if criterion.threshold < 1:
            yield "threshold_below_one"
        days = criterion.window.days
        is_rolling = criterion.window.kind is WindowKind.ROLLING_DAYS
        if is_rolling != (days is not None) or (days is not None and days < 1):
            yield "window_days_invalid"
        length = _tenure_days(criterion)
        if max(days or 0, length) > LONGEST_DAYS:
            yield "period_too_long"
        is_attribute = criterion.metric == "attribute"
        if is_attribute != (criterion.attribute is not None):
            yield "attribute_invalid"
        if is_attribute != (criterion.value is not None):
            yield "attribute_invalid"


def _tenure_days(criterion: Criterion) -> int:
    if criterion.metric != "tenure":
        return 0
    return criterion.threshold * (1 if criterion.unit == "days" else 30)
