"""What people decide about referrals that were held: let them pass, or refuse them.

A refusal may be looked at once more, by somebody else than who refused.

Source: ENG-04, STF-02.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.domain.referrals import Reason
from campaigns.models import Referral, ReferralState
from campaigns.services import referral_joining, referral_rewards, referrals
from config.base.errors import DomainError
from members.services import authority, notes
from rewards.services import loading


class ReferralDecisionError(DomainError):
    """A referral cannot be decided like this, or not by this person."""


@transaction.atomic
def accept(*, referral_id: int, reason: str, actor: str, at: datetime) -> Referral:
    """Let a referral go on: what was found about it is no longer held against it.

    Raises: ReferralDecisionError, OwnAccountError.
    """
    referral = _opened(referral_id, reason, actor)
    if referral.state not in {ReferralState.HELD, ReferralState.REFUSED}:
        raise _wrong_state(referral)
    if referral.state == ReferralState.REFUSED and referral.decided_by == actor:
        message = _("Somebody else has to look at your refusal.")
        raise ReferralDecisionError("second_look_by_another", message, 403)
    if Reason.SAME_PERSON in referral.reasons:
        message = _("Referrer and friend are one person.")
        raise ReferralDecisionError("referral_same_person", message, 409)
    referral.cleared = sorted({*referral.cleared, *referral.reasons})
    referral.reasons, referral.state = [], ReferralState.REGISTERED
    referral.order = referral.kept_from = None
    _sign(referral, reason, actor, at)
    referral_joining.welcome(referral=referral, at=at)
    referral_rewards.tell(
        referral, "referral.accepted", at, member=referral.referrer_id, actor=actor
    )
    return referral


@transaction.atomic
def refuse(*, referral_id: int, reason: str, actor: str, at: datetime) -> Referral:
    """Refuse a referral that is held: nobody is rewarded for it.

    Raises: ReferralDecisionError, OwnAccountError.
    """
    referral = _opened(referral_id, reason, actor)
    if referral.state != ReferralState.HELD:
        raise _wrong_state(referral)
    referral.state = ReferralState.REFUSED
    _sign(referral, reason, actor, at)
    referral_rewards.tell(
        referral, "referral.refused", at, member=referral.referrer_id, actor=actor
    )
    return referral


def _opened(referral_id: int, reason: str, actor: str) -> Referral:
    if not reason.strip():
        raise ReferralDecisionError("reason_required", _("A reason is required."))
    seen = Referral.objects.get(pk=referral_id)
    for member in (seen.referrer_id, seen.friend_id):
        authority.refuse_own_account(actor=actor, member_id=member)
    loading.lock({seen.referrer_id, seen.friend_id})
    return referrals.locked(referral_id)


def _sign(referral: Referral, reason: str, actor: str, at: datetime) -> None:
    referral.decided_by, referral.decided_at = actor, at
    referral.note = notes.seal(member=referral.referrer_id, text=reason.strip())
    referral.save()


def _wrong_state(referral: Referral) -> ReferralDecisionError:
    message = _("The referral does not stand where this can be done.")
    return ReferralDecisionError("referral_state", message, 409, state=referral.state)
