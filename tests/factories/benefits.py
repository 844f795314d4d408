"""Benefits and what tiers give of them, for tests."""

from datetime import datetime
from typing import Any

from members.models import Member
from rewards.models import GrantRuleVersion
from tiers import queries
from tiers.models import Benefit, Tier, TierBenefit


def benefit(code: str) -> Benefit:
    """Return the benefit of a code, made if need be."""
    names = {"name_zh": f"权益{code}", "name_en": code}
    return Benefit.objects.get_or_create(code=code, defaults=names)[0]


def gives(tier: str, code: str, quota: int | None = None, **values: Any) -> TierBenefit:
    """Let a tier give a benefit, as its next version."""
    versions = TierBenefit.objects.filter(tier__code=tier, benefit__code=code)
    return TierBenefit.objects.create(
        tier=Tier.objects.get(code=tier), benefit=benefit(code), quota=quota,
        number=versions.count() + 1, **values,
    )  # fmt: skip


def only(*given: tuple[Any, ...]) -> list[TierBenefit]:
    """Let tiers give these benefits and nothing else, and no rule any gift.

    Nobody may have been given any yet.
    """
    TierBenefit.objects.all().delete()
    GrantRuleVersion.objects.update(state="draft")
    return [gives(*each) for each in given]


def left(who: Member, at: datetime) -> dict[str, int | None]:
    """Return what is left of each benefit that the member has."""
    return {each.code: each.left for each in queries.benefits_left([who.pk], at)[who.pk]}
