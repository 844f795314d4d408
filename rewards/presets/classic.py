"""The default programme: four tiers, one point per unit of currency, available at once."""

from decimal import Decimal
from typing import Final

from rewards.presets import gifts, parts
from rewards.presets.coupons import COUPONS
from rewards.presets.segments import SEGMENTS
from rewards.presets.shape import Preset, TierPreset

TIERS: Final = (
    TierPreset("basic", "普通会员", "Basic"),
    TierPreset(
        "silver", "银卡会员", "Silver", Decimal("1.10"), Decimal(2),
        parts.spend_or_interactions(1_000, 12),
    ),
    TierPreset(
        "gold", "金卡会员", "Gold", Decimal("1.25"), Decimal(5),
        parts.spend_or_interactions(3_000, 36),
    ),
    TierPreset(
        "diamond", "钻石会员", "Diamond", Decimal("1.50"), Decimal(8),
        parts.spend_or_interactions(6_000, 72),
    ),
)  # fmt: skip

PRESET: Final = Preset(
    code="classic",
    tiers=TIERS,
    ladder={"qualifying_kinds": list(parts.QUALIFYING_KINDS), "warning_days": 30},
    rules=(
        parts.BASE_RULE,
        parts.TIER_RULE,
        parts.birthday_month(is_active=False),
        parts.member_day(is_active=False),
        *parts.check_in(is_active=False),
        *parts.share(is_active=False),
    ),
    policy={"expiry": "month_end", "expires_after": 12},
    kinds=parts.KINDS,
    coupons=COUPONS,
    gifts=gifts.GIFTS,
    segments=SEGMENTS,
)
