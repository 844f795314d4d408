"""What a manager should think about before a campaign is sent for review.

Warnings, not refusals. Source: CMP-17.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.domain import effects, triggers
from campaigns.domain.effects import Effect, EffectKind
from campaigns.domain.triggers import Kind
from campaigns.models import CampaignVersion
from campaigns.queries import Preview

WARNINGS: Final[dict[str, Promise]] = {
    "no_condition": _(
        "Everybody is given something and need not do anything for it: name an audience."
    ),
    "no_budget": _("There is no budget: nothing stops it however often it gives."),
    "over_budget": _("Addressing everybody once costs more than the budget holds."),
    "no_end": _("It has no end."),
    "no_holdout": _("Nobody is held out: nobody will be able to tell whether it works."),
    "no_limit": _("One member can be given to as often as it comes."),
    "no_terms": _("It has no published terms."),
    "no_effect": _("It gives nothing and says nothing."),
    "multiplier_unlimited": _("The multiplier has no limit per member, and no budget stops it."),
    "multiplier_over_budget": _(
        "The multiplier can go beyond the budget in points: it ends some minutes after the budget"
        " is used. A limit per member that fits into the budget for everybody keeps it exactly."
    ),
    "nobody": _("Nobody is in the audience now."),
}
# What members do themselves, or what has to be true of them; the rest comes to everybody.
_QUALIFIES: Final = frozenset(
    {Kind.ORDER, Kind.INTERACTION, Kind.SURVEY, Kind.TIER_UP, Kind.TIER_LAPSING, Kind.TIER_LAPSED,
     Kind.SEGMENT_ENTERED, Kind.SEGMENT_LEFT, Kind.LIFECYCLE, Kind.CASE_CLOSED, Kind.DORMANCY,
     Kind.POINTS_EXPIRING, Kind.TENURE}
)  # fmt: skip


def lint(version: CampaignVersion, seen: Preview, at: datetime) -> list[str]:
    """Return the codes of what a version leaves open, in the order of `WARNINGS`."""
    found = set(_found(version, seen))
    return [code for code in WARNINGS if code in found]


def _found(version: CampaignVersion, seen: Preview) -> Iterator[str]:
    parsed = effects.parse(version.effects)
    given = [each for each in parsed if each.is_given]
    multipliers = [each for each in parsed if each.kind is EffectKind.MULTIPLIER]
    if not parsed and not version.messages:
        yield "no_effect"
    if parsed and not version.audience and not _asks_something(version):
        yield "no_condition"
    if given:
        yield from _of_budget(version, seen)
        if version.limit_acts is None:
            yield "no_limit"
    if multipliers:
        yield from _of_multipliers(version, multipliers, seen)
    if version.ends_at is None:
        yield "no_end"
    if not version.holdout_percent:
        yield "no_holdout"
    if not (version.terms_zh or version.terms_en):
        yield "no_terms"
    if not seen.audience:
        yield "nobody"


def _asks_something(version: CampaignVersion) -> bool:
    return triggers.parse(version.trigger).kind in _QUALIFIES


def _of_multipliers(
    version: CampaignVersion, multipliers: Sequence[Effect], seen: Preview
) -> Iterator[str]:
    budget = version.budget_points
    if any(each.cap_points is None for each in multipliers):
        yield "multiplier_unlimited" if budget is None else "multiplier_over_budget"
    elif budget is not None:
        most = sum(each.cap_points or 0 for each in multipliers) * seen.addressed
        if most + seen.cost.points > budget:
            yield "multiplier_over_budget"


def _of_budget(version: CampaignVersion, seen: Preview) -> Iterator[str]:
    limits = (version.budget_points, version.budget_money, version.budget_acts)
    if all(limit is None for limit in limits):
        yield "no_budget"
    costs = (seen.cost.points, seen.cost.money, seen.addressed)
    pairs = zip(limits, costs, strict=True)
    if any(limit is not None and cost > limit for limit, cost in pairs):
        yield "over_budget"
