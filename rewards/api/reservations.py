"""Reserving points, rewards, coupons and uses of benefits; capturing and releasing them."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import cursors
from config.base.api.reading import MAX_POINTS, ObjectReader
from members.api.idempotency import idempotent
from members.api.views import (
    BODY,
    PRESENCE_KEYS,
    ROW,
    MemberNotFoundError,
    TouchpointEndpoint,
    member_of,
)
from rewards.api import openapi_reservations
from rewards.api.coupon_misses import counts_misses
from rewards.models import Redemption, RedemptionStatus, Reservation, ReservationStatus
from rewards.services import reservation as reservations
from rewards.services.holdings import Holdings, holdings_of
from rewards.services.programme import member_and_book
from rewards.services.reservation import Asking, ReservationNotFoundError, RewardWish, Wish

RESERVATION_KEYS = PRESENCE_KEYS | {
    "member", "points", "coupons", "rewards", "benefits", "ttl_seconds",
}  # fmt: skip
REWARD_KEYS = frozenset({"reward", "quantity", "slot"})
BENEFIT_KEYS = frozenset({"code", "uses"})
CAPTURE_KEYS = frozenset({"points"})
DEFAULT_TTL_SECONDS = 900
MAX_TTL_SECONDS = 86_400
MAX_ITEMS = 20
MAX_CODE = 40
MAX_QUANTITY = 1_000


class ReservationsView(TouchpointEndpoint):
    """Setting aside what a purchase needs."""

    scopes = {"POST": "reservations:write"}
    member_token = {"POST": BODY}

    @openapi_reservations.post_reservation
    @idempotent(required=True)
    @counts_misses
    def post(self, request: Request) -> Response:
        """Reserve, all or nothing."""
        reader = ObjectReader(request.data)
        reader.only(RESERVATION_KEYS)
        public_id, wish = reader.uuid("member"), _wish(reader)
        ttl = reader.integer("ttl_seconds", 1, MAX_TTL_SECONDS, required=False)
        proof = self.proof_of(reader)
        reader.finish()
        assert public_id is not None
        named = member_and_book(public_id)
        if named is None or named[1] == "erased":
            raise MemberNotFoundError
        member, status, book = named
        if status == "merged":
            survivor = member_of(public_id)
            member, public_id = survivor.pk, survivor.public_id
        key = self.key_of(request)
        duration = timedelta(seconds=ttl or DEFAULT_TTL_SECONDS)
        asking = Asking(self.at(), duration, key.actor, key.touchpoint, book, proof)
        made = reservations.reserve(member=member, wish=wish, asking=asking)
        held = Holdings(made.redemptions, list(wish.coupons), list(wish.benefits))
        slot_of = {each.reward: each.slot for each in wish.rewards}
        slots = [slot_of[row.reward.code] for row in made.redemptions]
        body = reservation_json(made.reservation, public_id, held, slots)
        return Response(body, status=201)


class ReservationView(TouchpointEndpoint):
    """One reservation."""

    scopes = {"GET": "reservations:write"}
    member_token = {"GET": ROW}

    @openapi_reservations.get_reservation
    def get(self, request: Request, reservation_id: uuid.UUID) -> Response:
        """Return how a reservation stands."""
        cursors.check_parameters(request.query_params, ())
        self.check_rows_owner(request, Reservation.objects.filter(public_id=reservation_id))
        return Response(stored_json(reservation_id, self.at()))


class CaptureView(TouchpointEndpoint):
    """Making a reservation final."""

    scopes = {"POST": "reservations:write"}
    member_token = {"POST": ROW}

    @openapi_reservations.capture_reservation
    @idempotent(required=True)
    def post(self, request: Request, reservation_id: uuid.UUID) -> Response:
        """Take what was reserved; of the points as many as are said, the rest is released."""
        reader = ObjectReader(request.data)
        reader.only(CAPTURE_KEYS)
        points = reader.integer("points", 0, MAX_POINTS, required=False)
        reader.finish()
        self.check_rows_owner(request, Reservation.objects.filter(public_id=reservation_id))
        actor = self.key_of(request).actor
        reservations.capture(reservation=reservation_id, points=points, at=self.at(), actor=actor)
        return Response(stored_json(reservation_id, self.at()))


class ReleaseView(TouchpointEndpoint):
    """Giving a reservation up."""

    scopes = {"POST": "reservations:write"}
    member_token = {"POST": ROW}

    @openapi_reservations.release_reservation
    @idempotent(required=True)
    def post(self, request: Request, reservation_id: uuid.UUID) -> Response:
        """Give everything back."""
        reader = ObjectReader(request.data)
        reader.only(frozenset())
        reader.finish()
        self.check_rows_owner(request, Reservation.objects.filter(public_id=reservation_id))
        actor = self.key_of(request).actor
        reservations.release(reservation=reservation_id, at=self.at(), actor=actor)
        return Response(stored_json(reservation_id, self.at()))


def stored_json(public_id: uuid.UUID, at: datetime) -> dict[str, Any]:
    """Return a stored reservation as the API shows it; time does not wait until it is settled.

    Raises: ReservationNotFoundError.
    """
    rows = Reservation.objects.select_related("member")
    row = rows.filter(public_id=public_id, parent=None).first()
    if row is None:
        raise ReservationNotFoundError
    held = holdings_of(row)
    slots = ["" if each.slot is None else each.slot.code for each in held.redemptions]
    body = reservation_json(row, row.member.public_id, held, slots)
    if row.lapsed_by(at) and row.closed_at is None:
        body |= {"status": ReservationStatus.LAPSED.value, "closed_at": row.expires_at}
        for reward in body["rewards"]:
            reward["status"] = RedemptionStatus.CANCELLED.value
    return body


def reservation_json(
    row: Reservation, member: uuid.UUID, held: Holdings, slots: Sequence[str]
) -> dict[str, Any]:
    """Return a reservation as the API shows it."""
    return {
        "id": str(row.public_id),
        "member": str(member),
        "status": str(row.status),
        "points": row.points,
        "captured_points": row.captured_points,
        "held_at": row.held_at,
        "expires_at": row.expires_at,
        "closed_at": row.closed_at,
        "rewards": [
            _reward_json(each, slot) for each, slot in zip(held.redemptions, slots, strict=True)
        ],
        "coupons": held.coupons,
        "benefits": [{"code": code, "uses": uses} for code, uses in held.benefits],
    }


def _reward_json(row: Redemption, slot: str) -> dict[str, Any]:
    return {
        "redemption": str(row.public_id),
        "reward": row.reward.code,
        "quantity": row.quantity,
        "points": row.points,
        "slot": slot or None,
        "status": str(row.status),
    }


def _wish(reader: ObjectReader) -> Wish:
    rewards = reader.objects(
        "rewards", _reward, max_items=MAX_ITEMS, required=False, may_be_empty=True
    )
    benefits = reader.objects(
        "benefits", _benefit, max_items=MAX_ITEMS, required=False, may_be_empty=True
    )
    coupons = reader.texts("coupons", MAX_CODE, max_items=MAX_ITEMS)
    _refuse_twice(reader, "rewards", [each.reward for each in rewards])
    _refuse_twice(reader, "benefits", [code for code, _uses in benefits])
    _refuse_twice(reader, "coupons", coupons)
    points = reader.integer("points", 0, MAX_POINTS, required=False) or 0
    return Wish(points, rewards, coupons, benefits)


def _refuse_twice(reader: ObjectReader, key: str, codes: Sequence[str]) -> None:
    if len(set(codes)) < len(codes):
        reader.note(key, "not_unique", _("Each may stand here once."))


def _reward(reader: ObjectReader) -> RewardWish:
    reader.only(REWARD_KEYS)
    return RewardWish(
        reader.text("reward", MAX_CODE),
        reader.integer("quantity", 1, MAX_QUANTITY, required=False) or 1,
        reader.text("slot", MAX_CODE, required=False),
    )


def _benefit(reader: ObjectReader) -> tuple[str, int]:
    reader.only(BENEFIT_KEYS)
    uses = reader.integer("uses", 1, MAX_QUANTITY, required=False)
    return reader.text("code", MAX_CODE), uses or 1
