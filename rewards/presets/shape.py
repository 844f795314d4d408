"""What a preset says: tiers, earning rules, how points behave, and the coupons that gifts need.

Values have the names that the stored rows have; what is not named has the row's default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from members.services.brand import BrandContent

DEFAULT_BRAND: Final = BrandContent(
    programme_name_zh="会员计划",
    programme_name_en="Member programme",
    points_name_zh="积分",
    points_name_en="points",
    texts={
        "tagline": {"zh": "每一次购物都有回报", "en": "Every purchase gives something back"},
        "terms": {
            "zh": "积分不可兑换现金,不可转让;规则变更将提前公布。",
            "en": "Points cannot be exchanged for cash or transferred; changes of the rules are"
            " published in advance.",
        },
        "support": {
            "zh": "如有疑问,请联系门店或客服。",
            "en": "Questions? Ask in any shop or our customer service.",
        },
    },
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One way to earn or to keep a tier: a metric over the last so many local days.

    Units: money in the programme's currency, otherwise a count.
    """

    metric: str
    threshold: Decimal
    window_days: int = 365


@dataclass(frozen=True, slots=True)
class TierPreset:
    """One tier; any threshold of `entry` earns it, any of `retention` (if given) keeps it."""

    code: str
    name_zh: str
    name_en: str
    multiplier: Decimal = Decimal(1)
    discount_percent: Decimal = Decimal(0)
    entry: tuple[Threshold, ...] = ()
    retention: tuple[Threshold, ...] = ()


@dataclass(frozen=True, slots=True)
class RulePreset:
    """One earning rule; one that is not active is loaded as a draft."""

    code: str
    name_zh: str
    name_en: str
    values: Mapping[str, Any]
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class KindPreset:
    """One kind of interaction; behaviour never earns and is kept for a time only."""

    code: str
    name_zh: str
    name_en: str
    is_behaviour: bool = False
    keep_days: int | None = None


@dataclass(frozen=True, slots=True)
class CouponPreset:
    """One coupon template; what it says stays as it is once a coupon of it was issued."""

    code: str
    name_zh: str
    name_en: str
    values: Mapping[str, Any]
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class BenefitPreset:
    """One benefit, and what each tier (by its code) gives of it per year; None: without limit."""

    code: str
    name_zh: str
    name_en: str
    tiers: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class ItemPreset:
    """One item of a gift: a coupon, a reward or a benefit of this code, so many times or uses."""

    kind: str
    code: str
    quantity: int | None = 1
    valid_days: int | None = None


@dataclass(frozen=True, slots=True)
class GrantPreset:
    """One grant rule: what it follows from, and its items from each threshold on."""

    code: str
    name_zh: str
    name_en: str
    values: Mapping[str, Any]
    steps: tuple[tuple[int, tuple[ItemPreset, ...]], ...]
    tier: str = ""


@dataclass(frozen=True, slots=True)
class NamedPreset:
    """A reward that gifts need: made where it is missing."""

    code: str
    name_zh: str
    name_en: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GiftsPreset:
    """What members get besides points."""

    benefits: tuple[BenefitPreset, ...] = ()
    rewards: tuple[NamedPreset, ...] = ()
    grants: tuple[GrantPreset, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentPreset:
    """A segment: made where it is missing, and the operator's from then on."""

    code: str
    name_zh: str
    name_en: str
    description: str
    conditions: Mapping[str, Any]
    alert_percent: int | None = None


@dataclass(frozen=True, slots=True)
class Preset:
    """A whole programme; the tiers stand in the order of their ranks."""

    code: str
    tiers: tuple[TierPreset, ...]
    ladder: Mapping[str, Any]
    rules: tuple[RulePreset, ...]
    policy: Mapping[str, Any]
    kinds: tuple[KindPreset, ...] = field(default=())
    brand: BrandContent = DEFAULT_BRAND
    coupons: tuple[CouponPreset, ...] = field(default=())
    gifts: GiftsPreset = field(default_factory=GiftsPreset)
    segments: tuple[SegmentPreset, ...] = field(default=())
