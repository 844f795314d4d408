"""How figures, goals and months are written for people."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.domain.goals import Status
from campaigns.domain.month_end import Column
from campaigns.kpis import metrics
from campaigns.kpis.metrics import Group, Metric, Unit
from config.base.admin import formats

NOTHING: Final = "–"

GROUPS: Final[dict[Group, Promise]] = {
    Group.MEMBERS: _("Members and activity"),
    Group.TIERS: _("Tiers"),
    Group.POINTS: _("Points"),
    Group.COMMERCE: _("Purchases"),
    Group.REWARDS: _("Rewards and stock"),
    Group.ADVOCACY: _("Advocacy"),
}

STATUSES: Final[dict[Status, tuple[Promise, str]]] = {
    Status.PLANNED: (_("Planned"), "info"),
    Status.ON_TRACK: (_("On track"), "success"),
    Status.AT_RISK: (_("At risk"), "warning"),
    Status.MET: (_("Met"), "success"),
    Status.MISSED: (_("Missed"), "danger"),
}

COLUMNS: Final[dict[Column, Promise]] = {
    Column.ISSUED: _("Issued"),
    Column.USED: _("Used"),
    Column.EXPIRED: _("Expired"),
    Column.REVERSED: _("Clawed back"),
    Column.ADJUSTED: _("Adjusted"),
    Column.TRANSFERRED: _("Moved"),
    Column.DEBT_INCURRED: _("Debt incurred"),
    Column.DEBT_SETTLED: _("Debt settled"),
}


def shown(unit: str, number: Decimal | int | None) -> str:
    """Return a figure as read from the data: a share of one is written in per cent."""
    if number is None:
        return NOTHING
    return written(unit, metrics.scaled(unit, Decimal(number)))


def written(unit: str, number: Decimal | None) -> str:
    """Return a figure that is already as people write it."""
    if number is None:
        return NOTHING
    match unit:
        case Unit.MONEY:
            return formats.money(number)
        case Unit.PERCENT:
            return f"{rounded(number, 1):,} %"
        case Unit.TIMES:
            return f"{rounded(number, 2):,}"
        case _:
            return f"{rounded(number, 0):,}"


def change(metric: Metric, now: Decimal | None, before: Decimal | None) -> tuple[str, int]:
    """Return how a figure has changed, and in which direction: 1, 0 or -1.

    Shares change by percentage points, all else by per cent of what it was.
    """
    if now is None or before is None or (not before and metric.unit != Unit.PERCENT):
        return "", 0
    if metric.unit == Unit.PERCENT:
        moved = rounded((now - before) * 100, 1)
        text = gettext("%(points)s pp")
    else:
        moved = rounded((now - before) / before * 100, 1)
        text = "%(points)s %%"
    signed = f"{moved:+,}".replace("-", "−") if moved else "±0"
    return text % {"points": signed}, (moved > 0) - (moved < 0)


def rounded(number: Decimal, places: int) -> Decimal:
    """Return a number with so many decimals, half away from zero."""
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
