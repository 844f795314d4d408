"""What standings and their evidence say to people."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base.admin import formats

REASONS: Mapping[str, Promise] = {
    "enrolled": _("Enrolment"),
    "qualified": _("Entry rule reached"),
    "renewed": _("Retention rule reached"),
    "review_downgrade": _("Review: lowered"),
    "review_kept": _("Review: kept"),
    "review_upgrade": _("Review: raised"),
    "qualification_withdrawn": _("Upgrade withdrawn after a refund"),
    "refund_requalified": _("Requalified after a refund"),
    "ladder_changed": _("New ladder version"),
    "opening": _("Taken over from the former system"),
    "override": _("Tier override"),
    "paid_membership": _("Paid membership"),
    "merged": _("Taken over from a merged member"),
    "merge_undone": _("As without the merge that was undone"),
}

METRICS: Mapping[str, Promise] = {
    "spend": _("Spend"),
    "orders": _("Number of orders"),
    "average_order": _("Average order value"),
    "largest_order": _("Largest order"),
    "interactions": _("Number of interactions"),
    "referrals": _("Number of referrals"),
    "points_earned": _("Points earned"),
    "growth": _("Growth value"),
    "tenure": _("Length of membership"),
    "attribute": _("Attribute"),
}

WINDOWS: Mapping[str, Promise] = {
    "calendar_year": _("this calendar year"),
    "membership_year": _("this membership year"),
    "lifetime": _("since ever"),
    "current_standing": _("since the tier was reached"),
}

UNITS: Mapping[str, Promise] = {
    "days": _("%(length)s days"),
    "months": _("%(length)s months"),
}

MONEY_METRICS = frozenset({"spend", "average_order", "largest_order"})


def reason(code: str) -> str:
    """Return why a standing began, for people; the code itself where it is unknown."""
    return str(REASONS.get(code, code))


def metric(code: str) -> str:
    """Return the name of a metric."""
    return str(METRICS.get(code, code))


def window(code: str, days: int | None = None) -> str:
    """Return the period over which progress counts."""
    if code.startswith("rolling_days"):
        length = days or int(code.partition(":")[2] or 0)
        return gettext("last %(days)s days") % {"days": length}
    return str(WINDOWS.get(code, code))


def amount(metric_code: str, value: Decimal | int, unit: str = "") -> str:
    """Return an amount of progress: money for spend, a length for tenure, else a plain number.

    Units: money in major units; `unit` is that of tenure.
    """
    if metric_code in MONEY_METRICS:
        return formats.money(Decimal(value))
    if metric_code == "tenure" and unit in UNITS:
        return str(UNITS[unit] % {"length": int(value)})
    return f"{value:,.0f}"
