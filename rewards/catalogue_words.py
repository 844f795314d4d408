"""Why a member may not have a reward, in sentences for people."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext

from config.base import clock
from rewards.domain import catalogue
from rewards.domain.catalogue import Reason


def told(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    """Return the reasons, each with its sentence as `text`."""
    return [{**reason, "text": sentence(reason)} for reason in reasons]


def sentence(reason: Reason) -> str:
    """Return the sentence for one reason."""
    tell = _SENTENCES.get(str(reason["code"]))
    return str(reason["code"]) if tell is None else tell(reason)


def _when(text: str) -> str:
    return date_format(clock.local(datetime.fromisoformat(text)), "Y-m-d H:i")


def _per(reason: Reason) -> str:
    periods = {
        "day": gettext("per day"), "week": gettext("per week"), "month": gettext("per month"),
        "year": gettext("per year"), "lifetime": gettext("in all"),
    }  # fmt: skip
    return periods[reason["period"]]


_SENTENCES: Final[Mapping[str, Callable[[Reason], str]]] = {
    catalogue.NOT_LISTED: lambda _r: gettext("Not in the catalogue."),
    catalogue.NOT_YET: lambda r: gettext("Available from %(at)s.") % {"at": _when(r["opens_at"])},
    catalogue.OVER: lambda r: gettext("Was available until %(at)s.") % {"at": _when(r["ended_at"])},
    catalogue.TIER: lambda r: gettext("From tier %(tier)s on.") % {"tier": r["tier"]},
    catalogue.CONDITIONS: lambda _r: gettext("For other members."),
    catalogue.MEMBER_LIMIT: lambda r: (
        gettext("At most %(limit)d %(period)s for one member; %(left)d left.")
        % {"limit": r["limit"], "period": _per(r), "left": r["left"]}
    ),
    catalogue.TOTAL_LIMIT: lambda r: (
        gettext("At most %(limit)d %(period)s for all members; %(left)d left.")
        % {"limit": r["limit"], "period": _per(r), "left": r["left"]}
    ),
    catalogue.OUT_OF_STOCK: lambda r: (
        gettext("Only %(left)d in stock.") % {"left": r["left"]}
        if r["left"]
        else gettext("Out of stock.")
    ),
    catalogue.SLOT_NEEDED: lambda _r: gettext("Choose a slot."),
    catalogue.SLOT_OVER: lambda _r: gettext("The slot is over or called off."),
    catalogue.POINTS: lambda r: (
        gettext("%(missing)d points are missing.") % {"missing": r["needed"] - r["available"]}
    ),
    catalogue.DEBT: lambda r: (
        gettext("%(debt)d points are owed; none can be spent.") % {"debt": r["debt"]}
    ),
}
