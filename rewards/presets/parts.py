"""Parts that the presets share."""

from collections.abc import Mapping
from dataclasses import replace
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
SHARE_POINTS: Final = 2
STREAK_BONUS: Final = 10
STREAKS: Final = range(7, 7 * 53, 7)


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
    return replace(rule, values={**rule.values, **values})


def check_in(*, is_active: bool) -> tuple[RulePreset, RulePreset]:
    """Return the rules for the daily check-in, and for every seventh day in a row."""
    daily = RulePreset("check_in", "签到奖励", "Points for check-ins", {}, is_active)
    values = {
        "trigger": "interaction", "effect": "fixed", "points": STREAK_BONUS, "priority": 60,
        "conditions": {
            "all": [
                _equals("interaction.kind", "check_in"),
                {"field": "interaction.streak", "op": "in", "value": list(STREAKS)},
            ]
        },
        "cap_points": STREAK_BONUS, "cap_period": "day",
    }  # fmt: skip
    streak = RulePreset(
        "check_in_streak", "连续签到奖励", "Bonus for days in a row", values, is_active
    )
    return interaction_points(daily, "check_in", 1, (1, "day")), streak


def share(*, is_active: bool) -> tuple[RulePreset, RulePreset]:
    """Return the rules for shares: those that nobody has seen happen count three times a day."""
    rules = (
        RulePreset("share", "分享奖励", "Points for shares", {}, is_active),
        RulePreset("share_verified", "分享奖励(已核实)", "Verified shares", {}, is_active),
    )
    caps = (3 * SHARE_POINTS, 10 * SHARE_POINTS)
    unseen, seen = (
        interaction_points(rule, "share", SHARE_POINTS, (cap, "day"))
        for rule, cap in zip(rules, caps, strict=True)
    )
    return _only(unseen, is_verified=False), _only(seen, is_verified=True)


def _only(rule: RulePreset, *, is_verified: bool) -> RulePreset:
    verified = _equals("interaction.verified", is_verified)
    conditions = {"all": [rule.values["conditions"], verified]}
    return replace(rule, values={**rule.values, "conditions": conditions})


def spend_or_interactions(spend: int, interactions: int) -> tuple[Threshold, ...]:
    """Return two ways to one tier: money spent, or things done."""
    return (
        Threshold("spend", Decimal(spend)),
        Threshold("interactions", Decimal(interactions)),
    )


def _equals(field: str, value: object) -> Mapping[str, Any]:
    return {"field": field, "op": "eq", "value": value}
