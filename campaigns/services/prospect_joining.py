"""A prospect has become a member: note it, tell it, and give what was promised, exactly once.

Locks are taken in one order: members by id, prospects, rows of their offers, the offer itself.

Source: CMP-13, ENG-04.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from campaigns.models import ProspectAddress, ProspectOffer, ReferralCode
from campaigns.models.prospect_offer import TOLD
from campaigns.services import referral_checks, referral_joining
from config.base.errors import DomainError
from members.models import Member, MemberProfile, Prospect
from members.services import events, prospects
from members.services.events import NewEvent
from rewards.models import CouponTemplate, Entry
from rewards.services import coupons, loading
from rewards.services.commands import command
from rewards.services.programme import current_book

ACTOR: Final = "system"
GROUND: Final = "prospect_offer"
REFERRAL_CODE: Final = "referral_code"

JOINED_BEFORE: Final = "joined_before"
TOO_LATE: Final = "too_late"
GIVEN_BEFORE: Final = "given_before"
BUDGET_SPENT: Final = "budget_spent"

logger = logging.getLogger(__name__)


@transaction.atomic
def join(*, member_id: int, occurred_at: datetime, at: datetime) -> int:
    """Let the prospects that a member was join, and give for it; return how many these were.

    Running it again, or for two members of one prospect at once, gives nothing twice.
    """
    known = prospects.of_members([member_id])
    if not known:
        return 0
    referrers = {each.referred_by_id for each in known if each.referred_by_id is not None}
    survivors = {referral_checks.survivor_of(each).pk for each in referrers}
    loading.lock({member_id, *survivors})
    member = Member.objects.get(pk=member_id)
    joined = prospects.convert(member_id=member_id, at=occurred_at)
    for prospect in joined:
        payload = {"source": prospect.source, "actor": ACTOR}
        events.append([NewEvent(member_id, "prospect.joined", occurred_at, at, payload)])
        _refer(prospect, member, at)
    for address in _told(joined):
        _settle(address, member, at)
    return len(joined)


def _told(joined: Sequence[Prospect]) -> list[ProspectAddress]:
    """Return the offers that the prospects were told of, oldest first."""
    rows = ProspectAddress.objects.filter(prospect__in=joined, state__in=TOLD)
    named = rows.select_related("offer__coupon_template").order_by("sent_at", "pk")
    return list(named.select_for_update(no_key=True, of=("self",)))


def _refer(prospect: Prospect, member: Member, at: datetime) -> None:
    """Register whose link had brought the prospect, unless the member came with a code."""
    if prospect.referred_by_id is None or member.joined_at < prospect.created_at:
        return
    if MemberProfile.objects.filter(member=member, attributes__has_key=REFERRAL_CODE).exists():
        return
    survivor = referral_checks.survivor_of(prospect.referred_by_id)
    code = ReferralCode.objects.filter(member=survivor, ended_at=None).first()
    if code is not None:
        referral_joining.register(
            friend_id=member.pk, code=code.code, joined_at=member.joined_at, at=at
        )


def _settle(address: ProspectAddress, member: Member, at: datetime) -> None:
    """Give what one offer has promised, or note and tell why not."""
    offer = address.offer
    why = _refusal(address, member)
    if not why:
        try:
            with transaction.atomic():
                given = _given(address, member, at)
        except DomainError as refused:
            why = refused.code[:40]
        else:
            told = {"offer": offer.code, "kind": offer.kind, **given, "actor": ACTOR}
            events.append([NewEvent(member.pk, "prospect.rewarded", at, at, told)])
            return
    address.not_given = why
    address.save(update_fields=["not_given"])
    payload = {"offer": offer.code, "reason": why, "actor": ACTOR}
    events.append([NewEvent(member.pk, "prospect.not_rewarded", at, at, payload)])


def _refusal(address: ProspectAddress, member: Member) -> str:
    assert address.sent_at is not None
    assert address.good_until is not None
    if member.joined_at < address.sent_at:
        return JOINED_BEFORE
    if member.joined_at >= address.good_until:
        return TOO_LATE
    given = ProspectAddress.objects.filter(
        offer=address.offer_id, member=member, given_at__isnull=False
    )
    return GIVEN_BEFORE if given.exists() else ""


class BudgetSpentError(DomainError):
    """The offer has been given as often as it may be."""

    def __init__(self) -> None:
        super().__init__(BUDGET_SPENT, "", 409)


def _given(address: ProspectAddress, member: Member, at: datetime) -> dict[str, Any]:
    """Give points or a coupon, counted against the offer; return what the event says of it.

    Raises: BudgetSpentError, MemberFrozenError, CouponTemplateInactiveError,
    CouponTemplateExhaustedError.
    """
    offer = address.offer
    told: dict[str, Any]
    if offer.coupon_template is None:
        address.entry = _give_points(member.pk, offer.points or 0, at)
        told = {"points": offer.points}
    else:
        address.coupon_id = _give_coupon(member.pk, offer.coupon_template, at)
        told = {"coupon": offer.coupon_template.code}
    # Last, so that members who join at once wait for each other as briefly as can be.
    rows = ProspectOffer.objects.filter(pk=offer.pk, given__lt=F("most_given"))
    if not rows.update(given=F("given") + 1):
        address.entry = address.coupon = None
        raise BudgetSpentError
    address.member, address.given_at = member, at
    address.save(update_fields=["entry", "coupon", "member", "given_at"])
    return told


def _give_points(member: int, points: int, at: datetime) -> Entry:
    with command(member=member, at=at, actor=ACTOR) as current:
        expires_at = current_book().policy_at(at).expires_at(at)
        current.account.rise(current.grounds(GROUND), points, at, expires_at=expires_at)
    return Entry.objects.filter(member_id=member, reason=GROUND, source="issuance").latest("seq")


def _give_coupon(member: int, template: CouponTemplate, at: datetime) -> int:
    with command(member=member, at=at, actor=ACTOR):
        (coupon,) = coupons.issue(template=template, member=member, count=1, at=at, actor=ACTOR)
    return coupon.pk
