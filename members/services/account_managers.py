"""Members' dedicated agents: given, changed, and handed on when somebody leaves.

Source: BEN-09.
"""

import heapq
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Case, CaseState, Member
from members.models.case import UNDONE
from members.services import events
from members.services.events import NewEvent

SLICE: Final = 500
WORKS: Final = "members.work_case"
BACKEND: Final = "django.contrib.auth.backends.ModelBackend"

_GIVE: Final = """
UPDATE members_member m SET account_manager_id = t.agent
FROM unnest(%s::bigint[], %s::bigint[]) AS t (id, agent) WHERE m.id = t.id
"""


class AccountManagerError(DomainError):
    """Nobody, or not this person, can look after the member."""


def colleagues() -> list[User]:
    """Return the active staff who work on cases, by name."""
    found = User.objects.with_perm(WORKS, is_active=True, include_superusers=False, backend=BACKEND)
    return list(found.order_by("username"))


@transaction.atomic
def assign(*, member_id: int, agent_id: int | None, at: datetime, actor: str) -> Member:
    """Give a member a dedicated agent, or none.

    Raises: AccountManagerError.
    """
    if agent_id is not None and not User.objects.filter(pk=agent_id, is_active=True).exists():
        raise AccountManagerError("agent_not_active", _("This colleague is not active."), 409)
    member = Member.objects.select_for_update(of=("self",), no_key=True).get(pk=member_id)
    if member.account_manager_id == agent_id:
        return member
    member.account_manager_id = agent_id
    member.save(update_fields=["account_manager"])
    events.append([_event(member.pk, at, actor, "assigned")])
    return member


def hand_over(*, leaver_id: int, at: datetime, actor: str, to_id: int | None = None) -> int:
    """Give the members of somebody to a colleague, else each to whoever has fewest.

    The cases of who leaves go back to the queue. Returns how many members moved; none where
    there is nobody to take them. Each slice is a transaction of its own.
    Raises: AccountManagerError.
    """
    heirs = [user.pk for user in colleagues() if user.pk != leaver_id]
    if to_id is not None:
        if to_id == leaver_id or not User.objects.filter(pk=to_id, is_active=True).exists():
            raise AccountManagerError("agent_not_active", _("This colleague is not active."), 409)
        heirs = [to_id]
    _release_cases(leaver_id, at, actor)
    if not heirs:
        return 0
    done = 0
    while count := _hand_over_some(leaver_id, heirs, at, actor):
        done += count
    return done


@transaction.atomic
def _hand_over_some(leaver: int, heirs: Sequence[int], at: datetime, actor: str) -> int:
    rows = Member.objects.filter(account_manager_id=leaver).order_by("pk")
    locked = rows.select_for_update(of=("self",), no_key=True)
    members = list(locked.values_list("pk", flat=True)[:SLICE])
    if not members:
        return 0
    held = Member.objects.filter(account_manager_id__in=heirs).values("account_manager_id")
    counts = dict(held.annotate(n=Count("pk")).values_list("account_manager_id", "n"))
    loads = [(counts.get(agent, 0), agent) for agent in heirs]
    heapq.heapify(loads)
    agents = []
    for _member in members:
        count, agent = loads[0]
        agents.append(agent)
        heapq.heapreplace(loads, (count + 1, agent))
    with connection.cursor() as cursor:
        cursor.execute(_GIVE, [members, agents])
    events.append([_event(member, at, actor, "handed_over") for member in members])
    return len(members)


@transaction.atomic
def _release_cases(leaver: int, at: datetime, actor: str) -> None:
    """Put what somebody was working on back into the queue."""
    rows = Case.objects.filter(owner_id=leaver, state__in=UNDONE).order_by("pk")
    cases = list(rows.select_for_update(of=("self",), no_key=True))
    for case in cases:
        case.owner_id = None
        if case.state == CaseState.IN_PROGRESS:
            case.state = CaseState.OPEN
    Case.objects.bulk_update(cases, ["owner", "state"])
    events.append(
        [
            NewEvent(case.member_id, "case.assigned", at, at, {"case": case.pk}, actor)
            for case in cases
            if case.member_id is not None
        ]
    )


def sweep(*, at: datetime) -> int:
    """Hand over the members and cases of everybody who is no longer active; returns how many."""
    gone = User.objects.filter(is_active=False)
    theirs = Member.objects.filter(account_manager_id=OuterRef("pk"))
    agents = set(gone.filter(Exists(theirs)).values_list("pk", flat=True))
    agents |= set(gone.filter(cases__state__in=UNDONE).values_list("pk", flat=True))
    return sum(hand_over(leaver_id=pk, at=at, actor="system") for pk in sorted(agents))


def _event(member: int, at: datetime, actor: str, reason: str) -> NewEvent:
    return NewEvent(member, "member.agent_changed", at, at, {"reason": reason}, actor)
