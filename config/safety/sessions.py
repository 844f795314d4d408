"""How long a session of the console lives.

It ends after a time without use, after a working day whatever happens, and when the person's roles
change. A changed password or a disabled account ends it by Django's own doing.

Source: MEM-10.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from config.base.admin import reauth

OPENED: Final = "loyalty_opened_at"
SEEN: Final = "loyalty_seen_at"
ROLES: Final = "loyalty_roles"
SEEN_EVERY_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Roles:
    """A person's roles by number, and whether any of them wants a second factor."""

    ids: Sequence[int]
    need_second_factor: bool


def roles_of(user: User) -> Roles:
    """Return the roles that a person has now, in one statement."""
    rows = list(
        Group.objects.filter(user=user)
        .order_by("pk")
        .values_list("pk", "safety__requires_second_factor")
    )
    wanted = any(required for _pk, required in rows)
    if user.is_superuser:
        wanted = wanted or settings.LOYALTY_ADMINISTRATORS_NEED_SECOND_FACTOR
    # An administrator is somebody else than the same person without that.
    ids = [int(user.is_superuser) * -1, *(pk for pk, _required in rows)]
    return Roles(ids, bool(wanted))


def begin(request: HttpRequest, roles: Roles) -> None:
    """Note when a session began and with which roles."""
    now = time.time()
    request.session[OPENED] = request.session[SEEN] = now
    request.session[ROLES] = list(roles.ids)
    reauth.confirm(request)


def is_over(request: HttpRequest, roles: Roles) -> bool:
    """Tell whether a session may not go on; note that it was used if it may."""
    session = request.session
    if OPENED not in session:
        # Its first request: whoever opened it has just logged in.
        begin(request, roles)
        return False
    now = time.time()
    if (
        now - session[SEEN] > settings.LOYALTY_SESSION_IDLE_MINUTES * 60
        or now - session[OPENED] > settings.LOYALTY_SESSION_HOURS * 3600
        or session.get(ROLES) != list(roles.ids)
    ):
        return True
    if now - session[SEEN] > SEEN_EVERY_SECONDS:
        session[SEEN] = now
    return False
