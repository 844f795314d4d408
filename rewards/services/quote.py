"""Quote a cart: what the member would pay and earn, and why. Writes nothing.

Source: design §6 (quotes); PTS-02, BEN-04.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from members.models import MemberStatus, Touchpoint
from rewards.domain import paying, quotation
from rewards.domain.cart import PAID, Line
from rewards.domain.explanation import MemberTier
from rewards.domain.paying import Payable, PayTerms
from rewards.domain.posting import FactOutcome
from rewards.domain.quotation import TierDiscount
from rewards.domain.receipt import POINTS_TENDER
from rewards.domain.submission import OrderFact, Tender
from rewards.services import coupon_reading, quote_tokens
from rewards.services.coupon_reading import Check, Checked, CouponCart
from rewards.services.quote_tokens import Quoted
from rewards.services.rehearsal import Rehearsal
from tiers import queries as tier_queries
from tiers.queries import BenefitLeft


@dataclass(frozen=True, slots=True)
class Cart:
    """What somebody is about to buy.

    `source` is where the order would come from, `points` how many are to pay for a part of it.
    """

    lines: tuple[Line, ...]
    source: str = ""
    store: str = ""
    coupons: tuple[str, ...] = ()
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What the cart would cost and earn; `lines` are those of the order to send.

    Units: money is minor units.
    """

    member: UUID
    tier: MemberTier
    tier_after: MemberTier
    lines: tuple[Line, ...]
    list_total: int
    discount: TierDiscount
    coupons: Check
    other_coupons: tuple[Checked, ...]
    benefits: tuple[BenefitLeft, ...]
    pay_terms: PayTerms
    payable: Payable
    available: int
    outcome: FactOutcome
    points: dict[str, int]
    token: str

    @property
    def used_coupons(self) -> dict[str, int]:
        """Return the codes that the order uses, with what each takes off."""
        return _used(self.coupons)

    @property
    def total(self) -> int:
        """Return what the lines cost after all discounts."""
        return quotation.total(self.lines)

    @property
    def to_pay(self) -> int:
        """Return what is left to pay when the points have paid their part."""
        return self.total - self.payable.amount


def quote(*, member: int, cart: Cart, touchpoint: Touchpoint | None, at: datetime) -> Quote:
    """Return what a cart would cost and earn a member now.

    Raises: MemberNotFoundError, ProgrammeMissingError.
    """
    rehearsal = Rehearsal(member=member, touchpoint=touchpoint, at=at)
    tier, book = rehearsal.tier, rehearsal.book
    bp = book.ladders.at(at).tier(tier.rank).discount_bp
    lines, discount = quotation.take_tier_discount(cart.lines, tier=tier.code, bp=bp)
    check, others = _coupons(rehearsal, cart, lines)
    lines = check.lines
    terms = book.policy_at(at).paying
    payable = _payable(terms, rehearsal, lines, cart.points)
    available = rehearsal.account.available
    used = _used(check)
    outcome = rehearsal.outcome_of(_order(cart, lines, tuple(used), payable, at))
    awards = outcome.decided[0].awards
    public_id = rehearsal.locked[member].public_id
    earned = sum(awards.values())
    quoted = Quoted(str(public_id), tier.code, bp, earned, tuple(used.items()), payable.points)
    return Quote(
        member=public_id,
        tier=tier,
        tier_after=book.tier_at(at, outcome.rank_after),
        lines=lines,
        list_total=quotation.total(cart.lines),
        discount=discount,
        coupons=check,
        other_coupons=others,
        benefits=tuple(tier_queries.benefits_left([member], at, _tier_held(rehearsal))[member]),
        pay_terms=terms,
        payable=payable,
        available=available,
        outcome=outcome,
        points={book.ref(key).code: points for key, points in awards.items()},
        token=quote_tokens.sign(quoted),
    )


def _tier_held(rehearsal: Rehearsal) -> dict[int, int]:
    return {rehearsal.member: rehearsal.book.tier_ids[rehearsal.tier.code]}


def _coupons(
    rehearsal: Rehearsal, cart: Cart, lines: tuple[Line, ...]
) -> tuple[Check, tuple[Checked, ...]]:
    """Return what the coupons do when the tier has had its discount."""
    touchpoint = rehearsal.touchpoint
    return coupon_reading.offer(
        codes=cart.coupons,
        member=rehearsal.member,
        facts=rehearsal.member_facts,
        cart=CouponCart(
            lines, cart.source, cart.store, "" if touchpoint is None else touchpoint.channel
        ),
        at=rehearsal.at,
    )


def _used(check: Check) -> dict[str, int]:
    """Return the coupons that the order will use, with what each takes off."""
    return {
        each.coupon.code: each.verdict.discount
        for each in check.checked
        if each.coupon is not None and each.verdict is not None and each.verdict.is_usable
    }


def _payable(
    terms: PayTerms, rehearsal: Rehearsal, lines: Sequence[Line], asked: int | None
) -> Payable:
    if rehearsal.status != MemberStatus.ACTIVE:
        code = "member_frozen" if rehearsal.status == MemberStatus.FROZEN else "member_not_active"
        return Payable(0, 0, 0, ({"code": code},))
    account = rehearsal.account
    return paying.payable(
        terms,
        goods=quotation.goods(lines),
        available=account.available,
        debt=account.debt,
        asked=asked,
    )


def _order(
    cart: Cart, lines: tuple[Line, ...], coupons: tuple[str, ...], payable: Payable, at: datetime
) -> OrderFact:
    tenders = (Tender(POINTS_TENDER, payable.amount),) if payable.points else ()
    return OrderFact(
        source=cart.source,
        order_no="",
        version=None,
        changed_at=None,
        member=None,
        status=PAID,
        placed_at=at,
        currency=settings.LOYALTY_CURRENCY,
        lines=lines,
        tenders=tenders,
        store=cart.store,
        coupons=coupons,
    )
