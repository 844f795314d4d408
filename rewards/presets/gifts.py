"""What the tiers give besides points, and the gifts that follow by themselves.

Basic, advanced, core and exclusive benefits (基础/进阶/核心/尊享权益): each tier has those below it
too.
"""

from typing import Final

from rewards.presets.shape import (
    BenefitPreset,
    GiftsPreset,
    GrantPreset,
    ItemPreset,
    NamedPreset,
)

YEAR_DAYS: Final = 365

BASIC: Final = dict.fromkeys(("basic", "silver", "gold", "diamond"))
SILVER: Final = dict.fromkeys(("silver", "gold", "diamond"))
GOLD: Final = dict.fromkeys(("gold", "diamond"))
DIAMOND: Final = dict.fromkeys(("diamond",))

BENEFITS: Final = (
    BenefitPreset("points_redemption", "积分兑换", "Points redemption", BASIC),
    BenefitPreset("birthday_gift", "生日礼", "Birthday gift", BASIC),
    BenefitPreset("purchase_reminder", "消费提醒", "Purchase reminders", BASIC),
    BenefitPreset("easy_returns", "退换货便利", "Easy returns", BASIC),
    BenefitPreset("expert_advice", "专业咨询", "Expert advice", BASIC),
    BenefitPreset("priority_service", "优先售后", "Priority after-sales service", SILVER),
    BenefitPreset("event_invitation", "专属活动邀请", "Invitations to member events", SILVER),
    BenefitPreset("value_added_services", "免费增值服务", "Complimentary services", GOLD),
    BenefitPreset("dedicated_agent", "专属客服", "Dedicated agent", GOLD),
    BenefitPreset("bespoke_service", "定制化服务", "Bespoke service", DIAMOND),
    BenefitPreset("co_creation", "品牌共创资格", "Co-creation with the brand", DIAMOND),
    BenefitPreset(
        "priority_access", "稀缺资源优先获取", "Priority access to scarce goods", DIAMOND
    ),
    BenefitPreset("early_access", "新品优先体验", "Early access to new products", DIAMOND),
    BenefitPreset("free_delivery", "免费送货上门", "Free home delivery", DIAMOND),
    BenefitPreset("gift_wrap", "免费包装", "Free gift wrapping", {}),
)


REWARDS: Final = (
    NamedPreset(
        "tenure_3", "三周年纪念礼", "Third anniversary keepsake",
        {"kind": "goods", "is_listed": False, "tracks_stock": False, "needs_address": True},
    ),
)  # fmt: skip


def _uses(code: str, quantity: int | None) -> ItemPreset:
    return ItemPreset("benefit", code, quantity, YEAR_DAYS)


def _upgrade(tier: str, zh: str, en: str, coupon: str, *items: ItemPreset) -> GrantPreset:
    return GrantPreset(
        f"upgrade_{tier}", f"{zh}升级礼包", f"{en} tier-up gift pack",
        {"trigger": "tier_entered", "repeat": "once"},
        ((0, (ItemPreset("coupon", coupon), *items)),),
        tier,
    )  # fmt: skip


# The steps of birthdays go by the rank of the tier.
GRANTS: Final = (
    _upgrade("silver", "银卡", "Silver", "upgrade_silver_10", _uses("free_delivery", 2)),
    _upgrade(
        "gold", "金卡", "Gold", "upgrade_gold_30",
        _uses("free_delivery", 6), _uses("gift_wrap", 12),
    ),
    _upgrade(
        "diamond", "钻石", "Diamond", "upgrade_diamond_100",
        _uses("free_delivery", None), _uses("early_access", None),
        _uses("dedicated_agent", None), _uses("co_creation", None),
    ),
    GrantPreset(
        "birthday", "生日礼", "Birthday gift", {"trigger": "birthday", "repeat": "year"},
        tuple(
            (rank, (ItemPreset("coupon", f"birthday_{amount}"),))
            for rank, amount in enumerate((20, 30, 50, 100))
        ),
    ),
    GrantPreset(
        "tenure_3", "三周年礼", "Gift for three years of membership",
        {"trigger": "tenure", "repeat": "once", "years": [3]},
        ((0, (ItemPreset("reward", "tenure_3"),)),),
    ),
)  # fmt: skip

GIFTS: Final = GiftsPreset(BENEFITS, REWARDS, GRANTS)
