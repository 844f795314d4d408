"""Releasing points that are held because a cashier earned them at their own till."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Case
from members.models.case import CaseState
from members.services import authority, notes
from rewards.domain.posting import Balance
from rewards.domain.subjects import ORDER
from rewards.services.commands import command
from rewards.services.own_tills import CODE


class OwnTillError(DomainError):
    """Held points cannot be released, or not like this."""


@transaction.atomic
def release(*, case_id: int, reason: str, at: datetime, actor: str) -> Balance:
    """Let the held points of an order become available and close its case; returns the balance.

    Raises: OwnTillError, OwnAccountError, MemberNotFoundError.
    """
    if not reason.strip():
        raise OwnTillError("reason_required", _("A reason is required."))
    rows = Case.objects.select_for_update(of=("self",), no_key=True).select_related("fact")
    case = rows.filter(code=CODE, pk=case_id).first()
    if case is None or case.fact is None or case.member_id is None:
        raise OwnTillError("case_unknown", _("There is no such case."), 404)
    if case.state != CaseState.OPEN:
        raise OwnTillError("case_closed", _("This case has been closed already."), 409)
    authority.refuse_own_account(actor=actor, member_id=case.member_id)
    case.state, case.closed_at = CaseState.CLOSED, at
    case.save(update_fields=["state", "closed_at"])
    with command(member=case.member_id, at=at, actor=actor, needs_active=False) as current:
        current.account.schedule(f"{ORDER}:{case.fact.order_id}", at, current.cause)
        note = notes.seal(member=case.member_id, text=reason.strip())
        told = {"order_no": case.fact.order_no, "note": note, "actor": actor}
        current.report("points.own_till_released", told)
        return current.balance
