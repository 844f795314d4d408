"""Browsing is kept, told apart when it is repeated, and never earns."""

import pytest
from django.utils import timezone

from config.base import clock
from members.models import Interaction
from rewards.models import Rule, RuleVersion
from rewards.models.rule import RuleEffect, RuleState, RuleTrigger
from tests.api.conftest import Caller, caller, language, programme, till

__all__ = ["caller", "language", "programme", "till"]


@pytest.fixture
def any_interaction_earns(programme: None) -> None:
    """Reward whatever members do, without a condition."""
    rule = Rule.objects.create(code="anything", name_zh="任意互动", name_en="Anything")
    RuleVersion.objects.create(
        rule=rule, number=1, state=RuleState.ACTIVE, trigger=RuleTrigger.INTERACTION,
        effect=RuleEffect.FIXED, points=5, created_at=timezone.now(), created_by="test",
    )  # fmt: skip


@pytest.mark.req("MEM-17")
def test_page_views_are_kept_once_and_earn_nothing(
    till: Caller, any_interaction_earns: None
) -> None:
    made = till.post("/members", {"identifiers": [{"kind": "phone", "value": "13800138000"}]})
    views = [
        {
            "type": "interaction",
            "source": "app",
            "ref": f"v{number}",
            "member": made.body["id"],
            "kind": kind,
            "occurred_at": clock.now().isoformat(),
        }
        for number, kind in enumerate(["page_view", "page_view", "survey"])
    ]
    first = till.post("/facts/batch", {"facts": views})
    again = till.post("/facts/batch", {"facts": views})

    assert [each["points"]["earned"] for each in first.body["results"]] == [0, 0, 5]
    assert [each["replayed"] for each in again.body["results"]] == [True, True, True]
    assert Interaction.objects.count() == 3
    assert till.get(f"/members/{made.body['id']}/points").body["available"] == 5
