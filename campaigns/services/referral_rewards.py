"""Giving the referrer what was promised, once, and taking it back.

The caller holds the referrer's lock and the referral's row. What a reward leaves behind stands on
the referral itself: the interaction that counts for tiers, and the entry, coupon or payout.

Source: ENG-04, RWD-09.
"""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from campaigns.domain.referrals import Reason
from campaigns.models import ClawBack, Payout, PayoutState, Referral, ReferralState, RewardKind
from config.base.errors import DomainError
from members.models import Case, Member, Order
from members.services import events
from members.services.events import NewEvent
from rewards.domain.receipt import REFERRAL
from rewards.domain.submission import InteractionFact, MemberRef
from rewards.models import Entry
from rewards.services import coupon_revocation, coupons, intake
from rewards.services.commands import command
from rewards.services.coupon_revocation import CouponNotRevocableError
from rewards.services.programme import current_book

ACTOR: Final = "system"
GROUND: Final = "referral"
TAKEN_BACK: Final = "referral_taken_back"
TO_RETURN: Final = "referral_to_return"


class ReferralRewardError(DomainError):
    """The programme does not take the referral as an interaction."""


def give(*, referral: Referral, referrer: Member, order: Order, at: datetime) -> None:
    """Reward a referrer, and count the referral for tiers.

    Raises: ReferralRewardError, MemberFrozenError, CouponTemplateInactiveError,
    CouponTemplateExhaustedError.
    """
    terms = referral.programme
    referral.fact_id = _report(referrer, f"{REFERRAL}:{referral.pk}", at)
    if terms.reward == RewardKind.POINTS:
        referral.entry = _give_points(referrer.pk, terms.points or 0, at)
    elif terms.coupon_template is not None:
        with command(member=referrer.pk, at=at, actor=ACTOR):
            (referral.coupon,) = coupons.issue(
                template=terms.coupon_template, member=referrer.pk, count=1, at=at, actor=ACTOR
            )
    referral.state, referral.reasons = ReferralState.REWARDED, []
    referral.order, referral.kept_amount = order, order.qualifying_amount
    referral.rewarded_at = at
    referral.save()
    if terms.reward == RewardKind.CASH:
        Payout.objects.create(
            member=referrer, referral=referral, amount=terms.amount or 0,
            currency=settings.LOYALTY_CURRENCY, requested_at=at,
        )  # fmt: skip
    tell(referral, "referral.rewarded", at, member=referrer.pk)


def take_back(*, referral: Referral, referrer: Member, at: datetime) -> None:
    """Take a reward back whose order was given up, or open a case, as the terms say.

    Points that are spent become debt; a coupon that is used and cash that is paid open a case.
    """
    referral.reasons = [Reason.ORDER_NOT_KEPT]
    if referral.programme.claw_back == ClawBack.CASE:
        referral.save(update_fields=["reasons"])
        _open_case(referral, referrer.pk, at)
        return
    assert referral.fact_id is not None
    _report(referrer, f"{REFERRAL}:{referral.pk}/{TAKEN_BACK}", at, withdraws=referral.fact_id)
    if referral.entry is not None:
        _take_points(referrer.pk, referral.entry.points, at)
    elif not (_revoked(referral, at) if referral.coupon_id else _stopped(referral, at)):
        _open_case(referral, referrer.pk, at)
    referral.state, referral.taken_back_at = ReferralState.TAKEN_BACK, at
    referral.save(update_fields=["state", "reasons", "taken_back_at"])
    tell(referral, "referral.taken_back", at, member=referrer.pk)


def tell(
    referral: Referral, kind: str, at: datetime, *, member: int, actor: str = ACTOR, **more: Any
) -> None:
    """Append an event about a referral to a member."""
    said = {"referral": referral.pk, **more, "actor": actor}
    if referral.reasons:
        said["reasons"] = list(referral.reasons)
    events.append([NewEvent(member, kind, at, at, said)])


def _report(referrer: Member, ref: str, at: datetime, withdraws: int | None = None) -> int:
    """Let the engine fold the referral like any other interaction; its reference keeps it single.

    Raises: ReferralRewardError.
    """
    fact = InteractionFact(
        source=REFERRAL, ref=ref, member=MemberRef(public_id=referrer.public_id),
        kind=REFERRAL if withdraws is None else TAKEN_BACK, occurred_at=at, withdraws=withdraws,
    )  # fmt: skip
    (outcome,) = intake.receive([fact], touchpoint=None, at=at, actor=ACTOR, channel=REFERRAL)
    if outcome.status >= 400:
        raise ReferralRewardError(str(outcome.code), _("The referral was not counted."), 409)
    return intake.fact_ids(source=REFERRAL, refs=[ref])[ref]


def _give_points(member: int, points: int, at: datetime) -> Entry:
    with command(member=member, at=at, actor=ACTOR) as current:
        expires_at = current_book().policy_at(at).expires_at(at)
        current.account.rise(current.grounds(GROUND), points, at, expires_at=expires_at)
    rows = Entry.objects.filter(member_id=member, reason=GROUND, source="issuance")
    return rows.latest("seq")


def _take_points(member: int, points: int, at: datetime) -> None:
    with command(member=member, at=at, actor=ACTOR, needs_active=False) as current:
        current.account.fall(current.grounds(TAKEN_BACK), points, at)


def _revoked(referral: Referral, at: datetime) -> bool:
    """Take the coupon away; tell whether it was still unused."""
    try:
        coupon_revocation.revoke(
            coupons=[referral.coupon_id or 0], reason=TAKEN_BACK, at=at, actor=ACTOR
        )
    except CouponNotRevocableError:
        return False
    return True


def _stopped(referral: Referral, at: datetime) -> bool:
    """Stop the payout; tell whether it was still unpaid."""
    rows = Payout.objects.filter(
        referral=referral, state__in=[PayoutState.REQUESTED, PayoutState.APPROVED]
    )
    payout = rows.select_for_update(no_key=True, of=("self",)).first()
    if payout is None:
        return not Payout.objects.filter(referral=referral, state=PayoutState.PAID).exists()
    payout.state, payout.decided_by, payout.decided_at = PayoutState.REFUSED, ACTOR, at
    payout.save(update_fields=["state", "decided_by", "decided_at"])
    return True


def _open_case(referral: Referral, member: int, at: datetime) -> None:
    Case.objects.create(
        member_id=member, code=TO_RETURN, details={"referral": referral.pk}, opened_at=at
    )
