"""A retailer with a web shop.

Points of web orders wait for the return window, tiers are easier kept than earned, promotions run.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from rewards.presets import classic, gifts, parts
from rewards.presets.coupons import COUPONS
from rewards.presets.segments import SEGMENTS
from rewards.presets.shape import Preset, RulePreset

RETURN_WINDOW_DAYS: Final = {"web": 7, "app": 7, "miniapp": 7}
# Share of the entry thresholds that keeps a tier for another term (保级).
RETENTION_SHARE: Final = Decimal("0.8")

TIERS: Final = tuple(
    replace(
        tier,
        retention=tuple(
            replace(way, threshold=(way.threshold * RETENTION_SHARE).to_integral_value())
            for way in tier.entry
        ),
    )
    for tier in classic.TIERS
)

INTERACTION_RULES: Final = (
    parts.interaction_points(
        RulePreset("review", "评价奖励", "Points for reviews", {}), "review", 20, (200, "month")
    ),
    parts.interaction_points(
        RulePreset("survey", "问卷奖励", "Points for surveys", {}), "survey", 50, (200, "month")
    ),
    *parts.check_in(is_active=True),
    *parts.share(is_active=True),
)

PRESET: Final = Preset(
    code="retail_cn",
    tiers=TIERS,
    ladder=classic.PRESET.ladder,
    rules=(
        parts.BASE_RULE,
        parts.TIER_RULE,
        parts.birthday_month(is_active=True),
        parts.member_day(is_active=True),
        *INTERACTION_RULES,
    ),
    policy={**classic.PRESET.policy, "return_window_days": RETURN_WINDOW_DAYS},
    kinds=parts.KINDS,
    coupons=COUPONS,
    gifts=gifts.GIFTS,
    segments=SEGMENTS,
)
