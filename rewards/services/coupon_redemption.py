"""Commands on coupons by themselves: redeem one without an order, roll that back, claim one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Touchpoint
from members.services import identity, presence
from members.services.presence import NO_PROOF, Proof
from rewards import coupon_words
from rewards.domain import coupon_codes, coupons
from rewards.domain.coupons import Item, Occasion
from rewards.models import Coupon, CouponTemplate, CouponUse, CouponUseStatus
from rewards.services import coupon_issue, coupon_refusals, coupon_shoppers, coupons_in_hand
from rewards.services.commands import Command, command
from rewards.services.coupon_holds import reasons_before_cart
from rewards.services.coupon_issue import CouponTemplateNotFoundError
from rewards.services.coupon_reading import CouponCart, Shopper, not_for_member
from rewards.services.coupon_refusals import CouponNotUsableError
from rewards.services.coupon_terms import state_of
from rewards.services.coupons_in_hand import REDEEMED, CouponsInHand, Place


class CouponUseNotFoundError(DomainError):
    """There is no use of a coupon with this id, and no coupon that was used."""

    def __init__(self) -> None:
        super().__init__("coupon_use_not_found", _("There is no such use of a coupon."), 404)


class CouponUseClosedError(DomainError):
    """The use belongs to an order or a reservation, which has to be changed instead."""

    def __init__(self) -> None:
        super().__init__(
            "coupon_use_of_order",
            _("The coupon was used on an order or is set aside: change that instead."),
            409,
        )


class CouponClaimError(DomainError):
    """The member may not claim this coupon: not any, not by this member, or not another one."""


@dataclass(frozen=True, slots=True)
class Redeeming:
    """A coupon to redeem: its code as sent, for which purchase, and the cart where there is one."""

    code: str
    reference: str = ""
    cart: CouponCart | None = None
    proof: Proof = NO_PROOF


def redeem(
    *,
    member: int | None,
    wanted: Redeeming,
    touchpoint: Touchpoint | None,
    at: datetime,
    actor: str,
) -> CouponUse:
    """Use a coupon without an order; for the same reference again it is the same use.

    An order that is sent later under the reference, and names the coupon, takes the use over.
    Raises: CouponUnknownError, CouponMistypedError, CouponNotUsableError, MemberFrozenError,
    MemberNotFoundError, PresenceError.
    Source: RWD-01.
    """
    with _shopping(member, touchpoint, at, actor) as shopper:
        if member is not None:
            presence.use_up(member=member, proof=wanted.proof, at=at)
        code = coupon_codes.normalise(wanted.code)
        references = {wanted.reference} - {""}
        in_hand = coupons_in_hand.take(codes={code}, references=references, at=at, actor=actor)
        found = {} if in_hand is None else coupons_in_hand.usable(in_hand.coupons.values())
        if in_hand is None or code not in found:
            raise coupon_refusals.unknown(wanted.code)
        use = _used_before(in_hand, found[code], wanted.reference)
        if use is None:
            use = _redeem(in_hand, found[code], shopper, wanted, touchpoint)
        in_hand.write()
    return CouponUse.objects.select_related("coupon__template").get(public_id=use.public_id)


def roll_back(*, use: UUID, at: datetime, actor: str) -> CouponUse:
    """Give a use back to its coupon, which keeps its own expiry. Again is the same answer.

    `use` is the id of the use, or of a coupon: then its latest one.
    Raises: CouponUseNotFoundError, CouponUseClosedError.
    """
    row = _use_of(use)
    with _giving_back(row.member_id, at, actor):
        in_hand = coupons_in_hand.take(codes={row.coupon.code}, at=at, actor=actor)
        assert in_hand is not None
        row.refresh_from_db()
        if row.order_id is not None or row.status == CouponUseStatus.HELD:
            raise CouponUseClosedError
        if row.status == CouponUseStatus.REDEEMED:
            row.coupon = in_hand.coupons[row.coupon.code]
            in_hand.give_back(row)
        in_hand.write()
    return row


def claim(*, member: int, template: str, at: datetime, actor: str) -> Coupon:
    """Give a member a coupon that members may claim, as often as each of them may.

    Raises: CouponTemplateNotFoundError, CouponClaimError, CouponTemplateInactiveError,
    CouponTemplateExhaustedError, MemberFrozenError, MemberNotFoundError.
    Source: RWD-01, RWD-08.
    """
    row = CouponTemplate.objects.filter(code=template).first()
    if row is None:
        raise CouponTemplateNotFoundError(template)
    with command(member=member, at=at, actor=actor) as current:
        _check_claim(row, current)
        (coupon,) = coupon_issue.issue(template=row, member=member, count=1, at=at, actor=actor)
    return coupon


def give(*, member: int, template: str, count: int, at: datetime, actor: str) -> list[Coupon]:
    """Give a member coupons of a template by hand.

    Raises: CouponTemplateNotFoundError, CouponTemplateInactiveError,
    CouponTemplateExhaustedError, MemberFrozenError, MemberNotFoundError.
    """
    row = CouponTemplate.objects.filter(code=template).first()
    if row is None:
        raise CouponTemplateNotFoundError(template)
    with command(member=member, at=at, actor=actor):
        return coupon_issue.issue(template=row, member=member, count=count, at=at, actor=actor)


@contextmanager
def _shopping(
    member: int | None, touchpoint: Touchpoint | None, at: datetime, actor: str
) -> Iterator[Shopper]:
    """Lock the member where there is one: somebody may come with a code and nothing else."""
    if member is None:
        with transaction.atomic():
            yield Shopper()
        return
    with command(member=member, at=at, actor=actor, touchpoint=touchpoint) as current:
        yield Shopper(member, current.member_facts)


@contextmanager
def _giving_back(member: int | None, at: datetime, actor: str) -> Iterator[None]:
    if member is None:
        with transaction.atomic():
            yield
        return
    with command(member=member, at=at, actor=actor, needs_active=False):
        yield


def _used_before(in_hand: CouponsInHand, coupon: Coupon, reference: str) -> CouponUse | None:
    """Return the use of the coupon under the same reference."""
    found = (
        use
        for use in in_hand.of_coupon(coupon)
        if use.status == REDEEMED and use.reference == reference and reference
    )
    return next(found, None)


def _redeem(
    in_hand: CouponsInHand,
    coupon: Coupon,
    shopper: Shopper,
    wanted: Redeeming,
    touchpoint: Touchpoint | None,
) -> CouponUse:
    at = in_hand.at
    purchase = shopper.purchase(at)
    shoppers = coupon_shoppers.about([] if purchase is None else [purchase], [coupon])
    place = Place(shopper.member, None, wanted.reference, touchpoint)
    if wanted.cart is None:
        reasons = reasons_before_cart(coupon, shoppers, purchase, at)
        if shopper.facts is not None:
            reasons += not_for_member(coupon.template, shopper.facts)
        _refuse_for(reasons, wanted.code)
        return in_hand.redeem(coupon, place)
    state = state_of(
        coupon,
        is_theirs=shoppers.owns(shopper.member, coupon),
        member_uses=shoppers.uses_of(shopper.member, coupon),
    )
    occasion = Occasion(
        at, wanted.cart.facts(at) | (shopper.facts or {}), shoppers.is_first(purchase)
    )
    verdict = coupons.judge(state, wanted.cart.lines, occasion)
    _refuse_for(verdict.reasons, wanted.code)
    return in_hand.redeem(coupon, place, verdict.discount)


def _refuse_for(reasons: "list[Item] | tuple[Item, ...]", sent: str) -> None:
    if reasons:
        raise CouponNotUsableError(sent, reasons)


def _use_of(public_id: UUID) -> CouponUse:
    uses = CouponUse.objects.select_related("coupon__template")
    use = uses.filter(public_id=public_id).first()
    if use is None:
        redeemed = uses.filter(coupon__public_id=public_id, redeemed_at__isnull=False)
        use = redeemed.order_by("-redeemed_at", "-pk").first()
    if use is None:
        raise CouponUseNotFoundError
    return use


def _check_claim(template: CouponTemplate, current: Command) -> None:
    """Refuse a claim under the member's lock.

    Raises: CouponClaimError.
    """
    if not template.is_claimable:
        raise CouponClaimError("coupon_not_claimable", _("Members do not claim this coupon."), 409)
    reasons = not_for_member(template, current.member_facts or {})
    if reasons:
        raise CouponClaimError(
            "coupon_not_for_member",
            _("The coupon is for other members."),
            403,
            reasons=coupon_words.rendered(reasons),
        )
    line = identity.lineage(current.member)
    mine = Coupon.objects.filter(template=template, member__in=line)
    if mine.filter(grant=None, redemption=None).count() >= template.claims_per_member:
        raise CouponClaimError(
            "coupon_claimed", _("The member has claimed this coupon already."), 409,
            limit=template.claims_per_member,
        )  # fmt: skip
