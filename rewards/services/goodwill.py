"""Making good a failure: points or a coupon within the agent's authority, else by a second person.

Source: SVC-11, STF-06.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.models import Approval, Case, StaffAuthority
from members.services import approvals, events, notes
from rewards.models import CouponTemplate, Goodwill
from rewards.services import coupon_revocation, coupons
from rewards.services.adjustment import Sort, adjust, adjust_by_staff
from rewards.services.commands import command

APPROVAL_KIND: Final = "goodwill"
GROUND: Final = "goodwill"
UNDONE: Final = "goodwill_undone"
UNDO_WITHIN: Final = timedelta(minutes=15)


class GoodwillError(DomainError):
    """Goodwill that cannot be given, or not be taken back any more."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who gives, to whom, when, why, and how the caller was identified."""

    user_id: int
    member: int
    verified_by: str
    reason: str
    actor: str
    at: datetime
    case: int | None = None

    def payload(self) -> dict[str, Any]:
        """Return what a request for approval keeps of the act."""
        return {"verified_by": self.verified_by, "case": self.case}


@transaction.atomic
def give_points(*, act: Act, points: int) -> Goodwill | Approval:
    """Give points, at once within the agent's authority, else when a second person agrees.

    Raises: GoodwillError, AdjustmentError, MemberFrozenError, MemberNotFoundError.
    """
    _check(act)
    if points <= 0:
        raise GoodwillError("points_not_positive", _("Goodwill gives at least one point."))
    outcome = adjust_by_staff(
        user_id=act.user_id, member=act.member, points=points, reason=act.reason, at=act.at,
        actor=act.actor, sort=Sort(GROUND, APPROVAL_KIND, act.payload()),
    )  # fmt: skip
    return outcome if isinstance(outcome, Approval) else _kept(act, points=points)


@transaction.atomic
def give_coupon(*, act: Act, template: str) -> Goodwill | Approval:
    """Give a coupon of a template for goodwill, within the agent's daily number of them.

    Raises: GoodwillError, CouponTemplateInactiveError, CouponTemplateExhaustedError,
    MemberFrozenError, MemberNotFoundError.
    """
    _check(act)
    _template(template)
    if _may_give_coupon(act):
        return _issue(act, template)
    return approvals.request(
        kind=APPROVAL_KIND,
        member_id=act.member,
        payload={**act.payload(), "template": template},
        reason=act.reason,
        actor=act.actor,
        at=act.at,
    )


def carry_out(approval: Approval, at: datetime) -> None:
    """Give what a second person has agreed to, in the name of who asked for it.

    Raises: what giving raises.
    """
    payload: Mapping[str, Any] = approval.payload
    act = Act(
        0, approval.member_id or 0, payload["verified_by"], approval.reason,
        approval.requested_by, at, payload["case"],
    )  # fmt: skip
    if "template" in payload:
        _issue(act, payload["template"])
        return
    points = int(payload["points"])
    adjust(
        member=act.member, points=points, reason=act.reason, at=at, actor=act.actor,
        limit_points=None, ground=GROUND,
    )  # fmt: skip
    _kept(act, points=points)


@transaction.atomic
def undo(*, goodwill: int, actor: str, at: datetime) -> Goodwill:
    """Take back, within minutes, what the same agent has just given and nobody has used.

    Raises: GoodwillError, InsufficientPointsError, CouponNotRevocableError, MemberFrozenError.
    """
    row = Goodwill.objects.select_for_update(no_key=True, of=("self",)).get(pk=goodwill)
    if row.given_by != actor:
        raise GoodwillError("goodwill_of_another", _("Somebody else has given this."), 403)
    if row.undone_at is not None or at - row.given_at > UNDO_WITHIN:
        raise GoodwillError("goodwill_not_undoable", _("It is too late to take this back."), 409)
    if row.points is not None:
        adjust(
            member=row.member_id, points=-row.points, reason=UNDONE, at=at, actor=actor,
            limit_points=None, ground=UNDONE,
        )  # fmt: skip
    elif row.coupon_id is not None:
        coupon_revocation.revoke(coupons=[row.coupon_id], reason=UNDONE, at=at, actor=actor)
    row.undone_at = at
    row.save(update_fields=["undone_at"])
    told = {"points": row.points or 0, "actor": actor}
    events.append([events.NewEvent(row.member_id, "goodwill.undone", at, at, told)])
    return row


def _check(act: Act) -> None:
    if not act.reason.strip():
        raise GoodwillError("reason_required", _("A reason is required."))
    if act.case is not None and not Case.objects.filter(pk=act.case, member=act.member).exists():
        raise GoodwillError("case_of_another", _("This case is not about this member."))


def _template(code: str) -> CouponTemplate:
    found = CouponTemplate.objects.filter(code=code, is_goodwill=True).first()
    if found is None:
        raise GoodwillError("template_not_goodwill", _("This coupon is not for goodwill."))
    return found


def _may_give_coupon(act: Act) -> bool:
    """Tell whether the agent has a coupon left today; two at once are counted one by one."""
    authority = _locked(act.user_id)
    if authority is None:
        return False
    today = clock.day_start(clock.local_day(act.at))
    given = Goodwill.objects.filter(
        given_by=act.actor, given_at__gte=today, coupon__isnull=False, undone_at__isnull=True
    )
    return given.count() < authority.goodwill_coupons_per_day


def _locked(user_id: int) -> StaffAuthority | None:
    rows = StaffAuthority.objects.select_for_update(no_key=True, of=("self",))
    return rows.filter(user_id=user_id).first()


def _issue(act: Act, template: str) -> Goodwill:
    with command(member=act.member, at=act.at, actor=act.actor):
        (coupon,) = coupons.issue(
            template=_template(template), member=act.member, count=1, at=act.at, actor=act.actor
        )
        return _kept(act, coupon=coupon.pk)


def _kept(act: Act, *, points: int | None = None, coupon: int | None = None) -> Goodwill:
    row = Goodwill.objects.create(
        member_id=act.member, points=points, coupon_id=coupon, case_id=act.case,
        given_by=act.actor, given_at=act.at,
    )  # fmt: skip
    told = {
        "points": points or 0,
        "verified_by": act.verified_by,
        "case": act.case,
        "note": notes.seal(member=act.member, text=act.reason),
        "actor": act.actor,
    }
    events.append([events.NewEvent(act.member, "goodwill.given", act.at, act.at, told)])
    return row
