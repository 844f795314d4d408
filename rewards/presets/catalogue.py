"""A small catalogue to begin with: one reward of most kinds, with what is in stock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class TemplatePreset:
    """A coupon template that rewards of the catalogue are made of."""

    code: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RewardPreset:
    """One reward; `pieces` of it come into stock, or so many seats of its first date."""

    code: str
    kind: str
    name_zh: str
    name_en: str
    points: int
    pieces: int | None = None
    template: str | None = None
    days_ahead: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


TEMPLATES: Final = (
    TemplatePreset(
        "reward_10",
        {
            "name_zh": "10元优惠券", "name_en": "10 off", "kind": "amount", "amount": Decimal(10),
            "expires_after_days": 90,
        },
    ),
)  # fmt: skip

_DELIVERED: Final = {"needs_address": True, "low_stock_at": 20, "cover_days": 14}

REWARDS: Final = (
    RewardPreset(
        "member_mug", "goods", "会员马克杯", "Member mug", 300, 200,
        values={**_DELIVERED, "cost": Decimal(12), "market_value": Decimal(39)},
    ),
    RewardPreset(
        "tote_bag", "goods", "帆布袋", "Tote bag", 500, 150,
        values={**_DELIVERED, "cost": Decimal(18), "market_value": Decimal(59)},
    ),
    RewardPreset(
        "coupon_10", "coupon", "10元优惠券", "Coupon: 10 off", 1_000, template="reward_10",
        values={"cost": Decimal(10), "market_value": Decimal(10)},
    ),
    RewardPreset(
        "tea_tasting", "experience", "品茶体验课", "Tea tasting", 2_000, 12, days_ahead=30,
        values={"cost": Decimal(60), "market_value": Decimal(168)},
    ),
    RewardPreset(
        "charity_100", "donation", "公益捐赠(100积分)", "Donation (100 points)", 100,
        values={"description_zh": "每100积分由商家捐出1元,用于公益助学。",
                "description_en": "The retailer gives 1.00 to a school charity for 100 points."},
    ),
    RewardPreset(
        "trial_pack", "goods", "新品试用装", "New product sample", 0, 100,
        values={**_DELIVERED, "member_limit": 1, "cost": Decimal(5)},
    ),
)  # fmt: skip
