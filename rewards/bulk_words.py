"""What is said of lines of a list that are left out."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FAULTS: Final[Mapping[str, Promise]] = {
    "unknown": _("leads to nobody"),
    "ambiguous": _("leads to two members"),
    "not_active": _("frozen or closed"),
    "duplicate": _("on the list before"),
    "own_account": _("your own member account"),
    "points_invalid": _("no number of points from 1 to 1,000,000"),
}


def fault(code: str) -> str:
    """Return why a line is left out."""
    return str(FAULTS.get(code, code))


def left_out(report: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return how many lines are left out for which reason."""
    return [(fault(code), count) for code, count in sorted(report.get("counts", {}).items())]


def lines(report: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Return the numbers of the lines that are left out, each with the reason."""
    return [(line, fault(code)) for line, code in report.get("lines", ())]
