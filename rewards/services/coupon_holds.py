"""Coupons set aside with a reservation."""

from collections.abc import Sequence
from datetime import datetime

from members.models import Touchpoint
from rewards.domain import coupon_codes, coupons
from rewards.domain.coupons import Item
from rewards.models import Coupon, CouponUse, Reservation
from rewards.services import coupon_refusals, coupon_shoppers, coupons_in_hand
from rewards.services.coupon_refusals import CouponNotUsableError
from rewards.services.coupon_shoppers import Purchase, Shoppers
from rewards.services.coupon_terms import state_of
from rewards.services.coupons_in_hand import Place


def hold(
    *,
    member: int,
    codes: Sequence[str],
    reservation: Reservation,
    at: datetime,
    touchpoint: Touchpoint | None,
) -> list[CouponUse]:
    """Set a member's coupons aside for a reservation, all or none.

    The caller holds the member's lock. Whether a cart meets their conditions is asked when there
    is one.
    Raises: CouponUnknownError, CouponMistypedError, CouponNotUsableError.
    """
    sent = {coupon_codes.normalise(code): code for code in codes}
    actor = "" if touchpoint is None else f"touchpoint:{touchpoint.code}"
    in_hand = coupons_in_hand.take(codes=sent, at=at, actor=actor)
    found = {} if in_hand is None else coupons_in_hand.usable(in_hand.coupons.values())
    for code, written in sent.items():
        if code not in found:
            raise coupon_refusals.unknown(written)
    assert in_hand is not None
    purchase = coupon_shoppers.about_to_buy(member, at)
    shoppers = coupon_shoppers.about([purchase], list(found.values()))
    for code in sorted(sent):
        coupon = found[code]
        reasons = reasons_before_cart(coupon, shoppers, purchase, at)
        if reasons:
            raise CouponNotUsableError(sent[code], reasons)
        in_hand.hold(coupon, reservation.pk, Place(member, touchpoint=touchpoint))
        shoppers.count(member, coupon)
    in_hand.write()
    return [use for use in in_hand.uses if use.reservation_id == reservation.pk]


def reasons_before_cart(
    coupon: Coupon, shoppers: Shoppers, purchase: Purchase | None, at: datetime
) -> list[Item]:
    """Return what stands against a coupon whatever is bought."""
    member = None if purchase is None else purchase.member
    state = state_of(
        coupon,
        is_theirs=shoppers.owns(member, coupon),
        member_uses=shoppers.uses_of(member, coupon),
    )
    reasons = coupons.reasons_of_code(state, at)
    if state.terms.is_first_order_only and not shoppers.is_first(purchase):
        reasons.append({"code": "not_first_order"})
    return reasons
