"""Erasing a member who asked for it: what that costs them, and a second person who agrees.

Source: MEM-12; PIPL art. 47.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import (
    Approval,
    Case,
    DataRequest,
    DataRequestKind,
    DataRequestState,
    Member,
)
from members.models.case import UNDONE
from members.models.staff import ApprovalState
from members.services import approvals, data_requests, erasure, identity
from members.services.approvals import Change
from rewards import balances
from rewards.models import (
    Coupon,
    PointsAccount,
    Redemption,
    RedemptionStatus,
    Reservation,
    ReservationStatus,
)
from tiers.models import PaidMembership

APPROVAL_KIND: Final = "member_erasure"
PERMISSION: Final = "members.erase_member"
REASON: Final = "member_request"
ON_THEIR_WAY: Final = (RedemptionStatus.REQUESTED, RedemptionStatus.APPROVED)


class ErasureRefusedError(DomainError):
    """The member cannot be erased now."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """Something that the member loses, or that stands in the way."""

    what: str
    number: int
    stands_in_the_way: bool = False


def consequences(*, member: Member, at: datetime) -> list[Consequence]:
    """Return what erasing the member would end, as far as there is any of it."""
    line = identity.lineage(member.pk)
    account = PointsAccount.objects.filter(member=member, kind=balances.POINTS).first()
    points = balances.read(account, at).balance if account else None
    coupons = Coupon.objects.filter(member__in=line, used__lt=F("max_uses"), revoked_at=None)
    held = Reservation.objects.filter(
        member__in=line, parent=None, status=ReservationStatus.HELD, expires_at__gt=at
    )
    found = [
        Consequence(gettext("Points that lapse"), points.available if points else 0),
        Consequence(gettext("Pending points that lapse"), points.pending if points else 0),
        Consequence(
            gettext("Coupons not used"),
            coupons.filter(Q(expires_at=None) | Q(expires_at__gt=at)).count(),
        ),
        Consequence(
            gettext("Paid memberships still running"),
            PaidMembership.objects.filter(member__in=line, until_at__gt=at, closed_at=None).count(),
        ),
        Consequence(
            gettext("Open cases"),
            Case.objects.filter(member__in=line, state__in=UNDONE).count(),
        ),
        Consequence(gettext("Reservations that are held"), held.count(), stands_in_the_way=True),
        Consequence(
            gettext("Rewards on their way"),
            Redemption.objects.filter(member__in=line, status__in=ON_THEIR_WAY).count(),
            stands_in_the_way=True,
        ),
    ]
    return [each for each in found if each.number]


def ask(*, request: DataRequest, actor: str, at: datetime) -> Approval:
    """Ask a second person to agree to the erasure that was requested.

    Raises: ErasureRefusedError, DataRequestError.
    """
    if request.kind != DataRequestKind.ERASURE or request.state != DataRequestState.OPEN:
        raise ErasureRefusedError("erasure_not_requested", _("No erasure is asked for."), 409)
    _check(request.member, at)
    waiting = Approval.objects.filter(
        kind=APPROVAL_KIND, member=request.member, state=ApprovalState.REQUESTED
    )
    if waiting.exists():
        raise ErasureRefusedError(
            "approval_waiting", _("A second person has been asked already."), 409
        )
    return approvals.request(
        kind=APPROVAL_KIND, member_id=request.member_id, payload={"request": request.pk},
        reason=gettext("The member asked for it"), actor=actor, at=at,
    )  # fmt: skip


def _check(member: Member, at: datetime) -> None:
    blocks = [each for each in consequences(member=member, at=at) if each.stands_in_the_way]
    if blocks:
        raise ErasureRefusedError(
            "erasure_blocked", _("Something of the member is still on its way."), 409,
            what=[each.what for each in blocks],
        )  # fmt: skip


@transaction.atomic
def execute_approved(approval: Approval, at: datetime) -> None:
    """Erase the member, for good.

    Raises: ErasureRefusedError, DataRequestError.
    """
    request = DataRequest.objects.select_related("member").get(pk=approval.payload["request"])
    _check(request.member, at)
    data_requests.close(
        request_id=request.pk, state=DataRequestState.DONE, actor=approval.decided_by, at=at
    )
    erasure.erase(member=request.member, at=at, actor=approval.decided_by, reason=REASON)


def effects(approval: Approval) -> Sequence[Change]:
    """Return what the member loses."""
    member, at = approval.member, approval.requested_at
    if member is None:
        return ()
    gone: str | Promise = gettext("gone")
    lost = [
        Change(each.what, f"{each.number:,}", str(gone))
        for each in consequences(member=member, at=at)
    ]
    return [Change(gettext("Name, identifiers and profile"), gettext("known"), str(gone)), *lost]


def summarise(_approval: Any) -> str:
    """Return what a request for an erasure asks for, for people."""
    return gettext("Erase everything personal, for good")
