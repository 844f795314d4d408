"""The automations that every installation brings along, as a table.

From it anybody can compute who is told what, and when.

Pure. Source: ENG-11, ENG-12, ENG-13, ENG-14, ENG-18, ENG-26, BEN-03, PTS-07, CMP-03.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from campaigns.domain import triggers
from campaigns.domain.triggers import Trigger

MARKETING, SERVICE = "marketing", "service"
CHANNELS: Final = ("wechat", "push", "sms", "email", "inbox")
MORNING, GREETING, STATEMENT = 10, 9, 10
UNTIL_NIGHT: Final = 13
"""Hours in which a greeting of 9 o'clock is still one of that day: until 22 o'clock."""


@dataclass(frozen=True, slots=True)
class Automation:
    """One automation: its names, trigger, message (by its template's code) and effects.

    Without a message it only gives; `title` and `text` are the template's, by language.
    """

    code: str
    name_zh: str
    name_en: str
    trigger: Mapping[str, Any]
    purpose: str = MARKETING
    title: Mapping[str, str] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)
    effects: Sequence[Mapping[str, Any]] = ()

    @property
    def campaign_code(self) -> str:
        """Return the code of its campaign."""
        return f"auto-{self.code}"

    @property
    def template(self) -> str:
        """Return the code of its message template; empty where it says nothing."""
        return self.campaign_code if self.text else ""

    @property
    def parsed(self) -> Trigger:
        """Return its trigger."""
        return triggers.parse(self.trigger)


def _says(title_zh: str, text_zh: str, title_en: str, text_en: str) -> dict[str, Any]:
    return {
        "title": {"zh": title_zh, "en": title_en},
        "text": {"zh": text_zh, "en": text_en},
    }


def _expiry(days: int, stale_hours: int) -> Automation:
    return Automation(
        f"points-expiring-{days}", f"积分到期前{days}天提醒",
        f"{days}-day notice of expiring points",
        {"kind": "points_expiring", "days": days, "hour": MORNING, "stale_hours": stale_hours},
        SERVICE,
        **_says(
            "积分即将到期",
            "您有{{ points.expiring.points }}积分有效期至{{ points.expiring.on }}。"
            "可用积分{{ points.available }}，现在可兑换：{{ reward.best }}。",
            "Your points are about to expire",
            "{{ points.expiring.points }} of your points are valid until"
            " {{ points.expiring.on }}. Your {{ points.available }} points buy:"
            " {{ reward.best }}.",
        ),
    )  # fmt: skip


def _festival(code: str, festival: str, name_zh: str, name_en: str) -> Automation:
    return Automation(
        f"festival-{code}", f"{name_zh}祝福", f"Greetings for {name_en}",
        {"kind": "festival", "festival": festival, "hour": GREETING, "stale_hours": UNTIL_NIGHT},
        **_says(
            f"{name_zh}快乐", "{{ member.name }}，" f"祝您{name_zh}快乐！",
            f"Best wishes for {name_en}", "{{ member.name }}, " f"our best wishes for {name_en}!",
        ),
    )  # fmt: skip


def _win_back(days: int, zh: str, en: str) -> Automation:
    return Automation(
        f"win-back-{days}", f"沉睡{days}天召回", f"Win-back after {days} days",
        {"kind": "dormancy", "days": days, "hour": MORNING, "cooldown_days": 30},
        **_says(
            "好久不见", f"{{{{ member.name }}}}，{zh}",
            "We have missed you", f"{{{{ member.name }}}}, {en}",
        ),
    )  # fmt: skip


def _welcome() -> tuple[Automation, ...]:
    enrolled = {"kind": "enrolment"}
    first = {"kind": "order", "nth": 1}
    until_order = {"hour": MORNING, "stop_if": "purchase"}
    return (
        Automation(
            "welcome-0", "入会欢迎", "Welcome", enrolled,
            **_says(
                "欢迎入会", "{{ member.name }}，欢迎加入{{ programme.name }}！",
                "Welcome", "{{ member.name }}, welcome to {{ programme.name }}!",
            ),
        ),
        Automation(
            "welcome-3", "入会第3天未消费提醒", "Three days without an order",
            {**enrolled, "delay_days": 3, **until_order},
            **_says(
                "您的首单礼遇在等您", "{{ member.name }}，首次消费即可开始累积积分。",
                "Your first order", "{{ member.name }}, your first order earns your first points.",
            ),
        ),
        Automation(
            "welcome-7", "入会第7天未消费提醒", "Seven days without an order",
            {**enrolled, "delay_days": 7, **until_order},
            **_says(
                "会员权益提醒", "{{ member.name }}，您的会员权益已生效，欢迎随时选购。",
                "Your benefits", "{{ member.name }}, your benefits wait for your first order.",
            ),
        ),
        Automation(
            "first-order", "首单感谢", "After the first order",
            {**first, "delay_days": 1, **until_order},
            **_says(
                "感谢您的首次购买", "{{ member.name }}，谢谢惠顾，已有{{ points.available }}积分。",
                "Thank you for your first order",
                "{{ member.name }}, thank you for your first order: you have"
                " {{ points.available }} points.",
            ),
        ),
        Automation(
            "second-order", "第二单邀请", "Invitation to a second order",
            {**first, "delay_days": 14, **until_order},
            **_says(
                "期待您再次光临", "{{ member.name }}，再次购买，离下一等级更近一步。",
                "Come again", "{{ member.name }}, a second order brings the next tier closer.",
            ),
        ),
    )  # fmt: skip


def _relation() -> tuple[Automation, ...]:
    return (
        Automation(
            "points-reminder", "消费积分提醒", "Points of an order", {"kind": "order"}, SERVICE,
            **_says(
                "积分到账",
                "本次消费获得{{ order.points }}积分，可用积分{{ points.available }}。",
                "Points for your order",
                "Your order earned {{ order.points }} points; you have"
                " {{ points.available }} points.",
            ),
        ),
        _expiry(30, 72), _expiry(7, 72), _expiry(1, 36),
        Automation(
            "birthday", "生日祝福", "Birthday greeting",
            {"kind": "birthday", "hour": GREETING, "stale_hours": UNTIL_NIGHT},
            **_says(
                "生日快乐", "{{ member.name }}，祝您生日快乐！",
                "Happy birthday", "{{ member.name }}, happy birthday to you!",
            ),
        ),
        _festival("new-year", "new_year", "元旦", "the New Year"),
        _festival("spring", "spring_festival", "春节", "the Lunar New Year"),
        _festival("dragon-boat", "dragon_boat", "端午节", "the Dragon Boat Festival"),
        _festival("mid-autumn", "mid_autumn", "中秋节", "the Mid-Autumn Festival"),
        _festival("national-day", "national_day", "国庆节", "National Day"),
        Automation(
            "purchase-anniversary", "首次消费周年", "Anniversary of the first purchase",
            {"kind": "first_purchase", "hour": MORNING, "stale_hours": 48},
            **_says(
                "感谢一路相伴", "{{ member.name }}，今天是您首次消费的周年纪念日，感谢一路相伴。",
                "An anniversary",
                "{{ member.name }}, on this day you bought from us for the first time: thank you.",
            ),
        ),
        Automation(
            "membership-anniversary", "入会周年", "Anniversary of the enrolment",
            {"kind": "membership", "hour": MORNING, "stale_hours": 48},
            **_says(
                "入会周年快乐", "{{ member.name }}，今天是您的入会周年纪念日，感谢支持。",
                "Your membership anniversary",
                "{{ member.name }}, on this day you became a member: thank you.",
            ),
        ),
    )  # fmt: skip


def _standing() -> tuple[Automation, ...]:
    return (
        Automation(
            "tier-up", "升级祝贺", "Congratulations on a new tier", {"kind": "tier_up"}, SERVICE,
            **_says(
                "恭喜升级", "恭喜您成为{{ member.tier }}会员，有效期至{{ member.tier_until }}。",
                "A new tier",
                "Congratulations: your tier is now {{ member.tier }}, until"
                " {{ member.tier_until }}.",
            ),
        ),
        Automation(
            "tier-lapsing", "保级提醒", "A tier is about to lapse",
            {"kind": "tier_lapsing", "hour": MORNING}, SERVICE,
            **_says(
                "等级即将到期", "您的{{ member.tier }}等级有效期至{{ member.tier_until }}。",
                "Your tier is about to lapse",
                "Your tier {{ member.tier }} is valid until {{ member.tier_until }}.",
            ),
        ),
        _win_back(60, "有新品等您来看看。", "there is something new to see."),
        _win_back(120, "期待您再次光临。", "we would be glad to see you again."),
        Automation(
            "churn-risk", "流失风险唤醒", "Falling asleep",
            {
                "kind": "lifecycle", "stages": ["dormant"], "hour": MORNING, "cooldown_days": 90,
                "stop_if": "purchase",
            },
            **_says(
                "我们想念您", "{{ member.name }}，按您的习惯已有些日子没见，欢迎回来看看。",
                "It has been a while",
                "{{ member.name }}, it has been longer than usual: come and have a look.",
            ),
        ),
        Automation(
            "monthly-statement", "每月权益提醒", "Monthly benefit statement",
            {
                "kind": "schedule", "repeat": "monthly", "day": 1, "hour": STATEMENT,
                "stale_hours": 120,
            },
            SERVICE,
            **_says(
                "每月权益提醒",
                "{{ member.tier }}：可用积分{{ points.available }}，"
                "有效期：{{ points.expiring.days }}。现在可兑换：{{ reward.best }}。",
                "Your month",
                "{{ member.tier }}: {{ points.available }} points,"
                " valid: {{ points.expiring.days }}; now they buy: {{ reward.best }}.",
            ),
        ),
        Automation(
            "follow-up", "购后回访", "Follow-up of an order",
            {"kind": "order", "min_amount": "500", "delay_days": 7, "hour": MORNING}, SERVICE,
            **_says(
                "购后关怀", "{{ member.name }}，您购买的商品用得满意吗？有任何问题请联系我们。",
                "How do you like it?",
                "{{ member.name }}, are you content with what you bought? Tell us if not.",
            ),
        ),
        Automation(
            "follow-up-call", "购后电话回访", "Call after an order",
            {"kind": "order", "min_amount": "5000", "delay_days": 10, "hour": MORNING},
            effects=({"kind": "case", "title": "购后电话回访 · Call after an order"},),
        ),
    )  # fmt: skip


AUTOMATIONS: Final[tuple[Automation, ...]] = (*_welcome(), *_relation(), *_standing())
BY_CODE: Final = {each.code: each for each in AUTOMATIONS}

FALLBACKS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "member.name": ("text", {"zh": "尊敬的会员", "en": "Dear member"}),
    "member.tier": ("text", {"zh": "会员", "en": "Member"}),
    "member.tier_until": ("date", {"zh": "长期", "en": "further notice"}),
    "points.available": ("integer", {"zh": "0", "en": "0"}),
    "points.expiring.points": ("integer", {"zh": "0", "en": "0"}),
    "points.expiring.on": ("date", {"zh": "长期", "en": "further notice"}),
    "points.expiring.days": ("text", {"zh": "长期", "en": "until further notice"}),
    "reward.best": ("text", {"zh": "请继续累积积分", "en": "nothing yet, go on collecting"}),
    "programme.name": ("text", {"zh": "会员计划", "en": "the programme"}),
    "order.points": ("integer", {"zh": "0", "en": "0"}),
}
"""The variables that the texts name: their types, and what is written where there is no value."""
