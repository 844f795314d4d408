"""Points given or taken by hand."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.services import notes
from rewards.domain.posting import Balance
from rewards.domain.transfers import Grounds
from rewards.services.commands import command
from rewards.services.programme import current_book


class AdjustmentError(DomainError):
    """An adjustment that nobody may make, or not alone."""


def adjust(
    *, member: int, points: int, reason: str, at: datetime, actor: str, limit_points: int | None
) -> Balance:
    """Give points (positive) or take available ones (negative); returns the balance after.

    Given points are available at once and expire like points earned that day.
    Raises: AdjustmentError, InsufficientPointsError, MemberFrozenError, MemberNotFoundError.
    Source: design §5.3 (7); PTS-15.
    """
    if not points:
        raise AdjustmentError("points_zero", _("An adjustment moves at least one point."))
    if not reason.strip():
        raise AdjustmentError("reason_required", _("An adjustment needs a reason."))
    if limit_points is not None and abs(points) > limit_points:
        raise AdjustmentError(
            "adjustment_over_limit",
            _("More points than may be adjusted without approval."),
            403,
            limit_points=limit_points,
        )
    with command(member=member, at=at, actor=actor) as current:
        account = current.account
        account.adjust(
            Grounds(None, None, "adjustment", current.cause),
            points,
            at,
            expires_at=current_book().policy_at(at).expires_at(at),
        )
        current.report(
            "points.adjusted",
            {"points": points, "note": notes.seal(member=member, text=reason), "actor": actor},
        )
        return Balance(account.pending, account.available, account.reserved, account.debt)
