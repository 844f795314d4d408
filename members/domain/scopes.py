"""What a touchpoint's key may be allowed to do."""

from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError

SCOPES: Final = {
    "members:read": _("Read members, personal values masked"),
    "members:read_personal": _("Read members' personal values"),
    "members:write": _("Enrol and change members"),
    "orders:read": _("Read orders"),
    "orders:write": _("Send orders and refunds"),
    "interactions:write": _("Send interactions"),
    "points:read": _("Read points, entries and statements"),
    "tiers:read": _("Read tiers and progress"),
    "adjustments:write": _("Adjust points within the key's limits"),
    "quotes:read": _("Quote carts"),
    "rewards:read": _("Read the catalogue of rewards, and redemptions"),
    "reservations:write": _("Reserve points, coupons, rewards and benefits; capture and release"),
    "redemptions:write": _("Redeem rewards and cancel redemptions"),
    "coupons:read": _("Read and validate coupons"),
    "coupons:write": _("Issue, redeem and roll back coupons"),
    "benefits:write": _("Use benefits"),
    "memberships:write": _("Sell, renew and refund paid memberships"),
    "tokens:write": _("Make tokens and codes of members"),
    "cases:read": _("Read members' cases"),
    "cases:write": _("Open cases for members"),
    "messages:read": _("Read members' messages, and mark them as read"),
    "messages:write": _("Report what became of messages"),
    "prospects:write": _("Enter prospects"),
    "feedback:write": _("Answer feedback forms for members"),
    "webhooks:write": _("Subscribe to webhooks"),
}


class ScopeUnknownError(DomainError):
    """A scope that does not exist was asked for."""

    def __init__(self, unknown: Iterable[str]) -> None:
        super().__init__(
            "scope_unknown",
            _("There is no such scope."),
            unknown=sorted(unknown),
            known=sorted(SCOPES),
        )


def checked(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes sorted and each once.

    Raises: ScopeUnknownError.
    """
    wanted = set(scopes)
    if unknown := wanted - SCOPES.keys():
        raise ScopeUnknownError(unknown)
    return tuple(sorted(wanted))
