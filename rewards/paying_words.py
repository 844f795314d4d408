"""Why points cannot pay for a part of a cart, in sentences."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext

Item = Mapping[str, Any]

_SENTENCES: Final[dict[str, Callable[[Item], str]]] = {
    "points_debt": lambda item: gettext("%(debt)d points are owed; none can be spent.") % item,
    "points_below_minimum": lambda item: (
        gettext("At least %(min)d points are needed to pay.") % item
    ),
    "points_not_in_steps": lambda item: gettext("Points pay in steps of %(step)d.") % item,
    "insufficient_points": lambda item: (
        gettext("%(needed)d points are needed, %(available)d are available.") % item
    ),
    "points_above_share": lambda item: gettext("This cart takes %(most)d points at most.") % item,
    "member_frozen": lambda _item: gettext("The member is frozen and cannot spend points."),
    "member_not_active": lambda _item: gettext("The member is not active."),
}


def rendered(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Return the reasons, each with its sentence as `text`."""
    return [{**item, "text": _SENTENCES[str(item["code"])](item)} for item in items]


def known_codes() -> frozenset[str]:
    """Return the codes that have a sentence."""
    return frozenset(_SENTENCES)
