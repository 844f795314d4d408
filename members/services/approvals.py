"""Four eyes: what one member of staff asks for takes effect when another one agrees.

What a kind of request does is registered by the app that can do it, so that this app needs to know
none of them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Approval
from members.models.staff import ApprovalState

Executor = Callable[[Approval, datetime], None]
Summary = Callable[[Approval], str]

_executors: dict[str, Executor] = {}
_titles: dict[str, Promise] = {}
_summaries: dict[str, Summary] = {}


class ApprovalError(DomainError):
    """A request cannot be decided, or not by this person."""


def register(kind: str, *, title: Promise, execute: Executor, summarise: Summary) -> None:
    """Say what approving a kind of request does, and how people read it."""
    _executors[kind] = execute
    _titles[kind] = title
    _summaries[kind] = summarise


def title_of(kind: str) -> str:
    """Return the name of a kind for people; the code itself where nobody registered it."""
    return str(_titles.get(kind, kind))


def summary_of(approval: Approval) -> str:
    """Return what the request asks for, for people."""
    summarise = _summaries.get(approval.kind)
    return summarise(approval) if summarise else ""


def request(
    *,
    kind: str,
    member_id: int,
    payload: Mapping[str, Any],
    reason: str,
    actor: str,
    at: datetime,
) -> Approval:
    """Ask for something that a second person has to agree to.

    Raises: ApprovalError where nobody can carry the kind out, or no reason is given.
    """
    if kind not in _executors:
        raise ApprovalError("approval_kind_unknown", _("Nobody carries out such a request."))
    if not reason.strip():
        raise ApprovalError("reason_required", _("A reason is required."))
    return Approval.objects.create(
        kind=kind,
        member_id=member_id,
        payload=dict(payload),
        reason=reason.strip(),
        requested_by=actor,
        requested_at=at,
    )


@transaction.atomic
def approve(*, approval_id: int, actor: str, at: datetime) -> Approval:
    """Agree to a request and carry it out, both or neither.

    Raises: ApprovalError where it is decided already or the actor asked for it; DomainError of
    the service that carries it out.
    """
    approval = _decide(approval_id, ApprovalState.APPROVED, actor, at)
    _executors[approval.kind](approval, at)
    return approval


@transaction.atomic
def refuse(*, approval_id: int, actor: str, at: datetime) -> Approval:
    """Decline a request; nothing else changes.

    Raises: ApprovalError where it is decided already or the actor asked for it.
    """
    return _decide(approval_id, ApprovalState.REFUSED, actor, at)


def _decide(approval_id: int, state: ApprovalState, actor: str, at: datetime) -> Approval:
    approval = Approval.objects.select_for_update(no_key=True).get(pk=approval_id)
    if approval.state != ApprovalState.REQUESTED:
        raise ApprovalError(
            "approval_decided", _("This request has been decided already."), status=409
        )
    if approval.requested_by == actor:
        raise ApprovalError(
            "approval_own_request", _("Somebody else has to decide your request."), status=403
        )
    approval.state = state
    approval.decided_by = actor
    approval.decided_at = at
    approval.save(update_fields=["state", "decided_by", "decided_at"])
    return approval
