"""Redeeming points for a reward, and giving them back: one command on the member's account.

Points, stock, the redemption and its event are written together or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.utils.translation import gettext_lazy as _

from config.base import bulk
from config.base.errors import DomainError
from members.domain import sealing
from members.domain.public_id import new_public_id
from members.models import Touchpoint
from members.services import crypto, presence
from members.services.presence import NO_PROOF, Proof
from rewards.domain import catalogue as rules
from rewards.domain.holds import HoldState
from rewards.domain.posting import Balance
from rewards.models import Coupon, Redemption, RedemptionStatus, RewardKind
from rewards.services import catalogue, gifts, reward_codes, stock, tables
from rewards.services.catalogue import WITH_CODES, OfferForMember, RewardRefusedError
from rewards.services.commands import Command, command
from rewards.services.programme import current_book
from rewards.services.redemption import (
    OPEN,
    RedemptionNotFoundError,
    RedemptionStateError,
    cancel_open,
    close,
    locked,
)
from rewards.services.stock import OutOfStockError

ADDRESS: Final = "redemption-address"
BY_REQUEST: Final = "member_request"
# Of these a date can be called off, so whoever redeems makes sure that it has not been.
CALLED_OFF: Final = frozenset({RewardKind.EXPERIENCE.value, RewardKind.ENTRY_FEE.value})

# What may be counted is counted under the member's lock, or under that of the reward; the pool is
# taken by its own condition; ids are taken so that all rows go with the account's.
_CLAIM: Final = f"""
WITH pick AS (
    SELECT s.id FROM rewards_stock s LEFT JOIN tiers_tier t ON t.id = s.tier_id
    WHERE s.reward_id = %s::bigint AND %s::boolean AND s.slot_id IS NOT DISTINCT FROM %s::bigint
      AND coalesce(t.rank, 0) <= %s::int AND s.on_hand - s.held >= %s::int
    ORDER BY t.rank DESC NULLS LAST LIMIT 1
    FOR NO KEY UPDATE OF s
), taken AS (
    UPDATE rewards_stock x SET on_hand = x.on_hand - %s::int FROM pick WHERE x.id = pick.id
    RETURNING x.id
), offered AS (
    SELECT w.id FROM rewards_reward w WHERE w.id = %s::bigint AND w.is_active FOR SHARE
), held AS (
    SELECT l.id FROM rewards_rewardslot l
    WHERE l.id = %s::bigint AND l.cancelled_at IS NULL FOR SHARE
)
SELECT (SELECT id FROM taken), (SELECT count(*) FROM offered), (SELECT count(*) FROM held),
       nextval('rewards_redemption_id_seq'),
       array(SELECT nextval('rewards_reservation_id_seq') FROM generate_series(1, %s::int)),
       array(SELECT nextval('rewards_entry_id_seq') FROM generate_series(1, %s::int)),
       ({catalogue.TAKEN_BY_MEMBER}), ({catalogue.TAKEN_BY_ALL})
"""  # noqa: S608 - conditions of the catalogue


class AddressMissingError(DomainError):
    """A reward that is delivered needs an address."""

    def __init__(self) -> None:
        super().__init__("address_required", _("The reward needs an address."), 400)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member asks for."""

    quantity: int = 1
    slot: str = ""
    address: dict[str, Any] | None = None
    proof: Proof = NO_PROOF


@dataclass(slots=True)
class Redeemed:
    """A redemption with what it has given, and the balance after it."""

    redemption: Redemption
    issued: list[gifts.Item]
    balance: Balance


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What was taken and set aside for one redemption."""

    stock: int | None
    key: int
    reservation: int | None
    entries: list[int]


def redeem(
    *, asked: OfferForMember, wish: Wish, at: datetime, actor: str, touchpoint: Touchpoint | None
) -> Redeemed:
    """Redeem points for a reward, with its stock, all or nothing.

    Raises: RewardRefusedError, SlotNotFoundError, AddressMissingError, OutOfStockError,
    MemberFrozenError, CouponTemplateExhaustedError, PresenceError.
    Source: RWD-03, BEN-01, MEM-15.
    """
    reward = asked.offer.reward
    if reward.needs_address and not wish.address:
        raise AddressMissingError
    slot = asked.offer.slot(wish.slot)
    with command(
        member=asked.member, at=at, actor=actor, touchpoint=touchpoint, book=asked.book
    ) as current:
        points = reward.points * wish.quantity
        presence.require(
            touchpoint=touchpoint, member=current.member, points=points, proof=wish.proof, at=at
        )
        wanted = rules.Wish(wish.quantity, slot)
        catalogue.check(asked.offer, _standing(current), wanted, at)
        claimed = _claim(asked, current, wanted, at)
        redemption = Redemption(
            pk=claimed.key, public_id=new_public_id(at), member_id=current.member, reward=reward,
            slot_id=None if slot is None else slot.key, stock_id=claimed.stock,
            reservation_id=claimed.reservation, quantity=wish.quantity,
            points=points, touchpoint=touchpoint, actor=actor,
            requested_at=at, sealed_address=_address(asked, wish),
        )  # fmt: skip
        issued = _carry_out(current, redemption, claimed)
    return Redeemed(redemption, issued, current.balance)


def _standing(current: Command, taken: int = 0, taken_by_all: int = 0) -> rules.Standing:
    account = current.account
    return rules.Standing(
        current.rank, current.member_facts or {}, account.available, account.debt, taken,
        taken_by_all,
    )  # fmt: skip


def _claim(asked: OfferForMember, current: Command, wish: rules.Wish, at: datetime) -> _Claimed:
    """Take the stock and the ids, and check the limits under the locks.

    Raises: RewardRefusedError, OutOfStockError.
    """
    offer, reward = asked.offer, asked.offer.reward
    catalogue.lock_limited([offer])
    has_pool = reward.tracks_stock and reward.kind not in WITH_CODES
    is_spent = int(bool(reward.points))
    slot = None if wish.slot is None else wish.slot.key
    is_called_off = reward.kind in CALLED_OFF
    row = bulk.fetch(
        _CLAIM,
        [reward.pk, has_pool, slot, current.rank, wish.quantity, wish.quantity,
         reward.pk if is_called_off else None, slot, is_spent, is_spent,
         *catalogue.taken_values(offer, current.member, at)],
    )[0]  # fmt: skip
    if is_called_off and not row[1]:
        raise RewardRefusedError(reward.code, [{"code": rules.NOT_LISTED}])
    if slot is not None and not row[2]:
        raise RewardRefusedError(reward.code, [{"code": rules.SLOT_OVER}])
    catalogue.check(offer, _standing(current, int(row[6]), int(row[7])), wish, at)
    if has_pool and row[0] is None:
        raise OutOfStockError(reward.code)
    return _Claimed(row[0], row[3], row[4][0] if is_spent else None, row[5])


def _address(asked: OfferForMember, wish: Wish) -> bytes | None:
    if not wish.address:
        return None
    return asked.seal(orjson.dumps(wish.address).decode(), ADDRESS)


def _carry_out(current: Command, redemption: Redemption, claimed: _Claimed) -> list[gifts.Item]:
    at, reward = redemption.requested_at, redemption.reward
    if claimed.reservation is not None:
        current.account.spend(
            current.grounds("redeemed"), claimed.reservation, redemption.points, at
        )
        current.writes.insert(
            tables.NEW_RESERVATIONS,
            (claimed.reservation, new_public_id(at), current.member, current.account.key, None,
             redemption.touchpoint_id, HoldState.CAPTURED.value, redemption.points,
             redemption.points, 0, at, at, at),
        )  # fmt: skip
    issued: list[gifts.Item] = []
    if reward.kind in gifts.AT_ONCE and not reward.needs_approval:
        issued = gifts.hand_over(redemption, at=at, actor=redemption.actor, account=current)
    if reward.kind != RewardKind.PACK:
        # A pack may give points: then its entries are more than the one that was counted on.
        current.ids = (claimed.entries, [])
    _write(current, redemption)
    current.news.append(gifts.event("redemption.requested", redemption, at))
    return issued


def _write(current: Command, redemption: Redemption) -> None:
    sealed = redemption.sealed_address
    current.writes.insert(
        tables.REDEMPTIONS,
        (redemption.pk, redemption.public_id, redemption.member_id, redemption.reward_id,
         redemption.slot_id, redemption.stock_id, redemption.reservation_id, redemption.quantity,
         redemption.points, str(redemption.status), None if sealed is None else bytes(sealed), "",
         "", redemption.touchpoint_id, redemption.actor, redemption.requested_at, "",
         redemption.fulfilled_at, ""),
    )  # fmt: skip
    if redemption.stock_id is not None:
        current.writes.insert(
            tables.STOCK_MOVEMENTS,
            (redemption.stock_id, -redemption.quantity, "redeemed", redemption.pk,
             redemption.actor, redemption.requested_at),
        )  # fmt: skip


def cancel(
    *, redemption: UUID, at: datetime, actor: str, reason: str = BY_REQUEST,
    needs_active: bool = True,
) -> Redeemed:  # fmt: skip
    """Cancel a redemption: points to their lots with the same expiry, stock back, coupons revoked.

    Possible until it is handed over; a coupon as long as it is unused, a code never once shown.
    Again is the same answer.
    Raises: RedemptionNotFoundError, RedemptionStateError, MemberFrozenError.
    """
    member, key, reservation = _place_of(redemption)
    with command(
        member=member, at=at, actor=actor, reservations=reservation, needs_active=needs_active
    ) as current:
        row = locked(key)
        if row.status == RedemptionStatus.HELD and not needs_active:
            # Called off: the part of the reservation goes, and with it the redemption.
            current.account.release(current.grounds("redemption_cancelled"), _hold_of(row), at)
        elif row.status != RedemptionStatus.CANCELLED:
            _cancel(current, row, reason, at)
    row.refresh_from_db()
    return Redeemed(row, [], current.balance)


def _cancel(current: Command, row: Redemption, reason: str, at: datetime) -> None:
    actor = current.cause.actor
    if row.status in OPEN:
        cancel_open([row], reason=reason, at=at, actor=actor)
    elif row.status == RedemptionStatus.FULFILLED and row.reward.kind == RewardKind.COUPON:
        _revoke_coupons(row, at)
        stock.give_back([row], reason="cancelled", at=at, actor=actor)
        close([row], RedemptionStatus.CANCELLED, reason, at)
    else:
        raise RedemptionStateError(
            "redemption_not_cancellable", _("The redemption can no longer be cancelled."),
            row.status,
        )  # fmt: skip
    _points_back(current, row, at)


def _revoke_coupons(row: Redemption, at: datetime) -> None:
    """Revoke the coupons of a redemption.

    Raises: RedemptionStateError where one is held or used.
    """
    issued = Coupon.objects.filter(redemption=row).order_by("id")
    coupons = list(issued.select_for_update(of=("self",), no_key=True))
    if any(coupon.used or coupon.held for coupon in coupons):
        raise RedemptionStateError(
            "redemption_not_cancellable", _("A coupon of it is held or used."), row.status
        )
    Coupon.objects.filter(pk__in=[coupon.pk for coupon in coupons], revoked_at=None).update(
        revoked_at=at, revoke_reason="redemption_cancelled"
    )


def _points_back(current: Command, row: Redemption, at: datetime) -> None:
    if row.reservation_id is None:
        return
    hold = current.account.holds[row.reservation_id]
    left = hold.captured - hold.given_back
    if left:
        days = current_book().policy_at(at).give_back_min_days
        grounds = current.grounds("redemption_cancelled")
        current.account.give_back_captured(grounds, hold.key, left, at, give_back_min_days=days)


def return_(
    *, redemption: UUID, points_back: bool, stock_back: bool, reason: str, at: datetime, actor: str
) -> Redeemed:
    """Take a reward back that was handed over; points and stock come back as staff decide.

    Raises: RedemptionNotFoundError, RedemptionStateError.
    Source: RWD-11.
    """
    member, key, reservation = _place_of(redemption)
    with command(
        member=member, at=at, actor=actor, reservations=reservation, needs_active=False
    ) as current:
        row = locked(key)
        if row.status != RedemptionStatus.FULFILLED or row.reward.kind in WITH_CODES:
            raise RedemptionStateError(
                "redemption_not_returnable", _("Only what was handed over can come back."),
                row.status,
            )  # fmt: skip
        if stock_back:
            stock.give_back([row], reason="returned", at=at, actor=actor)
        close([row], RedemptionStatus.RETURNED, reason, at)
        if points_back:
            _points_back(current, row, at)
    return Redeemed(row, [], current.balance)


def address_of(redemption: Redemption) -> dict[str, Any] | None:
    """Return the address as it was given, None once the member's key is gone."""
    return addresses_of([redemption]).get(redemption.pk)


def addresses_of(redemptions: Sequence[Redemption]) -> dict[int, dict[str, Any]]:
    """Return the addresses of redemptions as far as they are readable, in one statement."""
    sealed = [row for row in redemptions if row.sealed_address is not None]
    keys = crypto.data_keys({row.member_id for row in sealed})
    found: dict[int, dict[str, Any]] = {}
    for row in sealed:
        if row.member_id in keys:
            public_id, data_key = keys[row.member_id]
            plain = sealing.unseal(data_key, bytes(row.sealed_address or b""), public_id, ADDRESS)
            found[row.pk] = orjson.loads(plain)
    return found


def readable_codes(redemption: Redemption) -> list[str]:
    """Return the codes that a redemption was given, once it is handed over."""
    is_shown = redemption.status == RedemptionStatus.FULFILLED
    has_codes = redemption.reward.kind in WITH_CODES
    return reward_codes.codes_of(redemption) if is_shown and has_codes else []


def _hold_of(row: Redemption) -> int:
    assert row.reservation_id is not None
    return row.reservation_id


def _place_of(redemption: UUID) -> tuple[int, int, list[UUID]]:
    rows = Redemption.objects.filter(public_id=redemption)
    row = rows.values_list("member_id", "pk", "reservation__public_id").first()
    if row is None:
        raise RedemptionNotFoundError
    found: UUID | None = row[2]
    return row[0], row[1], [] if found is None else [found]
