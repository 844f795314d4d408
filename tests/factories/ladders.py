"""Ladders as they are stored, written in a few words."""

from datetime import datetime
from typing import Any

from rewards.presets import parts
from tiers.models import LadderVersion, QualificationRule, Tier, TierTerm

CODES = ("basic", "silver", "gold", "diamond")
MULTIPLIERS = {"basic": "1.00", "silver": "1.10", "gold": "1.25", "diamond": "1.50"}
Way = dict[str, Any]


def way(metric: str, threshold: int, window: str = "rolling_days", **values: Any) -> Way:
    """Return one condition; a rolling window is of 365 days if nothing else is said."""
    days = values.pop("window_days", 365 if window == "rolling_days" else None)
    return {
        "metric": metric, "threshold": threshold, "window": window, "window_days": days, **values,
    }  # fmt: skip


def tenure(length: int, unit: str = "months") -> Way:
    """Return a condition on how long somebody has been a member."""
    return way("tenure", length, "lifetime", unit=unit)


def attribute(name: str, value: str) -> Way:
    """Return a condition on an attribute."""
    return way("attribute", 1, "lifetime", attribute=name, value=value)


def add(
    *, number: int, codes: tuple[str, ...] = CODES, effective_from: datetime | None = None,
    **terms: Any,
) -> LadderVersion:  # fmt: skip
    """Store a version that asks for nothing yet."""
    values = {"qualifying_kinds": list(parts.QUALIFYING_KINDS), **terms}
    version = LadderVersion.objects.create(number=number, effective_from=effective_from, **values)
    for code in codes:
        tier = Tier.objects.get(code=code)
        TierTerm.objects.create(ladder=version, tier=tier, multiplier=MULTIPLIERS[code])
    return version


def replace(**terms: Any) -> LadderVersion:
    """Put a version that asks for nothing yet in the place of all there were."""
    for model in (QualificationRule, TierTerm, LadderVersion):
        model._default_manager.all().delete()
    return add(number=1, **terms)


def ask(version: LadderVersion, code: str, *groups: list[Way], **values: Any) -> None:
    """Let a tier ask for any of these groups, for all conditions of it."""
    from_tier = values.pop("from_tier", None)
    for number, group in enumerate(groups, start=1):
        for condition in group:
            QualificationRule.objects.create(
                ladder=version,
                tier=Tier.objects.get(code=code),
                from_tier=from_tier and Tier.objects.get(code=from_tier),
                group=number,
                **condition,
                **values,
            )
