"""Coupons follow orders and reservations, in the transaction that changed these.

What an order wants is compared with what it has: so the order in which facts come does not matter,
nor how often. An order wants the coupons that its version in force names, and those that its
reservation held, while it counts; it has its uses. A coupon comes back when the order is worth
nothing any more, is another member's, or has dropped it.

Source: design §5.1 (1), §5.3 (8), §5.6; RWD-01.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from config.base import clock
from members.models import Touchpoint
from rewards.domain import coupon_codes, coupons, fields
from rewards.domain.cart import SPEND_KINDS, Line, OrderVersion
from rewards.domain.coupons import TERM_REASONS, CouponState, Occasion
from rewards.domain.holds import HoldState
from rewards.services import coupon_shoppers, coupons_in_hand
from rewards.services.coupon_shoppers import Purchase, Shoppers
from rewards.services.coupon_terms import state_of, terms_of
from rewards.services.coupons_in_hand import HELD, REDEEMED, CouponsInHand, Place
from rewards.services.happened import Happened, OrderNews


@dataclass(slots=True)
class _Wanting:
    """An order with the coupons that it wants: as sent, by their normal form."""

    news: OrderNews
    counts: bool
    sent: dict[str, str] = field(default_factory=dict)

    @property
    def reservation(self) -> int:
        """Return the id of the reservation that pays for the order; 0 where none does."""
        return self.news.state.hold or 0

    @property
    def reference(self) -> str:
        """Return what a till calls the order when it redeems a coupon beforehand."""
        return reference_of(self.news.state.source, self.news.state.order_no)

    @property
    def purchase(self) -> Purchase:
        """Return the order as one of its member's purchases."""
        state = self.news.state
        return Purchase(self.news.member, state.placed_at, state.source, state.order_no)


def reference_of(source: str, order_no: str) -> str:
    """Return the reference under which a coupon is redeemed for an order."""
    return f"{source}/{order_no}"


def follow_coupons(happened: Happened) -> None:
    """Settle what closed reservations held, then let orders have the coupons that they want.

    No statement where no order has ever named a coupon or a reservation, and none was closed.
    """
    wanting = _wanting(happened.orders)
    if not wanting and not happened.closed_holds:
        return
    in_hand = coupons_in_hand.take(
        codes={code for each in wanting for code in each.sent},
        orders={each.news.order for each in wanting},
        reservations=happened.closed_holds.keys() | {each.reservation for each in wanting},
        references={each.reference for each in wanting if each.sent},
        at=happened.at,
        actor=happened.actor,
    )
    following = _Following(happened, in_hand or _nothing(happened))
    following.follow_reservations()
    following.follow_orders(wanting)
    if in_hand is not None or following.in_hand.cases:
        following.in_hand.write()


def _nothing(happened: Happened) -> CouponsInHand:
    return CouponsInHand(happened.at, happened.actor, {}, [])


def _wanting(orders: Iterable[OrderNews]) -> list[_Wanting]:
    """Return each order that has, or may have, to do with coupons, as its owner's."""
    found: dict[int, _Wanting] = {}
    for news in orders:
        if not news.names_coupons:
            continue
        counts = news.counts and news.version.member == news.member
        if news.order not in found or counts:
            found[news.order] = _want(news, counts=counts)
    return sorted(found.values(), key=lambda each: each.news.state.sort_key)


def _want(news: OrderNews, *, counts: bool) -> _Wanting:
    if not counts:
        return _Wanting(news, counts=False)
    sent = news.version.body.get("coupons", ())
    return _Wanting(news, counts=True, sent={coupon_codes.normalise(code): code for code in sent})


class _Following:
    """One batch, with its coupons in hand."""

    def __init__(self, happened: Happened, in_hand: CouponsInHand) -> None:
        self.happened = happened
        self.in_hand = in_hand
        self.given_out = coupons_in_hand.usable(in_hand.coupons.values())
        self.shoppers = Shoppers()

    # Reservations

    def follow_reservations(self) -> None:
        """Make what was captured final, and give back what was released or has lapsed."""
        for use in self.in_hand.uses:
            state = self.happened.closed_holds.get(use.reservation_id or 0)
            if state is None or use.status != HELD:
                continue
            if state is HoldState.CAPTURED and use.reservation is not None:
                self.in_hand.redeem_held(use, use.reservation.order_id)
            else:
                self.in_hand.give_back(use)

    # Orders

    def follow_orders(self, wanting: list[_Wanting]) -> None:
        """Give back what orders no longer want, then let them have what they do."""
        for each in wanting:
            self._return_unwanted(each)
        asking = [each for each in wanting if each.counts and self._may_take(each)]
        if not asking:
            return
        known = [self.given_out[c] for each in asking for c in each.sent if c in self.given_out]
        self.shoppers = coupon_shoppers.about([each.purchase for each in asking], known)
        for each in asking:
            for code in sorted(self._wanted(each)):
                self._take(each, code)
            self._judge(each)

    @staticmethod
    def _may_take(each: _Wanting) -> bool:
        """Say whether the order asks anew: a refund of it takes nothing."""
        return each.news.is_new_version or not each.news.counted_before

    def _wanted(self, each: _Wanting) -> set[str]:
        """Return the codes that the order wants: named by it, or held by its reservation."""
        held = {
            use.coupon.code
            for use in self.in_hand.uses
            if use.reservation is not None and use.reservation_id == each.reservation
            and use.reservation.order_id == each.news.order
        }  # fmt: skip
        return held | each.sent.keys() if each.counts else set()

    def _return_unwanted(self, each: _Wanting) -> None:
        wanted = self._wanted(each)
        for use in self.in_hand.of_order(each.news.order):
            is_theirs = use.member_id in (None, each.news.member)
            if use.coupon.code not in wanted or not is_theirs:
                self.in_hand.give_back(use)

    def _take(self, each: _Wanting, code: str) -> None:
        """Let an order have a coupon, if that is still possible; else say why not."""
        news, coupon = each.news, self.given_out.get(code)
        if coupon is None:
            self._tell(each, code, "coupon_unknown")
            return
        uses = self.in_hand.of_coupon(coupon)
        if any(use.order_id == news.order and use.status == REDEEMED for use in uses):
            return
        for use in uses:
            if use.status == HELD and use.reservation_id == each.reservation:
                self.in_hand.redeem_held(use, news.order, each.reference)
                return
            if use.order_id is None and use.status == REDEEMED and use.reference == each.reference:
                self.in_hand.adopt(use, news.order)
                return
        state = state_of(
            coupon,
            is_theirs=self.shoppers.owns(news.member, coupon),
            member_uses=self.shoppers.uses_of(news.member, coupon),
        )
        reasons = coupons.reasons_of_code(state, news.state.placed_at)
        if reasons:
            self._tell(each, code, "coupon_not_usable", reasons)
            return
        self.in_hand.redeem(coupon, self._place(each))
        self.shoppers.count(news.member, coupon)

    def _place(self, each: _Wanting) -> Place:
        touchpoint: Touchpoint | None = self.happened.touchpoint
        return Place(each.news.member, each.news.order, each.reference, touchpoint)

    def _judge(self, each: _Wanting) -> None:
        """Keep what each coupon took off, and say which conditions the order does not meet."""
        uses = {use.coupon.code: use for use in self.in_hand.of_order(each.news.order)}
        version = each.news.state.version
        if not uses or version is None:
            return
        sold = version.lines
        lines = coupons.without_coupons(sold, uses.keys())
        states = [CouponState(code, terms_of(use.coupon.template)) for code, use in uses.items()]
        occasion = Occasion(
            each.news.state.placed_at,
            _facts(each.news, version, lines),
            is_first_order=self.shoppers.is_first(each.purchase),
        )
        applied = coupons.apply(states, lines, occasion)
        for code, use in uses.items():
            verdict = applied.of(code)
            taken = coupons.taken_by(sold, code)
            self.in_hand.note_discount(use, verdict.discount if taken is None else taken)
            reasons = [reason for reason in verdict.reasons if reason["code"] in TERM_REASONS]
            if reasons:
                self._tell(each, code, "coupon_not_usable", reasons)

    def _tell(
        self, each: _Wanting, code: str, what: str, reasons: Iterable[Mapping[str, object]] = ()
    ) -> None:
        """Say with the answer what could not be done, and let somebody look at it."""
        issue: dict[str, Any] = {"code": what, "coupon": each.sent.get(code, code)}
        if why := [dict(reason) for reason in reasons]:
            issue["why"] = why
        news = each.news
        fact = news.version.id if news.is_new_version else news.fact
        self.happened.tell_issue(fact, issue)
        self.in_hand.open_case(news.member, fact, issue)


def _facts(news: OrderNews, version: OrderVersion, lines: Iterable[Line]) -> Mapping[str, object]:
    return order_facts(
        version, tuple(lines), source=news.state.source, at=news.state.placed_at
    ) | dict(news.member_facts)


def order_facts(
    version: OrderVersion, lines: tuple[Line, ...], *, source: str, at: datetime
) -> dict[str, object]:
    """Return what conditions may ask of an order: its amounts are those before coupons."""
    net = sum(line.amount for line in lines)
    spend = sum(line.amount for line in lines if line.kind in SPEND_KINDS)
    return fields.order_facts(version, source=source, net=net, spend=spend, local=clock.local(at))
