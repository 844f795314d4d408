"""Parts that the presets share."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from rewards.presets.shape import KindPreset, RulePreset, Threshold

QUALIFYING_KINDS: Final = ("survey", "review", "referral", "event_attended", "product_test")
BEHAVIOUR_KEPT_DAYS: Final = 180

KINDS: Final = (
    KindPreset("survey", "填写问卷", "Survey answered"),
    KindPreset("review", "发表评价", "Review written"),
    KindPreset("referral", "推荐好友", "Referral"),
    KindPreset("event_attended", "参加会员活动", "Event attended"),
    KindPreset("product_test", "产品试用", "Product tested"),
    KindPreset("check_in", "每日签到", "Check-in"),
    KindPreset("share", "分享", "Share"),
    KindPreset("page_view", "浏览页面", "Page viewed", True, BEHAVIOUR_KEPT_DAYS),
    KindPreset("product_view", "浏览商品", "Product viewed", True, BEHAVIOUR_KEPT_DAYS),
    KindPreset("search", "搜索", "Search", True, BEHAVIOUR_KEPT_DAYS),
    KindPreset("app_open", "打开应用", "App opened", True, BEHAVIOUR_KEPT_DAYS),
)

BASE_RULE: Final = RulePreset(
    "base", "基础积分", "Base points", {"effect": "per_amount", "priority": 10}
)
TIER_RULE: Final = RulePreset(
    "tier",
    "等级加成",
    "Tier bonus",
    {"effect": "multiplier", "factor_source": "tier", "priority": 20},
)

DOUBLE: Final = Decimal(2)
MEMBER_DAY: Final = 8


def birthday_month(*, is_active: bool) -> RulePreset:
    """Return the rule that doubles the base points of orders in the month of the birthday."""
    conditions = {
        "any": [
            {"all": [_equals("member.birthday_month", month), _equals("order.month", month)]}
            for month in range(1, 13)
        ]
    }
    values = {
        "effect": "multiplier", "factor": DOUBLE, "priority": 30, "conditions": conditions,
    }  # fmt: skip
    return RulePreset(
        "birthday_month", "生日月双倍积分", "Double points in the birthday month", values, is_active
    )


def member_day(*, is_active: bool) -> RulePreset:
    """Return the rule that doubles the base points of orders on the monthly member day."""
    values = {
        "effect": "multiplier",
        "factor": DOUBLE,
        "priority": 40,
        "conditions": _equals("order.day", MEMBER_DAY),
    }
    return RulePreset(
        "member_day", "会员日双倍积分", "Double points on member day", values, is_active
    )


def interaction_points(
    rule: RulePreset, kind: str, points: int, cap: tuple[int, str]
) -> RulePreset:
    """Return a rule that gives points for a kind of interaction, up to a cap per period."""
    cap_points, cap_period = cap
    values = {
        "trigger": "interaction", "effect": "fixed", "points": points, "priority": 50,
        "conditions": _equals("interaction.kind", kind),
        "cap_points": cap_points, "cap_period": cap_period,
    }  # fmt: skip
    return RulePreset(rule.code, rule.name_zh, rule.name_en, {**rule.values, **values})


def spend_or_interactions(spend: int, interactions: int) -> tuple[Threshold, ...]:
    """Return two ways to one tier: money spent, or things done."""
    return (
        Threshold("spend", Decimal(spend)),
        Threshold("interactions", Decimal(interactions)),
    )


def _equals(field: str, value: object) -> Mapping[str, Any]:
    return {"field": field, "op": "eq", "value": value}
