"""What is set aside for a purchase: points, and with them rewards, coupons and uses of benefits.

All or nothing, and it stands or falls as one. What lapses is settled as due; what follows for
stock, coupons and benefits is one path, whoever captures or releases.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from config.base import bulk
from config.base.errors import DomainError
from members.domain.public_id import new_public_id
from members.models import Touchpoint
from members.services import presence
from members.services.presence import NO_PROOF, Proof
from rewards.domain import catalogue as rules
from rewards.domain.holds import HoldState
from rewards.domain.lot_book import InsufficientPointsError, PointsDebtError
from rewards.domain.programme import ProgrammeBook
from rewards.models import Redemption, RedemptionStatus, Reservation
from rewards.services import catalogue, coupons, reward_codes, stock, tables
from rewards.services.catalogue import WITH_CODES, Offer, RewardRefusedError
from rewards.services.commands import Command, command
from tiers.services import entitlements

_IDS: Final = """
SELECT array(SELECT nextval('rewards_reservation_id_seq') FROM generate_series(1, %s::int)),
       array(SELECT nextval('rewards_redemption_id_seq') FROM generate_series(1, %s::int)),
       array(SELECT nextval('rewards_entry_id_seq') FROM generate_series(1, %s::int))
"""


class ReservationNotFoundError(DomainError):
    """There is no reservation with this id."""

    def __init__(self) -> None:
        super().__init__("reservation_not_found", _("There is no such reservation."), 404)


@dataclass(frozen=True, slots=True)
class RewardWish:
    """So many of a reward, for a slot where it has some."""

    reward: str
    quantity: int = 1
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """All that one reservation is to set aside."""

    points: int = 0
    rewards: tuple[RewardWish, ...] = ()
    coupons: tuple[str, ...] = ()
    benefits: tuple[tuple[str, int], ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Say whether there is nothing to set aside."""
        return not (self.points or self.rewards or self.coupons or self.benefits)


@dataclass(slots=True)
class Reserved:
    """A reservation with the rewards in it."""

    reservation: Reservation
    redemptions: list[Redemption] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, when, from where, and for how long."""

    at: datetime
    ttl: timedelta
    actor: str
    touchpoint: Touchpoint | None = None
    book: ProgrammeBook | None = None
    proof: Proof = NO_PROOF


class ReservationEmptyError(DomainError):
    """A reservation of nothing."""

    def __init__(self) -> None:
        super().__init__("reservation_empty", _("A reservation sets something aside."), 400)


def hold(
    *,
    member: int,
    points: int,
    ttl: timedelta,
    at: datetime,
    actor: str,
    touchpoint: Touchpoint | None = None,
) -> Reservation:
    """Set available points aside for a time.

    Raises: InsufficientPointsError, PointsDebtError, MemberFrozenError, MemberNotFoundError.
    """
    asking = Asking(at, ttl, actor, touchpoint)
    return reserve(member=member, wish=Wish(points), asking=asking).reservation


def reserve(*, member: int, wish: Wish, asking: Asking) -> Reserved:
    """Set points, rewards, coupons and uses of benefits aside for a time, all or nothing.

    Raises: ReservationEmptyError, InsufficientPointsError, PointsDebtError, RewardRefusedError,
    RewardNotFoundError, OutOfStockError, MemberFrozenError, MemberNotFoundError, and what holding
    coupons and benefits raises.
    Source: PTS-02, RWD-03, BEN-01.
    """
    if wish.is_nothing:
        raise ReservationEmptyError
    with command(
        member=member, at=asking.at, actor=asking.actor, touchpoint=asking.touchpoint,
        book=asking.book,
    ) as current:  # fmt: skip
        return _Reserving(current, wish, asking).reserve()


class _Reserving:
    """One reservation in the making, under the lock of its member."""

    def __init__(self, current: Command, wish: Wish, asking: Asking) -> None:
        self.current = current
        self.wish = wish
        self.asking = asking

    def reserve(self) -> Reserved:
        wish, asking, current = self.wish, self.asking, self.current
        offers = catalogue.offers_of({each.reward for each in wish.rewards}, asking.at)
        prices = [offers[each.reward].terms.points * each.quantity for each in wish.rewards]
        self._check(offers, wish.points + sum(prices))
        held = [points for points in (wish.points, *prices) if points]
        keys, redemptions, entries = bulk.fetch(
            _IDS, [1 + len(prices), len(prices), len(held)]
        )[0]  # fmt: skip
        reservation = self._hold(keys[0], wish.points, None)
        made = Reserved(reservation)
        entitlements.hold(
            member=current.member, uses=wish.benefits, reservation=reservation.public_id,
            at=asking.at, actor=asking.actor, touchpoint=asking.touchpoint,
        ) if wish.benefits else None  # fmt: skip
        for place in sorted(
            range(len(prices)), key=lambda n: offers[wish.rewards[n].reward].reward.pk
        ):
            part = self._hold(
                keys[1 + place], prices[place], keys[0], offers[wish.rewards[place].reward]
            )
            made.redemptions.append(
                self._redemption(redemptions[place], wish.rewards[place], offers, part)
            )
        if wish.coupons:
            coupons.hold(
                member=current.member, codes=wish.coupons, reservation=reservation,
                at=asking.at, touchpoint=asking.touchpoint,
            )  # fmt: skip
        current.ids = (entries, [])
        self._report(made)
        return made

    def _check(self, offers: dict[str, Offer], points: int) -> None:
        """Refuse what may not be had; all prices together have to be there.

        Raises: PresenceError, RewardRefusedError, InsufficientPointsError, PointsDebtError.
        """
        current, at, account = self.current, self.asking.at, self.current.account
        presence.require(
            touchpoint=self.asking.touchpoint, member=current.member, points=points,
            proof=self.asking.proof, at=at,
        )  # fmt: skip
        if points and account.debt:
            raise PointsDebtError(account.debt)
        if points > account.available:
            raise InsufficientPointsError(points, account.available)
        catalogue.lock_limited(offers.values())
        taken = catalogue.taken_by(current.member, offers.values(), at)
        for each in self.wish.rewards:
            offer = offers[each.reward]
            standing = rules.Standing(
                current.rank, current.member_facts or {}, None, 0, *taken[offer.reward.pk]
            )
            catalogue.check(
                offer, standing, rules.Wish(each.quantity, offer.slot(each.slot)), at
            )  # fmt: skip

    def _hold(
        self, key: int, points: int, parent: int | None, offer: Offer | None = None
    ) -> Reservation:
        current, asking = self.current, self.asking
        at, expires_at = asking.at, asking.at + asking.ttl
        current.account.hold(
            current.grounds("reserved"), key, points, at, expires_at,
            parent=parent, min_rank=None if offer is None else offer.terms.min_rank,
        )  # fmt: skip
        row = Reservation(
            pk=key, public_id=new_public_id(at), member_id=current.member,
            account_id=current.account.key, parent_id=parent, touchpoint=asking.touchpoint,
            points=points, held_at=at, expires_at=expires_at,
        )  # fmt: skip
        current.writes.insert(
            tables.NEW_RESERVATIONS,
            (key, row.public_id, row.member_id, row.account_id, parent, row.touchpoint_id,
             HoldState.HELD.value, points, 0, 0, at, expires_at, None),
        )  # fmt: skip
        return row

    def _redemption(
        self, key: int, wish: RewardWish, offers: dict[str, Offer], part: Reservation
    ) -> Redemption:
        offer, at = offers[wish.reward], self.asking.at
        reward, slot = offer.reward, offer.slot(wish.slot)
        row = Redemption(
            pk=key, public_id=new_public_id(at), member_id=self.current.member, reward=reward,
            slot_id=None if slot is None else slot.key, reservation_id=part.pk,
            quantity=wish.quantity, points=part.points, status=RedemptionStatus.HELD,
            touchpoint=self.asking.touchpoint, actor=self.asking.actor, requested_at=at,
        )  # fmt: skip
        if reward.kind in WITH_CODES:
            reward_codes.give(row, at=at)
        elif reward.tracks_stock:
            row.stock_id = stock.hold(
                reward, slot=row.slot_id, rank=self.current.rank, quantity=wish.quantity
            )
        self.current.writes.insert(
            tables.REDEMPTIONS,
            (row.pk, row.public_id, row.member_id, reward.pk, row.slot_id, row.stock_id, part.pk,
             row.quantity, row.points, str(row.status), None, "", "", row.touchpoint_id,
             row.actor, at, "", None, ""),
        )  # fmt: skip
        return row

    def _report(self, made: Reserved) -> None:
        payload: dict[str, Any] = {
            "points": self.wish.points, "id": str(made.reservation.public_id)
        }  # fmt: skip
        if made.redemptions:
            payload["rewards"] = [row.reward.code for row in made.redemptions]
        self.current.report("points.reserved", payload)


def capture(
    *, reservation: UUID, points: int | None = None, at: datetime, actor: str
) -> Reservation:
    """Make held points final, all or fewer; the rest is released. Again is the same answer.

    What is reserved with them is taken whole; the rewards are checked once more for the member.
    Raises: HoldClosedError, InsufficientPointsError, ReservationNotFoundError,
    RewardRefusedError.
    Source: BEN-01.
    """
    member, key = _member_of(reservation)
    with command(member=member, at=at, actor=actor, reservations=[reservation]) as current:
        if _state(current, key) is not HoldState.CAPTURED:
            _check_again(current, key, at)
            current.account.capture(current.grounds("captured"), key, points, at)
            current.report("points.captured", {"id": str(reservation)})
    return Reservation.objects.get(pk=key)


def release(*, reservation: UUID, at: datetime, actor: str) -> Reservation:
    """Give all that is set aside back. Again is the same answer.

    Raises: HoldClosedError, ReservationNotFoundError.
    """
    member, key = _member_of(reservation)
    with command(member=member, at=at, actor=actor, reservations=[reservation]) as current:
        if _state(current, key) is not HoldState.RELEASED:
            current.account.release(current.grounds("released"), key, at)
            current.report("points.released", {"id": str(reservation)})
    return Reservation.objects.get(pk=key)


def _check_again(current: Command, key: int, at: datetime) -> None:
    """Refuse to capture rewards that the member could no longer reserve.

    Raises: RewardRefusedError.
    """
    parts = [part.key for part in current.account.holds.values() if part.parent == key]
    if not parts:
        return
    rows = Redemption.objects.filter(reservation__in=parts, status=RedemptionStatus.HELD)
    offers = catalogue.offers_of(set(rows.values_list("reward__code", flat=True)), at)
    standing = rules.Standing(current.rank, current.member_facts or {})
    for offer in offers.values():
        reasons = rules.still_may_have(offer.terms, standing)
        if reasons:
            raise RewardRefusedError(offer.reward.code, reasons)


def _state(current: Command, key: int) -> HoldState:
    return current.account.holds[key].state


def _member_of(reservation: UUID) -> tuple[int, int]:
    rows = Reservation.objects.filter(public_id=reservation, parent=None)
    row = rows.values_list("member_id", "pk").first()
    if row is None:
        raise ReservationNotFoundError
    return row
