"""Load what a preset gives besides points: benefits, and the gifts that follow by themselves.

What has been granted or given keeps its version; a difference makes a new one from now on. Rewards
are made where they are missing and are the operator's from then on.

Source: design §5.5.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import F, Max, Model, Q

from rewards.models import (
    CouponTemplate,
    GiftItem,
    GrantRule,
    GrantRuleVersion,
    GrantStep,
    Reward,
)
from rewards.models.rule import RuleState
from rewards.presets.shape import (
    BenefitPreset,
    GiftsPreset,
    GrantPreset,
    ItemPreset,
    NamedPreset,
)
from tiers.models import Benefit, Entitlement, Tier, TierBenefit

ACTOR: Final = "system"
_COMPARED: Final = (
    "trigger", "conditions", "tier_id", "years", "repeat", "step_mode", "step_window",
    "step_metric",
)  # fmt: skip

Note = Callable[[str], None]


def load(preset: GiftsPreset, *, at: datetime, effective_from: datetime | None, note: Note) -> None:
    """Make benefits and grant rules what the preset says; a second time changes nothing."""
    tiers = {tier.code: tier for tier in Tier.objects.all()}
    for benefit in preset.benefits:
        _load_benefit(benefit, tiers, at, effective_from, note)
    _make_missing(Reward, preset.rewards, note)
    for grant in preset.grants:
        _load_grant(grant, tiers, at, effective_from, note)
    _end_rules_of_other_presets(preset, at, note)


def _load_benefit(
    preset: BenefitPreset,
    tiers: dict[str, Tier],
    at: datetime,
    effective_from: datetime | None,
    note: Note,
) -> None:
    names = {"name_zh": preset.name_zh, "name_en": preset.name_en}
    benefit, is_new = Benefit.objects.get_or_create(code=preset.code, defaults=names)
    if is_new:
        note(f"benefit:{preset.code}")
    elif (benefit.name_zh, benefit.name_en) != (preset.name_zh, preset.name_en):
        Benefit.objects.filter(pk=benefit.pk).update(**names)
        note(f"benefit:{preset.code}")
    for code, quota in preset.tiers.items():
        _load_terms(tiers[code], benefit, quota, at, effective_from, note)


def _load_terms(
    tier: Tier,
    benefit: Benefit,
    quota: int | None,
    at: datetime,
    effective_from: datetime | None,
    note: Note,
) -> None:
    versions = TierBenefit.objects.filter(tier=tier, benefit=benefit)
    running = versions.filter(Q(effective_until=None) | Q(effective_until__gt=at))
    current = running.order_by(F("effective_from").desc(nulls_last=True)).first()
    if current is not None and current.quota == quota:
        return
    number = (versions.aggregate(last=Max("number"))["last"] or 0) + 1
    if current is not None:
        if effective_from is None and not Entitlement.objects.filter(terms=current).exists():
            current.delete()
        else:
            effective_from = at
            current.effective_until = at
            current.save(update_fields=["effective_until"])
    TierBenefit.objects.create(
        tier=tier, benefit=benefit, number=number, quota=quota, effective_from=effective_from
    )
    note(f"tier_benefit:{tier.code}:{benefit.code}:{number}")


def _make_missing(
    model: type[CouponTemplate] | type[Reward], presets: Iterable[NamedPreset], note: Note
) -> None:
    known = set(model._default_manager.values_list("code", flat=True))
    for preset in presets:
        if preset.code not in known:
            model._default_manager.create(
                code=preset.code, name_zh=preset.name_zh, name_en=preset.name_en, **preset.values
            )
            note(f"{model._meta.model_name}:{preset.code}")


def _load_grant(
    preset: GrantPreset,
    tiers: dict[str, Tier],
    at: datetime,
    effective_from: datetime | None,
    note: Note,
) -> None:
    rule, _created = GrantRule.objects.get_or_create(
        code=preset.code, defaults={"name_zh": preset.name_zh, "name_en": preset.name_en}
    )
    wanted = GrantRuleVersion(
        rule=rule, state=RuleState.ACTIVE, tier=tiers[preset.tier] if preset.tier else None,
        valid_from=effective_from, created_at=at, created_by=ACTOR, **preset.values,
    )  # fmt: skip
    running = _running(rule, at)
    if running is not None:
        if _content(running) == _content(wanted) and _steps_of(running) == _wanted(preset):
            return
        _end(running, at, note, is_unused=effective_from is None)
    wanted.number = (rule.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    wanted.save(force_insert=True)
    for threshold, items in preset.steps:
        step = GrantStep.objects.create(version=wanted, threshold=threshold)
        for item in items:
            _make_item(step, item)
    note(f"grant_rule:{preset.code}:{wanted.number}")


def _make_item(step: GrantStep, item: ItemPreset) -> None:
    models: dict[str, tuple[str, type[Model]]] = {
        "coupon": ("coupon_template", CouponTemplate),
        "reward": ("reward", Reward),
        "benefit": ("benefit", Benefit),
    }
    name, model = models[item.kind]
    GiftItem.objects.create(
        step=step, kind=item.kind, quantity=item.quantity, valid_days=item.valid_days,
        **{name: model._default_manager.get(code=item.code)},
    )  # fmt: skip


def _running(rule: GrantRule, at: datetime) -> GrantRuleVersion | None:
    active = rule.versions.filter(state=RuleState.ACTIVE)
    open_ended = active.filter(Q(valid_until=None) | Q(valid_until__gt=at))
    return open_ended.order_by(F("valid_from").asc(nulls_first=True)).first()


def _content(version: GrantRuleVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in _COMPARED}


_Steps = list[tuple[Decimal, list[tuple[str, str, int | None, int | None]]]]


def _steps_of(version: GrantRuleVersion) -> _Steps:
    found: _Steps = []
    for step in version.steps.prefetch_related("items").order_by("threshold"):
        items = step.items.select_related("coupon_template", "reward", "benefit").order_by("id")
        told = [(i.kind, _code_of(i), i.quantity, i.valid_days) for i in items]
        found.append((step.threshold, told))
    return found


def _code_of(item: GiftItem) -> str:
    named = item.coupon_template or item.reward or item.benefit
    return "" if named is None else named.code


def _wanted(preset: GrantPreset) -> _Steps:
    return [
        (Decimal(threshold), [(i.kind, i.code, i.quantity, i.valid_days) for i in items])
        for threshold, items in preset.steps
    ]


def _end_rules_of_other_presets(preset: GiftsPreset, at: datetime, note: Note) -> None:
    mine = [grant.code for grant in preset.grants]
    for rule in GrantRule.objects.exclude(code__in=mine):
        running = _running(rule, at)
        if running is not None and running.created_by == ACTOR:
            _end(running, at, note, is_unused=False)


def _end(version: GrantRuleVersion, at: datetime, note: Note, *, is_unused: bool) -> None:
    """Take a version out of force: it goes where nothing was given by it, else it ends now."""
    if is_unused and not version.grants.exists():
        GiftItem.objects.filter(step__version=version).delete()
        version.steps.all().delete()
        version.delete()
    else:
        version.valid_until = at
        version.save(update_fields=["valid_until"])
    note(f"grant_rule:{version.rule.code}:{version.number}:ended")
