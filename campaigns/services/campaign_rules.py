"""The multipliers of a campaign as earning rules, in force for its segment while it runs.

Source: CMP-16, PTS-06, PTS-08.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns.domain import effects
from campaigns.domain.effects import Effect, EffectError, EffectKind
from campaigns.models import Campaign, CampaignVersion
from rewards.models import Rule, RuleVersion
from rewards.models.rule import CapPeriod, GroupMode, RuleEffect, RuleState, RuleTrigger
from rewards.services import campaign_rules as rules
from rewards.services.campaign_rules import CampaignRule
from rewards.services.programme import rule_spec
from rewards.services.rule_drafts import RuleNames

MONTHS = range(1, 13)


def begin(campaign: Campaign, version: CampaignVersion, *, actor: str, at: datetime) -> None:
    """Put the multipliers of a version in force, and let those of others end.

    Raises: RuleDraftError, ConditionError, RuleError.
    """
    wanted = of_version(campaign, version, at)
    end(campaign, at=at)
    rules.begin(wanted=wanted, actor=actor, at=at)


def end(campaign: Campaign, *, at: datetime) -> int:
    """Let the multipliers of a campaign end; returns how many were in force."""
    return rules.end(codes=codes_of(campaign), at=at)


def codes_of(campaign: Campaign) -> list[str]:
    """Return the codes of all rules that a campaign has ever written."""
    rows = Rule.objects.filter(code__startswith=f"c-{campaign.code}-")
    return sorted(code for code in rows.values_list("code", flat=True) if _is_own(campaign, code))


def ids_of(campaign: Campaign) -> list[int]:
    """Return the ids of all rules that a campaign has ever written."""
    return list(Rule.objects.filter(code__in=codes_of(campaign)).values_list("pk", flat=True))


def _is_own(campaign: Campaign, code: str) -> bool:
    return code.removeprefix(f"c-{campaign.code}-").isdigit()


def check(campaign: Campaign, version: CampaignVersion, at: datetime) -> None:
    """Refuse multipliers that could not be in force.

    Raises: EffectError, ConditionError, RuleError.
    """
    for each in of_version(campaign, version, at):
        rule = Rule(code=each.code, name_zh=each.names.zh, name_en=each.names.en)
        rule_spec(RuleVersion(rule=rule, number=1, state=RuleState.DRAFT, **each.terms))


def of_version(campaign: Campaign, version: CampaignVersion, at: datetime) -> list[CampaignRule]:
    """Return the rules that the multipliers of a version make.

    Raises: EffectError where a multiplier is for some variants only: rules know no variants.
    """
    multipliers = [
        each for each in effects.parse(version.effects) if each.kind is EffectKind.MULTIPLIER
    ]
    if any(each.variants for each in multipliers):
        message = _("A multiplier is for the whole audience: it cannot be for some variants only.")
        raise EffectError("variants", message)
    if not multipliers:
        return []
    base = _base(at)
    names = RuleNames(campaign.name_zh, campaign.name_en or campaign.name_zh)
    return [
        CampaignRule(f"c-{campaign.code}-{number}", names, _terms(campaign, version, effect, base))
        for number, effect in enumerate(multipliers, start=1)
    ]


def _terms(
    campaign: Campaign, version: CampaignVersion, effect: Effect, base: tuple[int, Decimal]
) -> dict[str, Any]:
    tests: list[Any] = [_test("member.segments", "contains", campaign.segment_code)]
    if effect.birthday_month:
        tests.append({"any": [_birthday(month) for month in MONTHS]})
    if effect.conditions:
        tests.append(dict(effect.conditions))
    return {
        "trigger": RuleTrigger.ORDER, "effect": RuleEffect.MULTIPLIER, "factor": effect.factor,
        "points": base[0], "per_amount": base[1], "conditions": {"all": tests},
        "line_conditions": effect.line_conditions and dict(effect.line_conditions),
        "max_points": effect.max_points, "cap_points": effect.cap_points,
        "cap_period": CapPeriod.LIFETIME if effect.cap_points else "",
        "group": version.group, "priority": version.priority,
        "group_mode": GroupMode.FIRST if version.group else GroupMode.ADD,
        "valid_from": version.starts_at, "valid_until": version.ends_at,
    }  # fmt: skip


def _base(at: datetime) -> tuple[int, Decimal]:
    """Return the base points that are multiplied: so many for each amount."""
    rows = RuleVersion.objects.filter(
        state=RuleState.ACTIVE, trigger=RuleTrigger.ORDER, effect=RuleEffect.PER_AMOUNT
    )
    for row in rows.order_by("priority", "pk"):
        has_begun = row.valid_from is None or row.valid_from <= at
        if has_begun and (row.valid_until is None or at < row.valid_until):
            return row.points, row.per_amount
    return 1, Decimal(1)


def _test(field: str, op: str, value: object) -> dict[str, object]:
    return {"field": field, "op": op, "value": value}


def _birthday(month: int) -> dict[str, Sequence[object]]:
    return {"all": [_test("member.birthday_month", "eq", month), _test("order.month", "eq", month)]}
