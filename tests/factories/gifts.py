"""Grant rules and what they give, for tests."""

from datetime import datetime
from typing import Any

from rewards.models import GiftItem, GrantRule, GrantRuleVersion, GrantStep
from tests.engine.shop import day
from tests.factories.benefits import benefit
from tiers.models import Tier


def points(count: int) -> dict[str, Any]:
    """Return an item of points."""
    return {"kind": "points", "quantity": count}


def uses(code: str, quantity: int | None = 1, **values: Any) -> dict[str, Any]:
    """Return an item of uses of a benefit."""
    return {"kind": "benefit", "benefit": code, "quantity": quantity, **values}


def rule(
    code: str,
    trigger: str,
    *steps: tuple[int, list[dict[str, Any]]],
    made_at: datetime | None = None,
    tier: str = "",
    **values: Any,
) -> GrantRuleVersion:
    """Make an active grant rule that gives, from each threshold on, some items."""
    made, _ = GrantRule.objects.get_or_create(
        code=code, defaults={"name_zh": code, "name_en": code}
    )
    version = GrantRuleVersion.objects.create(
        rule=made, number=made.versions.count() + 1, state="active", trigger=trigger,
        tier=Tier.objects.get(code=tier) if tier else None, created_at=made_at or day(0),
        created_by="staff:ann", **values,
    )  # fmt: skip
    for threshold, items in steps:
        step = GrantStep.objects.create(version=version, threshold=threshold)
        for item in items:
            named = {"benefit": benefit(item["benefit"])} if "benefit" in item else {}
            GiftItem.objects.create(step=step, **{**item, **named})
    return version
