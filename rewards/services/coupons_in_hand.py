"""Coupons in hand: locked, with the uses that matter; what is done to them is written together.

Whoever uses a coupon holds its row, so that a code is used as often as it may be and no more. The
row of a coupon is locked after the accounts of members and after templates, coupons in id order.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from config.base import money
from config.base.bulk import Table, Writes
from members.domain.public_id import new_public_id
from members.models import Order, Touchpoint
from members.services import events
from members.services.events import NewEvent
from rewards.models import Coupon, CouponUse, CouponUseStatus, Reservation, ReservationStatus
from rewards.services.tables import BIGINT, CASES, NUMERIC, TEXT, TIME

COUNTERS: Final = Table("rewards_coupon", ("id", "held", "used"), (BIGINT, BIGINT, BIGINT))
NEW_USES: Final = Table(
    "rewards_couponuse",
    ("public_id", "coupon_id", "member_id", "status", "reservation_id", "order_id", "reference",
     "discount", "touchpoint_id", "held_at", "redeemed_at", "returned_at"),
    ("uuid", BIGINT, BIGINT, TEXT, BIGINT, BIGINT, TEXT, NUMERIC, BIGINT, TIME, TIME, TIME),
)  # fmt: skip
USE_STATES: Final = Table(
    "rewards_couponuse",
    ("id", "status", "order_id", "reference", "discount", "redeemed_at", "returned_at"),
    (BIGINT, TEXT, BIGINT, TEXT, NUMERIC, TIME, TIME),
)

# Which coupons a batch is about, through an index each: by code, by the orders and the reservations
# that use them.
_ABOUT: Final = """
SELECT id FROM rewards_coupon WHERE code = ANY(%s::text[])
UNION SELECT coupon_id FROM rewards_couponuse WHERE order_id = ANY(%s::bigint[])
UNION SELECT coupon_id FROM rewards_couponuse WHERE reservation_id = ANY(%s::bigint[])
"""

HELD, REDEEMED, RETURNED = (
    CouponUseStatus.HELD.value, CouponUseStatus.REDEEMED.value, CouponUseStatus.RETURNED.value,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a coupon is used: by whom, on which order or under which reference, and from where."""

    member: int | None
    order: Order | int | None = None
    reference: str = ""
    touchpoint: Touchpoint | None = None

    @property
    def order_id(self) -> int | None:
        """Return the id of the order."""
        return self.order.pk if isinstance(self.order, Order) else self.order


@dataclass(slots=True)
class CouponsInHand:
    """Locked coupons by code, and their uses that are held or belong to what is in hand."""

    at: datetime
    actor: str
    coupons: dict[str, Coupon]
    uses: list[CouponUse]
    news: list[NewEvent] = field(default_factory=list)
    cases: list[tuple[Any, ...]] = field(default_factory=list)
    _touched: dict[int, Coupon] = field(default_factory=dict)
    _changed: dict[int, CouponUse] = field(default_factory=dict)
    _new: list[CouponUse] = field(default_factory=list)

    def of_order(self, order: int) -> list[CouponUse]:
        """Return the uses on an order that count, in the order of their codes."""
        found = [u for u in self.uses if u.order_id == order and u.status == REDEEMED]
        return sorted(found, key=lambda use: use.coupon.code)

    def of_coupon(self, coupon: Coupon) -> list[CouponUse]:
        """Return the uses of a coupon in hand."""
        return [use for use in self.uses if use.coupon_id == coupon.pk]

    def hold(self, coupon: Coupon, reservation: int, place: Place) -> CouponUse:
        """Set one use of a coupon aside."""
        coupon.held += 1
        return self._add(coupon, HELD, place, reservation=reservation, held_at=self.at)

    def redeem(self, coupon: Coupon, place: Place, discount: int | None = None) -> CouponUse:
        """Use a coupon."""
        coupon.used += 1
        use = self._add(coupon, REDEEMED, place, redeemed_at=self.at)
        use.discount = None if discount is None else money.from_minor(discount)
        self._report("coupon.redeemed", use)
        return use

    def redeem_held(self, use: CouponUse, order: int | None, reference: str = "") -> None:
        """Make a use that was set aside final."""
        use.coupon.held -= 1
        use.coupon.used += 1
        use.status, use.redeemed_at = REDEEMED, self.at
        use.order_id, use.reference = order, reference
        self._change(use)
        self._report("coupon.redeemed", use)

    def adopt(self, use: CouponUse, order: int) -> None:
        """Let a use that a till redeemed beforehand be that of its order."""
        use.order_id = order
        self._change(use)

    def note_discount(self, use: CouponUse, discount: int) -> None:
        """Keep what a use took off."""
        amount = money.from_minor(discount)
        if use.discount != amount:
            use.discount = amount
            if use.pk is not None:
                self._change(use)

    def give_back(self, use: CouponUse) -> None:
        """Return a use to its coupon, which keeps its own expiry."""
        if use.status == HELD:
            use.coupon.held -= 1
        else:
            use.coupon.used -= 1
            self._report("coupon.returned", use)
        use.status, use.returned_at = RETURNED, self.at
        self._change(use)

    def free_lapsed(self) -> None:
        """Give back what reservations hold whose time is over, whoever's they are."""
        for use in self.uses:
            if use.status == HELD and _is_over(use.reservation, self.at):
                self.give_back(use)

    def open_case(self, member: int, fact: int, issue: dict[str, Any]) -> None:
        """Let somebody look at what could not be done."""
        details = orjson.dumps(issue).decode()
        self.cases.append((member, issue["code"], fact, "open", details, self.at))

    def write(self) -> None:
        """Write counters and uses, cases and events; what is given back goes before what is new."""
        writes = Writes()
        for coupon in self._touched.values():
            writes.update(COUNTERS, (coupon.pk, coupon.held, coupon.used))
        for use in self._changed.values():
            writes.update(USE_STATES, _state_row(use))
        if self._new and any(use.status == RETURNED for use in self._changed.values()):
            writes.flush()
        for use in self._new:
            writes.insert(NEW_USES, _new_row(use))
        for case in self.cases:
            writes.insert(CASES, case)
        events.append_with(writes, self.news)
        writes.flush()

    def _add(self, coupon: Coupon, status: str, place: Place, **values: Any) -> CouponUse:
        use = CouponUse(
            public_id=new_public_id(self.at), coupon=coupon, member_id=place.member,
            status=status, order_id=place.order_id, reference=place.reference,
            touchpoint=place.touchpoint, reservation_id=values.pop("reservation", None), **values,
        )  # fmt: skip
        self._new.append(use)
        self.uses.append(use)
        self._touched[coupon.pk] = coupon
        return use

    def _change(self, use: CouponUse) -> None:
        if use.pk is not None:
            self._changed[use.pk] = use
        self._touched[use.coupon_id] = use.coupon

    def _report(self, kind: str, use: CouponUse) -> None:
        if use.member_id is None:
            return
        payload = {
            "coupon": str(use.coupon.public_id),
            "template": use.coupon.template.code,
            "use": str(use.public_id),
            "actor": self.actor,
        }
        if use.reference:
            payload["ref"] = use.reference
        self.news.append(NewEvent(use.member_id, kind, self.at, self.at, payload))


def take(
    *,
    codes: Collection[str] = (),
    orders: Collection[int] = (),
    reservations: Collection[int] = (),
    references: Collection[str] = (),
    at: datetime,
    actor: str,
) -> CouponsInHand | None:
    """Lock the coupons that have these codes or are used by these; None where there are none.

    With them come their uses that are held, and those of these orders, reservations and
    references. What lapsed reservations hold has been given back.
    """
    about = RawSQL(_ABOUT, [sorted(codes), sorted(orders), sorted(reservations)])  # noqa: S611
    rows = Coupon.objects.filter(pk__in=about).select_related("template").order_by("pk")
    coupons = list(_locked(rows))
    if not coupons:
        return None
    wanted = Q(status=HELD) | Q(order__in=orders) | Q(reservation__in=reservations)
    if references:
        wanted |= Q(reference__in=references, order=None, status=REDEEMED)
    by_id = {coupon.pk: coupon for coupon in coupons}
    uses = list(
        CouponUse.objects.filter(wanted, coupon__in=by_id)
        .select_related("reservation")
        .order_by("pk")
    )
    for use in uses:
        use.coupon = by_id[use.coupon_id]
    in_hand = CouponsInHand(at, actor, {coupon.code: coupon for coupon in coupons}, uses)
    in_hand.free_lapsed()
    return in_hand


def _locked(rows: QuerySet[Coupon]) -> QuerySet[Coupon]:
    """Lock the rows as they are read, in id order."""
    return rows.select_for_update(of=("self",), no_key=True)


def _is_over(reservation: Reservation | None, at: datetime) -> bool:
    """Say whether a reservation holds nothing any more, or its time is over."""
    if reservation is None or reservation.status == ReservationStatus.CAPTURED:
        return False
    return reservation.status != ReservationStatus.HELD or reservation.expires_at <= at


def usable(coupons: Iterable[Coupon]) -> dict[str, Coupon]:
    """Return the coupons that have been given out, by code; a code in a pool is nobody's yet."""
    return {coupon.code: coupon for coupon in coupons if coupon.issued_at is not None}


def _state_row(use: CouponUse) -> tuple[Any, ...]:
    return (
        use.pk, use.status, use.order_id, use.reference, _text(use.discount), use.redeemed_at,
        use.returned_at,
    )  # fmt: skip


def _new_row(use: CouponUse) -> tuple[Any, ...]:
    return (
        use.public_id, use.coupon_id, use.member_id, use.status, use.reservation_id, use.order_id,
        use.reference, _text(use.discount), use.touchpoint_id, use.held_at, use.redeemed_at,
        use.returned_at,
    )  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
