"""A new member came with somebody's code: note whose, look at what is odd, welcome the friend.

Source: ENG-04.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from campaigns.domain import referrals as domain
from campaigns.domain.referrals import Reason
from campaigns.models import Referral, ReferralCode, ReferralState
from campaigns.services import referral_checks as checks
from campaigns.services import referral_codes, referral_rewards, referral_terms
from campaigns.services.referral_checks import Pair
from config.base import clock
from config.base.errors import DomainError
from members.models import Case, Member, MemberStatus
from members.services import events
from members.services.events import NewEvent
from rewards.services import coupons, loading

TOO_MANY_FRIENDS: Final = "referral_burst"
CODE_REFUSED: Final = "referral.code_refused"

logger = logging.getLogger(__name__)


@transaction.atomic
def register(*, friend_id: int, code: str, joined_at: datetime, at: datetime) -> Referral | None:
    """Note whose code has brought a new member, and give the friend the promised coupon, once.

    A code that leads to nobody is told to the timeline; the profile keeps it. What looks odd is
    held, and the coupon with it. None: no programme, or no referrer.
    """
    programme = referral_terms.in_force(joined_at)
    if programme is None:
        return None
    named = referral_codes.find(code)
    referrer = None if named is None else checks.survivor_of(named.member_id)
    if named is None or referrer is None or referrer.status != MemberStatus.ACTIVE:
        _refuse_code(friend_id, "unknown", at)
        return None
    if referrer.pk == checks.survivor_of(friend_id).pk:
        _refuse_code(friend_id, "own_code", at)
        return None
    loading.lock({referrer.pk, friend_id})
    known = Referral.objects.filter(friend_id=friend_id).first()
    if known is not None:
        return known
    friend = Member.objects.get(pk=friend_id)
    pair = checks.pair_of(
        referrer=referrer, friend=friend, programme=programme, joined_at=joined_at
    )
    return _registered(pair, named, at)


def _refuse_code(friend_id: int, why: str, at: datetime) -> None:
    events.append([NewEvent(friend_id, CODE_REFUSED, at, at, {"reason": why})])


def _registered(pair: Pair, code: ReferralCode, at: datetime) -> Referral:
    verdict = domain.judge(checks.at_joining(pair), ())
    referral = Referral.objects.create(
        referrer=pair.referrer, friend=pair.friend, code=code, programme=pair.programme,
        state=ReferralState.REGISTERED if verdict.is_clean else ReferralState.HELD,
        reasons=list(verdict.reasons), registered_at=pair.joined_at,
        lapses_at=pair.joined_at + timedelta(days=pair.programme.valid_days),
    )  # fmt: skip
    for member, part in ((pair.referrer.pk, "referrer"), (pair.friend.pk, "friend")):
        referral_rewards.tell(referral, "referral.registered", at, member=member, part=part)
    if Reason.TOO_MANY in verdict.reasons:
        _open_burst(pair, at)
    if verdict.is_clean:
        welcome(referral=referral, at=at)
    return referral


def welcome(*, referral: Referral, at: datetime) -> None:
    """Give the friend the coupon for the first order, once; one that has run out is not owed."""
    template = referral.programme.friend_template
    if template is None or referral.friend_coupon_id is not None:
        return
    try:
        (referral.friend_coupon,) = coupons.issue(
            template=template, member=referral.friend_id, count=1, at=at,
            actor=referral_rewards.ACTOR,
        )  # fmt: skip
    except DomainError as refused:
        logger.warning("no coupon for the friend of referral %s: %s", referral.pk, refused.code)
        return
    referral.save(update_fields=["friend_coupon"])


def _open_burst(pair: Pair, at: datetime) -> None:
    """Open a case for a referrer of too many friends, once per day."""
    day = clock.local_day(pair.joined_at).isoformat()
    rows = Case.objects.filter(code=TOO_MANY_FRIENDS, member=pair.referrer, details__day=day)
    if not rows.exists():
        Case.objects.create(
            member=pair.referrer, code=TOO_MANY_FRIENDS, details={"day": day}, opened_at=at
        )
