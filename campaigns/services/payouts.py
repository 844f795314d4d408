"""Cash for referrers: the programme asks, one person approves, another pays and notes it.

Source: RWD-09, STF-02.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Payout, PayoutState
from config.base.errors import DomainError
from members.services import authority, events, notes
from members.services.events import NewEvent


class PayoutError(DomainError):
    """A payout cannot be decided or paid like this, or not by this person."""


@transaction.atomic
def approve(*, payout_id: int, actor: str, at: datetime) -> Payout:
    """Agree to a payout; not who has let its referral pass.

    Raises: PayoutError, OwnAccountError.
    """
    payout = _opened(payout_id, PayoutState.REQUESTED, actor)
    if payout.referral.decided_by == actor:
        message = _("You have let this referral pass: somebody else has to approve its payout.")
        raise PayoutError("payout_own_decision", message, 403)
    return _decided(payout, PayoutState.APPROVED, actor, at)


@transaction.atomic
def refuse(*, payout_id: int, reason: str, actor: str, at: datetime) -> Payout:
    """Decline a payout that waits; nothing is owed any more.

    Raises: PayoutError, OwnAccountError.
    """
    if not reason.strip():
        raise PayoutError("reason_required", _("A reason is required."))
    payout = _opened(payout_id, PayoutState.REQUESTED, actor)
    payout.note = notes.seal(member=payout.member_id, text=reason.strip())
    return _decided(payout, PayoutState.REFUSED, actor, at)


@transaction.atomic
def note_paid(*, payout_id: int, reference: str, actor: str, at: datetime) -> Payout:
    """Note that an approved payout is paid, with the bank's reference; not who approved it.

    Raises: PayoutError, OwnAccountError.
    """
    reference = reference.strip()
    if not reference:
        raise PayoutError("reference_required", _("Write the reference of the payment."))
    payout = _opened(payout_id, PayoutState.APPROVED, actor)
    if payout.decided_by == actor:
        message = _("You have approved this payout: somebody else has to pay it.")
        raise PayoutError("payout_own_approval", message, 403)
    payout.state, payout.paid_by, payout.paid_at = PayoutState.PAID, actor, at
    payout.reference = reference
    payout.save(update_fields=["state", "paid_by", "paid_at", "reference"])
    _tell(payout, at, actor)
    return payout


def _opened(payout_id: int, state: PayoutState, actor: str) -> Payout:
    rows = Payout.objects.select_for_update(no_key=True, of=("self",)).select_related("referral")
    payout = rows.get(pk=payout_id)
    if payout.state != state:
        message = _("The payout does not stand where this can be done.")
        raise PayoutError("payout_state", message, 409, state=payout.state)
    authority.refuse_own_account(actor=actor, member_id=payout.member_id)
    return payout


def _decided(payout: Payout, state: PayoutState, actor: str, at: datetime) -> Payout:
    payout.state, payout.decided_by, payout.decided_at = state, actor, at
    payout.save(update_fields=["state", "decided_by", "decided_at", "note"])
    _tell(payout, at, actor)
    return payout


def _tell(payout: Payout, at: datetime, actor: str) -> None:
    said = {"payout": payout.pk, "actor": actor}
    events.append([NewEvent(payout.member_id, f"payout.{payout.state}", at, at, said)])
