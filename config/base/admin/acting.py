"""Who acts in a request of the console, and writing down what leaves no changed row.

Source: MEM-10, LEG-09.
"""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from config.base import acts
from config.base.acts import Acting, Subject
from config.base.admin.actors import actor_of

ADMINISTRATOR: Final = "administrator"


def address_of(request: HttpRequest) -> str:
    """Return where a request comes from: what the first of our own proxies saw."""
    direct = str(request.META.get("REMOTE_ADDR") or "")
    count: int = settings.LOYALTY_PROXIES
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if count < 1 or len(seen) < count:
        return direct
    return seen[-count][:45] or direct


def roles_of(request: HttpRequest) -> str:
    """Return the visitor's roles by name, in one line."""
    if not request.user.is_authenticated:
        return ""
    names = list(request.user.groups.order_by("name").values_list("name", flat=True))
    if request.user.is_superuser:
        names.insert(0, ADMINISTRATOR)
    return ", ".join(names)


def acting_of(request: HttpRequest, act: str, reason: str = "") -> Acting:
    """Return who acts in a request, by what name the act goes, and why."""
    return Acting(
        actor=actor_of(request),
        act=act,
        roles=roles_of(request),
        address=address_of(request),
        reason=reason,
    )


def record(
    request: HttpRequest,
    act: str,
    *,
    reason: str = "",
    member_id: int | None = None,
    **figures: Any,
) -> None:
    """Write down what somebody did that changed no row: a reveal, an export, a log-in.

    Units: `figures` are codes and counts such as `rows=120`, never personal values.
    """
    acts.record(
        acting_of(request, act, reason), Subject(member_id=member_id), after=figures or None
    )
