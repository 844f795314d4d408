"""Why a member is said to be what they are as a customer, in words.

Source: SEG-01, SEG-08, SEG-13, SEG-20.
"""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.base.admin import formats
from members.customer_words import CustomerClass, LifecycleStage
from members.models import InsightPolicy, MemberInsight

STAGE_COLOURS: Final[Mapping[str, str]] = {
    "advocate": "success", "retain": "success", "nurture": "info", "activate": "info",
    "acquire": "info", "won_back": "warning", "dormant": "danger",
}  # fmt: skip
CLASS_COLOURS: Final[Mapping[str, str]] = {
    "high_end": "success", "loyal": "success", "potential": "info", "new": "info",
    "churned": "danger",
}  # fmt: skip
SCORES: Final[Mapping[str, Promise]] = {
    "frequency": _("purchase frequency"),
    "amount": _("spend"),
    "margin": _("margin"),
    "growth": _("growth"),
    "recommendation": _("recommendation"),
    "new_products": _("new products"),
}


def stage(code: str) -> str:
    """Return what a lifecycle stage is called; the code itself where it is unknown."""
    return str(LifecycleStage(code).label) if code in LifecycleStage.values else code


def customer_class(code: str) -> str:
    """Return what a customer class is called; the code itself where it is unknown."""
    return str(CustomerClass(code).label) if code in CustomerClass.values else code


def why(row: MemberInsight, policy: InsightPolicy) -> list[str]:
    """Return the facts and thresholds from which everything that is said of a member follows."""
    return [
        _why_frequency(row, policy), _why_spend(row, policy), _why_stage(row, policy),
        _why_class(row, policy), *_why_dormant(row, policy),
    ]  # fmt: skip


def _why_frequency(row: MemberInsight, policy: InsightPolicy) -> str:
    return gettext(
        "Orders in the last %(days)s days: %(orders)s. Medium from %(medium)s, high from %(high)s."
    ) % {
        "days": policy.window_days, "orders": row.orders, "medium": policy.frequency_medium,
        "high": policy.frequency_high,
    }  # fmt: skip


def _why_spend(row: MemberInsight, policy: InsightPolicy) -> str:
    return gettext(
        "Spent in the last %(days)s days, after refunds: %(spent)s."
        " Medium from %(medium)s, high from %(high)s."
    ) % {
        "days": policy.window_days, "spent": formats.money(row.spent),
        "medium": formats.money(policy.monetary_medium),
        "high": formats.money(policy.monetary_high),
    }  # fmt: skip


def _why_stage(row: MemberInsight, policy: InsightPolicy) -> str:
    texts = {
        "acquire": gettext("No order counts yet."),
        "activate": gettext("There is one order so far."),
        "nurture": gettext(
            "There are several orders, but fewer than %(count)s in the last %(days)s days."
        ),
        "retain": gettext("There are at least %(count)s orders in the last %(days)s days."),
        "advocate": gettext("The current value is at least %(value)s."),
        "dormant": gettext("Nothing was bought for longer than is usual."),
        "won_back": gettext("Bought again while dormant, less than %(back)s days ago."),
    }
    reason = texts[row.stage] % {
        "count": policy.retain_orders, "days": policy.window_days, "value": policy.advocate_value,
        "back": policy.won_back_days,
    }  # fmt: skip
    return f"{row.get_stage_display()}: {reason}"


def _why_class(row: MemberInsight, policy: InsightPolicy) -> str:
    texts = {
        "churned": gettext("Dormant, and no order for at least %(churned)s days."),
        "new": gettext("First order, or enrolment, less than %(new)s days ago."),
        "high_end": gettext("The spend is high."),
        "loyal": gettext("The frequency is high, or medium and the member is not dormant."),
        "potential": gettext("None of the other classes."),
    }
    reason = texts[row.customer_class] % {
        "churned": policy.churned_days, "new": policy.new_days
    }  # fmt: skip
    return f"{row.get_customer_class_display()}: {reason}"


def _why_dormant(row: MemberInsight, policy: InsightPolicy) -> list[str]:
    if row.dormant_from is None or row.last_order_on is None:
        return []
    days = (row.dormant_from - row.last_order_on).days
    until = ngettext(
        "Dormant %(days)s day after the last purchase: %(on)s.",
        "Dormant %(days)s days after the last purchase: %(on)s.",
        days,
    ) % {"days": days, "on": row.dormant_from.isoformat()}
    if row.median_gap_days is None or not policy.dormancy_by_rhythm:
        return [until]
    usual = gettext("Usual gap between purchases: %(gap)s days.")
    return [usual % {"gap": formats.plain(row.median_gap_days)}, until]
