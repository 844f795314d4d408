"""Why something is recommended, in sentences that members read too.

In both languages at once, as a message is written in the member's and not in the reader's.
Source: CMP-07.
"""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.domain.offers import Choice, Reason
from config.base.names import in_active_language

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "affinity": (
        "您近一年的消费有 {percent}% 是{category}",
        "{percent}% of what you bought in the last year is {category}",
    ),
    "like_members": (
        "与您消费习惯相近的会员中，兑换礼品的有 {percent}% 选择了它",
        "{percent}% of members with habits like yours who redeem chose it",
    ),
    "expiring": (
        "能用掉即将到期的 {points} 积分，其中最早的可用至 {on}",
        "it uses {points} points that end soon, the first on {on}",
    ),
    "stage": ("适合您目前的会员阶段", "it suits where you stand as a member"),
    "kind": ("您以前兑换过同类礼品", "you have redeemed rewards of this kind before"),
    "reach": (
        "需要 {points} 积分，您有 {available} 积分可用",
        "it takes {points} of your {available} points",
    ),
    "had": ("近 90 天内已兑换过", "you have had it in the last 90 days"),
    "neutral": (
        "会员兑换最多，未使用您的个人信息推荐",
        "members redeem it most; nothing about you was used",
    ),
}
"""A sentence for each reason: in Chinese, in English."""

TITLES: Final[Mapping[str, Promise]] = {
    "affinity": _("what the member buys"),
    "like_members": _("what like members redeem"),
    "expiring": _("points that end soon"),
    "stage": _("lifecycle stage"),
    "kind": _("earlier redemptions"),
    "reach": _("available points"),
    "had": _("had lately"),
    "neutral": _("what members redeem most"),
}
"""What a reason is about, for staff."""

SAID: Final = 2


def sentence(reason: Reason) -> str:
    """Return a reason in the language of who reads."""
    zh, en = SENTENCES[reason.code]
    return in_active_language(zh=zh, en=en).format(**reason.facts)


def why_in_both(choice: Choice) -> dict[str, str]:
    """Return the weightiest reasons for a choice, in both languages."""
    said = [each for each in choice.reasons if each.score >= 0][:SAID]
    joined = {"zh": "，", "en": ", "}
    return {
        language: joined[language].join(
            SENTENCES[each.code][place].format(**each.facts) for each in said
        )
        for place, language in enumerate(joined)
    }
