"""Quote a cart: what the member would pay and earn, and why. Writes nothing.

Source: design §6 (quotes); PTS-02, BEN-04.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from rewards.services import quote_tokens
from rewards.services.quote_tokens import Quoted
from rewards.services.rehearsal import Rehearsal


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
    pay_terms: PayTerms
    payable: Payable
    available: int
    outcome: FactOutcome
    points: dict[str, int]
    token: str

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
    terms = book.policy_at(at).paying
    payable = _payable(terms, rehearsal, lines, cart.points)
    available = rehearsal.account.available
    outcome = rehearsal.outcome_of(_order(cart, lines, payable, at))
    awards = outcome.decided[0].awards
    public_id = rehearsal.locked[member].public_id
    quoted = Quoted(str(public_id), tier.code, bp, sum(awards.values()), (), payable.points)
    return Quote(
        member=public_id,
        tier=tier,
        tier_after=book.tier_at(at, outcome.rank_after),
        lines=lines,
        list_total=quotation.total(cart.lines),
        discount=discount,
        pay_terms=terms,
        payable=payable,
        available=available,
        outcome=outcome,
        points={book.ref(key).code: points for key, points in awards.items()},
        token=quote_tokens.sign(quoted),
    )


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


def _order(cart: Cart, lines: tuple[Line, ...], payable: Payable, at: datetime) -> OrderFact:
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
        lines=tuple(replace(line) for line in lines),
        tenders=tenders,
        store=cart.store,
        coupons=cart.coupons,
    )
