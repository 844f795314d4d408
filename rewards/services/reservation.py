"""Points set aside for a purchase: hold, capture, release. What lapses is settled as due."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain.public_id import new_public_id
from members.models import Touchpoint
from rewards.domain.holds import HoldState
from rewards.domain.transfers import Grounds
from rewards.models import Reservation
from rewards.services.commands import Command, command


class ReservationNotFoundError(DomainError):
    """There is no reservation with this id."""

    def __init__(self) -> None:
        super().__init__("reservation_not_found", _("There is no such reservation."), 404)


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
    with command(member=member, at=at, actor=actor) as current:
        account = current.account
        reservation = Reservation.objects.create(
            public_id=new_public_id(at),
            member_id=member,
            account_id=account.key,
            touchpoint=touchpoint,
            points=points,
            held_at=at,
            expires_at=at + ttl,
        )
        grounds = Grounds(None, None, "reserved", current.cause)
        account.hold(grounds, reservation.pk, points, at, at + ttl)
        current.report("points.reserved", {"points": points, "id": str(reservation.public_id)})
    return reservation


def capture(
    *, reservation: UUID, points: int | None = None, at: datetime, actor: str
) -> Reservation:
    """Make held points final, all or fewer; the rest is released. Again is the same answer.

    Raises: HoldClosedError, InsufficientPointsError, ReservationNotFoundError.
    """
    member, key = _member_of(reservation)
    with command(member=member, at=at, actor=actor, reservations=[reservation]) as current:
        if _state(current, key) is not HoldState.CAPTURED:
            grounds = Grounds(None, None, "captured", current.cause)
            current.account.capture(grounds, key, points, at)
            current.report("points.captured", {"id": str(reservation)})
    return Reservation.objects.get(pk=key)


def release(*, reservation: UUID, at: datetime, actor: str) -> Reservation:
    """Give all held points back to their lots. Again is the same answer.

    Raises: HoldClosedError, ReservationNotFoundError.
    """
    member, key = _member_of(reservation)
    with command(member=member, at=at, actor=actor, reservations=[reservation]) as current:
        if _state(current, key) is not HoldState.RELEASED:
            current.account.release(Grounds(None, None, "released", current.cause), key, at)
            current.report("points.released", {"id": str(reservation)})
    return Reservation.objects.get(pk=key)


def _state(current: Command, key: int) -> HoldState:
    return current.account.holds[key].state


def _member_of(reservation: UUID) -> tuple[int, int]:
    row = Reservation.objects.filter(public_id=reservation).values_list("member_id", "pk").first()
    if row is None:
        raise ReservationNotFoundError
    return row
