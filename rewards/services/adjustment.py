"""Points given or taken by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.models import Approval, StaffAuthority, Touchpoint
from members.services import approvals, notes
from rewards.domain.posting import Balance
from rewards.domain.transfers import Grounds
from rewards.services.commands import command
from rewards.services.programme import current_book

APPROVAL_KIND: Final = "points_adjustment"

# The row is locked until the command is over: two at once cannot both take what is left.
_TAKE_BUDGET = """
INSERT INTO rewards_adjustmentbudget AS b (touchpoint_id, member_id, period, points)
SELECT %(touchpoint)s, %(member)s, %(period)s, %(points)s WHERE %(points)s <= %(limit)s
ON CONFLICT (touchpoint_id, period, member_id) DO UPDATE
SET points = b.points + EXCLUDED.points
WHERE b.points + EXCLUDED.points <= %(limit)s
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Sort:
    """What an adjustment is for: the reason of its entry, and who decides it above a limit."""

    ground: str = "adjustment"
    approval_kind: str = APPROVAL_KIND
    payload: Mapping[str, Any] = field(default_factory=dict)


PLAIN: Final = Sort()


class AdjustmentError(DomainError):
    """An adjustment that nobody may make, or not alone."""


class AdjustmentOverLimitError(AdjustmentError):
    """More points than may be adjusted without a second person; `limit` says which is reached."""

    def __init__(self, limit: str, limit_points: int) -> None:
        super().__init__(
            "adjustment_over_limit",
            _("More points than may be adjusted without approval."),
            403,
            limit=limit,
            limit_points=limit_points,
        )


def adjust(  # noqa: PLR0913 - one keyword for each part of an adjustment
    *,
    member: int,
    points: int,
    reason: str,
    at: datetime,
    actor: str,
    limit_points: int | None,
    touchpoint: Touchpoint | None = None,
    ground: str = PLAIN.ground,
) -> Balance:
    """Give points (positive) or take available ones (negative); returns the balance after.

    Given points are available at once and expire like points earned that day. A touchpoint also has
    budgets: per local day, and per member and local month.
    Raises: AdjustmentError, InsufficientPointsError, MemberFrozenError, MemberNotFoundError.
    Source: design §5.3 (7); PTS-15.
    """
    if not points:
        raise AdjustmentError("points_zero", _("An adjustment moves at least one point."))
    if not reason.strip():
        raise AdjustmentError("reason_required", _("An adjustment needs a reason."))
    with command(member=member, at=at, actor=actor) as current:
        account = current.account
        account.adjust(
            Grounds(None, None, ground, current.cause),
            points,
            at,
            expires_at=current_book().policy_at(at).expires_at(at),
        )
        # What cannot be done at all is refused before somebody would be asked to approve it.
        if limit_points is not None and abs(points) > limit_points:
            raise AdjustmentOverLimitError("call", limit_points)
        if touchpoint is not None:
            _take_budgets(touchpoint, member, abs(points), at)
        told = {"points": points, "note": notes.seal(member=member, text=reason), "actor": actor}
        if ground != PLAIN.ground:
            told["ground"] = ground
        current.report("points.adjusted", told)
        return Balance(account.pending, account.available, account.reserved, account.debt)


def adjust_or_ask(
    *, member: int, points: int, reason: str, at: datetime, actor: str, touchpoint: Touchpoint
) -> Balance | Approval:
    """Adjust within the touchpoint's limits; above them ask a second person instead.

    Raises: AdjustmentError, InsufficientPointsError, MemberFrozenError, MemberNotFoundError.
    """
    try:
        return adjust(
            member=member,
            points=points,
            reason=reason,
            at=at,
            actor=actor,
            limit_points=touchpoint.adjustment_limit_points,
            touchpoint=touchpoint,
        )
    except AdjustmentOverLimitError as over:
        limit = over.details["limit_points"]
        return approvals.request(
            kind=APPROVAL_KIND,
            member_id=member,
            payload={"points": points, "limit": limit, "limit_of": over.details["limit"]},
            reason=reason,
            actor=actor,
            at=at,
        )


def staff_limit(user_id: int) -> int:
    """Return how many points the member of staff may move alone in one adjustment; 0: none."""
    limits = StaffAuthority.objects.filter(user_id=user_id)
    return limits.values_list("adjustment_limit_points", flat=True).first() or 0


def adjust_by_staff(  # noqa: PLR0913 - one keyword for each part of an adjustment
    *,
    user_id: int,
    member: int,
    points: int,
    reason: str,
    at: datetime,
    actor: str,
    sort: Sort = PLAIN,
) -> Balance | Approval:
    """Adjust within the authority of a member of staff; above it ask a second person instead.

    `sort` tells what it is for, where it is not a plain adjustment.
    Raises: AdjustmentError, InsufficientPointsError, MemberFrozenError, MemberNotFoundError.
    Source: PTS-15, STF-02.
    """
    limit = staff_limit(user_id)
    try:
        return adjust(
            member=member, points=points, reason=reason, at=at, actor=actor, limit_points=limit,
            ground=sort.ground,
        )  # fmt: skip
    except AdjustmentOverLimitError:
        return approvals.request(
            kind=sort.approval_kind,
            member_id=member,
            payload={**sort.payload, "points": points, "limit": limit},
            reason=reason,
            actor=actor,
            at=at,
        )


def _take_budgets(touchpoint: Touchpoint, member: int, points: int, at: datetime) -> None:
    """Use the touchpoint's budgets for this adjustment.

    Raises: AdjustmentOverLimitError.
    """
    today = clock.local_day(at)
    budgets = (
        ("member_month", member, f"{today:%Y-%m}", touchpoint.adjustment_member_month_limit_points),
        ("day", None, today.isoformat(), touchpoint.adjustment_daily_limit_points),
    )
    for name, whose, period, limit in budgets:
        with connection.cursor() as cursor:
            cursor.execute(
                _TAKE_BUDGET,
                {
                    "touchpoint": touchpoint.pk,
                    "member": whose,
                    "period": period,
                    "points": points,
                    "limit": limit,
                },
            )
            if cursor.fetchone() is None:
                raise AdjustmentOverLimitError(name, limit)
