"""Points given or taken by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.models import Approval, Touchpoint
from members.services import approvals, authority, notes
from members.services.authority import Limits
from rewards.domain.posting import Balance
from rewards.domain.transfers import Grounds
from rewards.models import StaffBudget
from rewards.services.commands import command
from rewards.services.programme import current_book

APPROVAL_KIND: Final = "points_adjustment"
USER: Final = "user"

# The row is locked until the command is over: two at once cannot both take what is left.
_TAKE = """
INSERT INTO {table} AS b ({owner}_id, member_id, period, points)
SELECT %(owner)s, %(member)s, %(period)s, %(points)s WHERE %(points)s <= %(limit)s
ON CONFLICT ({owner}_id, period, member_id) DO UPDATE
SET points = b.points + EXCLUDED.points
WHERE b.points + EXCLUDED.points <= %(limit)s
RETURNING id
"""
_OF_TOUCHPOINT: Final = _TAKE.format(table="rewards_adjustmentbudget", owner="touchpoint")
_OF_STAFF: Final = _TAKE.format(table="rewards_staffbudget", owner="user")
_UNLIMITED: Final = Limits(2**62, 2**62, 2**62)


@dataclass(frozen=True, slots=True)
class Budgets:
    """Whose budgets an adjustment uses up, and how far they go. Units: points."""

    take: str
    owner: int
    limits: Limits


def _budgets_of_touchpoint(touchpoint: Touchpoint) -> Budgets:
    limits = Limits(
        touchpoint.adjustment_limit_points,
        touchpoint.adjustment_daily_limit_points,
        touchpoint.adjustment_member_month_limit_points,
    )
    return Budgets(_OF_TOUCHPOINT, touchpoint.pk, limits)


def _budgets_of_staff(user_id: int) -> Budgets:
    return Budgets(_OF_STAFF, user_id, authority.limits_of(user_id))


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
    budgets: Budgets | None = None,
    ground: str = PLAIN.ground,
) -> Balance:
    """Give points (positive) or take available ones (negative); returns the balance after.

    Given points are available at once and expire like points earned that day. Besides the limit per
    call there may be budgets: per local day, and per member and local month.
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
        if budgets is not None:
            _take_budgets(budgets, member, abs(points), at)
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
            budgets=_budgets_of_touchpoint(touchpoint),
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

    `sort` tells what it is for, where it is not a plain adjustment. What somebody asks for uses up
    the same budgets as what they do alone, so that a large amount does not get through in small
    ones.
    Raises: AdjustmentError, InsufficientPointsError, MemberFrozenError, MemberNotFoundError,
    OwnAccountError.
    Source: PTS-15, STF-02, SVC-11.
    """
    authority.refuse_own_account(actor=actor, member_id=member)
    budgets = _budgets_of_staff(user_id)
    try:
        return adjust(
            member=member, points=points, reason=reason, at=at, actor=actor,
            limit_points=budgets.limits.call, budgets=budgets, ground=sort.ground,
        )  # fmt: skip
    except AdjustmentOverLimitError as over:
        limit, name = over.details["limit_points"], over.details["limit"]
    with transaction.atomic():
        _take_budgets(replace(budgets, limits=_UNLIMITED), member, abs(points), at)
        return approvals.request(
            kind=sort.approval_kind,
            member_id=member,
            payload={
                **sort.payload,
                "points": points,
                "limit": limit,
                "limit_of": name,
                USER: user_id,
            },
            reason=reason,
            actor=actor,
            at=at,
        )


def drop_request(approval: Approval) -> None:
    """Give back what a request took of the budgets of who asked for it: it is not carried out."""
    if USER not in approval.payload:
        return
    points = abs(int(approval.payload["points"]))
    for _name, whose, period in _periods(approval.member_id, approval.requested_at):
        mine = StaffBudget.objects.filter(user_id=approval.payload[USER], period=period)
        rows = mine.filter(member__isnull=True) if whose is None else mine.filter(member_id=whose)
        rows.update(points=Greatest(F("points") - points, 0))


def used_today(user_id: int, at: datetime) -> int:
    """Return how many points a member of staff has moved or asked for in the local day."""
    today = clock.local_day(at).isoformat()
    rows = StaffBudget.objects.filter(user_id=user_id, member=None, period=today)
    return rows.values_list("points", flat=True).first() or 0


def _take_budgets(budgets: Budgets, member: int, points: int, at: datetime) -> None:
    """Use up budgets for this adjustment.

    Raises: AdjustmentOverLimitError.
    """
    for name, whose, period in _periods(member, at):
        limit = getattr(budgets.limits, name)
        with connection.cursor() as cursor:
            cursor.execute(
                budgets.take,
                {
                    "owner": budgets.owner,
                    "member": whose,
                    "period": period,
                    "points": points,
                    "limit": limit,
                },
            )
            if cursor.fetchone() is None:
                raise AdjustmentOverLimitError(name, limit)


def _periods(member: int | None, at: datetime) -> tuple[tuple[str, int | None, str], ...]:
    """Return the limits that add up, each with whose it is and for which time."""
    today = clock.local_day(at)
    return (("member_month", member, f"{today:%Y-%m}"), ("day", None, today.isoformat()))
