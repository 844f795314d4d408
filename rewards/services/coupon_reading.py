"""Coupons as they stand, read for a quote, a check or a page; nothing is locked or written."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Q

from config.base import conditions
from members.services import identity
from rewards.domain import coupon_codes, coupons
from rewards.domain.cart import PAID, Line, OrderVersion
from rewards.domain.coupons import CouponState, Item, Occasion, Verdict
from rewards.models import Coupon, CouponTemplate, CouponUseStatus, ReservationStatus
from rewards.services import coupon_shoppers
from rewards.services.coupon_orders import order_facts
from rewards.services.coupon_shoppers import Purchase, Shoppers
from rewards.services.coupon_terms import state_of, terms_of

MOST_OFFERED: Final = 50


@dataclass(frozen=True, slots=True)
class CouponCart:
    """What is about to be bought, and where; the lines cost what they cost before coupons."""

    lines: tuple[Line, ...]
    source: str = ""
    store: str = ""
    channel: str = ""

    def facts(self, at: datetime) -> dict[str, object]:
        """Return what conditions may ask of the order."""
        version = OrderVersion(1, PAID, self.lines, 0, self.channel, self.store, at)
        return order_facts(version, self.lines, source=self.source, at=at)


@dataclass(frozen=True, slots=True)
class Shopper:
    """Who buys: the member, if known, and what conditions may ask of it."""

    member: int | None = None
    facts: dict[str, object] | None = None

    def purchase(self, at: datetime) -> Purchase | None:
        """Return the purchase that is about to be made."""
        return None if self.member is None else coupon_shoppers.about_to_buy(self.member, at)


@dataclass(frozen=True, slots=True)
class Checked:
    """A code as it was sent, with its coupon and the verdict; None for one that leads nowhere."""

    sent: str
    coupon: Coupon | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """The codes that somebody asked about, in their order, and what the usable ones take off.

    Units: money in minor units; `discount` is None where there was no cart.
    """

    checked: tuple[Checked, ...]
    lines: tuple[Line, ...]
    discount: int | None

    @property
    def unknown(self) -> int:
        """Return how many codes lead nowhere."""
        return sum(each.coupon is None for each in self.checked)


def check(
    *, codes: Sequence[str], shopper: Shopper, cart: CouponCart | None, at: datetime
) -> Check:
    """Say of codes whether they can be used together, on a cart if there is one.

    Source: RWD-01, RWD-07, CMP-16.
    """
    sent = {coupon_codes.normalise(code): code for code in codes}
    found = by_code(sent)
    purchase = shopper.purchase(at)
    shoppers = coupon_shoppers.about([] if purchase is None else [purchase], found.values())
    states = _states(found.values(), shoppers, shopper.member, at)
    is_first = shoppers.is_first(purchase)
    if cart is None:
        verdicts = {
            code: _before_cart(states[code], found[code], shopper, at, is_first=is_first)
            for code in found
        }
        return Check(_checked(sent, found, verdicts), (), None)
    facts = cart.facts(at) | (shopper.facts or {})
    applied = coupons.apply(states.values(), cart.lines, Occasion(at, facts, is_first))
    verdicts = {verdict.code: verdict for verdict in applied.verdicts}
    return Check(_checked(sent, found, verdicts), applied.lines, applied.discount)


def offer(
    *, codes: Sequence[str], member: int, facts: dict[str, object], cart: CouponCart, at: datetime
) -> tuple[Check, tuple[Checked, ...]]:
    """Say what these codes do together on a cart, and each other coupon of the member by itself.

    The others are those that can be used now, the newest ones first.
    """
    sent = {coupon_codes.normalise(code): code for code in codes}
    found = _by_code_or_of(sent, member, at)
    purchase = coupon_shoppers.about_to_buy(member, at)
    shoppers = coupon_shoppers.about([purchase], found.values())
    states = _states(found.values(), shoppers, member, at)
    occasion = Occasion(at, cart.facts(at) | facts, shoppers.is_first(purchase))
    named = [states[code] for code in sent if code in states]
    applied = coupons.apply(named, cart.lines, occasion)
    verdicts = {verdict.code: verdict for verdict in applied.verdicts}
    others = tuple(
        Checked(
            coupon_codes.for_people(code),
            coupon,
            coupons.judge(states[code], cart.lines, occasion),
        )
        for code, coupon in found.items()
        if code not in sent
    )
    return Check(_checked(sent, found, verdicts), applied.lines, applied.discount), others


def _by_code_or_of(codes: Collection[str], member: int, at: datetime) -> dict[str, Coupon]:
    """Return coupons by their codes, and those that the member can use now, in one statement."""
    mine = Coupon.objects.live(at).filter(member__in=identity.lineage_subquery(member))
    newest = mine.order_by("-pk").values("pk")[:MOST_OFFERED]
    rows = Coupon.objects.given_out().filter(Q(code__in=list(codes)) | Q(pk__in=newest))
    return {coupon.code: coupon for coupon in rows.select_related("template").order_by("-pk")}


def by_code(codes: Collection[str]) -> dict[str, Coupon]:
    """Return the coupons that were given out under these codes, in normal form."""
    rows = Coupon.objects.given_out().filter(code__in=list(codes)).select_related("template")
    return {coupon.code: coupon for coupon in rows}


def coupons_of(
    member: int, *, at: datetime, live: bool, before: int | None, limit: int
) -> list[Coupon]:
    """Return a member's coupons, those made last first, one more than the limit.

    What lapsed reservations hold is no longer held. With `live` only those that can be used.
    """
    rows = Coupon.objects.filter(member__in=identity.lineage(member))
    if live:
        rows = rows.live(at)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.select_related("template").order_by("-pk")[: limit + 1])
    lapsed = _lapsed([coupon.pk for coupon in found if coupon.held], at)
    for coupon in found:
        coupon.held -= lapsed.get(coupon.pk, 0)
    return found


def claimable(member: int, facts: dict[str, object], at: datetime) -> list[CouponTemplate]:
    """Return the templates of which a member may claim a coupon now.

    Source: RWD-08.
    """
    open_now = CouponTemplate.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=at), is_active=True, is_claimable=True
    ).order_by("code")
    mine = Q(
        coupons__member__in=identity.lineage(member), coupons__grant=None, coupons__redemption=None
    )
    counted = open_now.annotate(claimed=Count("coupons", filter=mine))
    return [
        template
        for template in counted
        if template.claimed < template.claims_per_member
        and (template.max_issued is None or template.issued < template.max_issued)
        and not not_for_member(template, facts)
    ]


def not_for_member(template: CouponTemplate, facts: dict[str, object]) -> list[Item]:
    """Return what of the template's conditions a member does not meet, whatever is bought."""
    node = terms_of(template).member_conditions
    if node is None or conditions.holds(node, facts):
        return []
    failed = [cause.to_json() for cause in conditions.causes(node, facts)]
    return [{"code": "condition_not_met", "failed": failed}]


def _before_cart(
    state: CouponState, coupon: Coupon, shopper: Shopper, at: datetime, *, is_first: bool
) -> Verdict:
    reasons = coupons.reasons_of_code(state, at)
    if shopper.facts is not None:
        reasons += not_for_member(coupon.template, shopper.facts)
    if state.terms.is_first_order_only and not is_first:
        reasons.append({"code": "not_first_order"})
    return Verdict(state.code, state.terms.template, {}, tuple(reasons))


def _checked(
    sent: dict[str, str], found: dict[str, Coupon], verdicts: dict[str, Verdict]
) -> tuple[Checked, ...]:
    return tuple(
        Checked(written, found.get(code), verdicts.get(code)) for code, written in sent.items()
    )


def _states(
    found: Iterable[Coupon], shoppers: Shoppers, member: int | None, at: datetime
) -> dict[str, CouponState]:
    """Return how coupons stand for who is about to buy; what has lapsed is held no more."""
    listed = list(found)
    lapsed = _lapsed([coupon.pk for coupon in listed if coupon.held], at)
    return {
        coupon.code: state_of(
            coupon,
            is_theirs=shoppers.owns(member, coupon),
            member_uses=shoppers.uses_of(member, coupon),
            held_by_us=lapsed.get(coupon.pk, 0),
        )
        for coupon in listed
    }


def _lapsed(ids: Collection[int], at: datetime) -> dict[int, int]:
    """Return how many uses of these coupons are held by reservations whose time is over."""
    if not ids:
        return {}
    over = Q(
        uses__status=CouponUseStatus.HELD,
        uses__reservation__status=ReservationStatus.HELD,
        uses__reservation__expires_at__lte=at,
    )
    rows = Coupon.objects.filter(pk__in=ids).annotate(lapsed=Count("uses", filter=over))
    return dict(rows.values_list("pk", "lapsed"))
