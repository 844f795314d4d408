"""Four eyes: what one member of staff asks for takes effect when another one agrees.

What a kind of request does is registered by the app that can do it, so that this app needs to know
none of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Approval
from members.models.staff import ApprovalState
from members.services import authority

DECIDE: Final = "members.change_approval"

Executor = Callable[[Approval, datetime], None]
Summary = Callable[[Approval], str]
Dropped = Callable[[Approval], None]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a request would change, for people: what, from what, to what."""

    what: str
    before: str
    after: str


Effects = Callable[[Approval], Sequence[Change]]


def _no_effects(_approval: Approval) -> Sequence[Change]:
    return ()


def _nothing_to_drop(_approval: Approval) -> None:
    return


Address = Callable[[Approval], str]


def _no_address(_approval: Approval) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request: how people read it, what agreeing does, and who may agree.

    `drop` undoes what asking took, when the request is refused or withdrawn.
    """

    title: Promise
    execute: Executor
    summarise: Summary
    effects: Effects = _no_effects
    permission: str = DECIDE
    address: Address = _no_address
    drop: Dropped = _nothing_to_drop


_kinds: dict[str, Kind] = {}


class ApprovalError(DomainError):
    """A request cannot be decided, or not by this person."""


def register(kind: str, registered: Kind) -> None:
    """Say what approving a kind of request does, and how people read it."""
    _kinds[kind] = registered


def title_of(kind: str) -> str:
    """Return the name of a kind for people; the code itself where nobody registered it."""
    return str(_kinds[kind].title) if kind in _kinds else kind


def summary_of(approval: Approval) -> str:
    """Return what the request asks for, for people."""
    kind = _kinds.get(approval.kind)
    return kind.summarise(approval) if kind else ""


def effects_of(approval: Approval) -> Sequence[Change]:
    """Return what would change if the request were approved now."""
    kind = _kinds.get(approval.kind)
    return kind.effects(approval) if kind else ()


def address_of(approval: Approval) -> str:
    """Return where what the request is about can be seen; empty where there is no such page."""
    kind = _kinds.get(approval.kind)
    return kind.address(approval) if kind else ""


def permission_of(kind: str) -> str:
    """Return the permission without which nobody decides requests of this kind."""
    return _kinds[kind].permission if kind in _kinds else DECIDE


def permissions() -> frozenset[str]:
    """Return every permission with which some kind of request is decided."""
    return frozenset({kind.permission for kind in _kinds.values()} | {DECIDE})


def decidable_kinds(may: Callable[[str], bool]) -> list[str]:
    """Return the kinds of request that somebody may decide, given what permissions they have."""
    return sorted(code for code, kind in _kinds.items() if may(kind.permission))


def request(
    *,
    kind: str,
    member_id: int | None,
    payload: Mapping[str, Any],
    reason: str,
    actor: str,
    at: datetime,
) -> Approval:
    """Ask for something that a second person has to agree to.

    Raises: ApprovalError where nobody can carry the kind out, or no reason is given;
    OwnAccountError.
    """
    if kind not in _kinds:
        raise ApprovalError("approval_kind_unknown", _("Nobody carries out such a request."))
    if not reason.strip():
        raise ApprovalError("reason_required", _("A reason is required."))
    authority.refuse_own_account(actor=actor, member_id=member_id)
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

    Raises: ApprovalError where it is decided already or the actor asked for it; OwnAccountError;
    DomainError of the service that carries it out.
    """
    approval = _decide(approval_id, ApprovalState.APPROVED, actor, at)
    _kinds[approval.kind].execute(approval, at)
    return approval


@transaction.atomic
def refuse(*, approval_id: int, actor: str, at: datetime) -> Approval:
    """Decline a request; nothing else changes.

    Raises: ApprovalError where it is decided already or the actor asked for it; OwnAccountError.
    """
    approval = _decide(approval_id, ApprovalState.REFUSED, actor, at)
    _drop(approval)
    return approval


@transaction.atomic
def withdraw(*, approval_id: int, actor: str, at: datetime) -> Approval:
    """Take back one's own request while it waits; nothing else changes.

    Raises: ApprovalError where it is decided already or somebody else asked for it.
    """
    approval = _open(approval_id)
    if approval.requested_by != actor:
        raise ApprovalError(
            "approval_not_own", _("Only who asked for it takes a request back."), status=403
        )
    _close(approval, ApprovalState.WITHDRAWN, actor, at)
    _drop(approval)
    return approval


def _decide(approval_id: int, state: ApprovalState, actor: str, at: datetime) -> Approval:
    approval = _open(approval_id)
    if approval.requested_by == actor:
        raise ApprovalError(
            "approval_own_request", _("Somebody else has to decide your request."), status=403
        )
    authority.refuse_own_account(actor=actor, member_id=approval.member_id)
    _close(approval, state, actor, at)
    return approval


def _drop(approval: Approval) -> None:
    if approval.kind in _kinds:
        _kinds[approval.kind].drop(approval)


def _open(approval_id: int) -> Approval:
    """Return a request that waits, locked: of two decisions the second finds it decided."""
    approval = Approval.objects.select_for_update(no_key=True).get(pk=approval_id)
    if approval.state != ApprovalState.REQUESTED:
        raise ApprovalError(
            "approval_decided", _("This request has been decided already."), status=409
        )
    return approval


def _close(approval: Approval, state: ApprovalState, actor: str, at: datetime) -> None:
    approval.state = state
    approval.decided_by = actor
    approval.decided_at = at
    approval.save(update_fields=["state", "decided_by", "decided_at"])
