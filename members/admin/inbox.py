"""The approvals inbox: what waits for the visitor, what they asked for, what was decided."""

from dataclasses import dataclass
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base.admin import scope, site
from config.base.admin.actors import actor_of
from members.models import Approval
from members.models.staff import ApprovalState
from members.services import approvals
from members.services.approvals import Change

# What each would change is read one by one.
SHOWN: Final = 20
COUNTED: Final = 99
SEE: Final = "members.view_approval"
WAITING, MINE, DECIDED = "waiting", "mine", "decided"
SHOWS: Final = ((WAITING, _("Waiting for me")), (MINE, _("Asked by me")), (DECIDED, _("Decided")))


@dataclass(frozen=True, slots=True)
class Row:
    """One request for people, with what it would change while it waits."""

    approval: Approval
    title: str
    summary: str
    changes: tuple[Change, ...]
    is_open: bool
    is_own: bool


def may_open(request: HttpRequest) -> bool:
    """Tell whether the visitor decides any request, or sees requests at all."""
    return request.user.has_perm(SEE) or bool(approvals.decidable_kinds(request.user.has_perm))


def inbox_page(request: HttpRequest) -> HttpResponse:
    """Show the requests that wait for the visitor, oldest first; `?show=` gives the others.

    Source: STF-02, PTS-15.
    """
    if not may_open(request):
        raise PermissionDenied
    asked = request.GET.get("show", "")
    show = asked if asked in {MINE, DECIDED} else WAITING
    found = list(_requests(request, show).select_related("member")[: SHOWN + 1])
    context = {
        **site.current().each_context(request),
        "title": gettext("Approvals"),
        "shows": [(code, name, code == show) for code, name in SHOWS],
        "rows": [_row(request, approval) for approval in found[:SHOWN]],
        "is_cut": len(found) > SHOWN,
        "shown": SHOWN,
    }
    return TemplateResponse(request, "admin/members/inbox.html", context)


def waiting(request: HttpRequest) -> QuerySet[Approval]:
    """Return the requests that the visitor may decide: of their kinds, scope, and not their own."""
    kinds = approvals.decidable_kinds(request.user.has_perm)
    rows = Approval.objects.filter(state=ApprovalState.REQUESTED, kind__in=kinds)
    return scope.narrowed(request, rows.exclude(requested_by=actor_of(request)))


def count_badge(request: HttpRequest) -> str:
    """Return what the menu says beside the inbox: how many wait; nothing where none does."""
    if not approvals.decidable_kinds(request.user.has_perm):
        return ""
    count = waiting(request).order_by()[: COUNTED + 1].count()
    if count > COUNTED:
        return f"{COUNTED}+"
    return str(count) if count else ""


def _requests(request: HttpRequest, show: str) -> QuerySet[Approval]:
    actor = actor_of(request)
    if show == WAITING:
        return waiting(request).order_by("requested_at", "id")
    if show == MINE:
        return Approval.objects.filter(requested_by=actor).order_by("-id")
    kinds = approvals.decidable_kinds(request.user.has_perm)
    seen = Q(decided_by=actor) | Q(kind__in=kinds)
    rows = Approval.objects.exclude(state=ApprovalState.REQUESTED).filter(seen)
    return scope.narrowed(request, rows.order_by("-decided_at", "-id"))


def _row(request: HttpRequest, approval: Approval) -> Row:
    is_open = approval.state == ApprovalState.REQUESTED
    return Row(
        approval,
        approvals.title_of(approval.kind),
        approvals.summary_of(approval),
        tuple(approvals.effects_of(approval)) if is_open else (),
        is_open,
        approval.requested_by == actor_of(request),
    )
