"""Paid membership (付费会员): a tier bought for a period, as a floor under what is earned.

What was bought lies over the computed standing as an override of its own, so that earning goes on
underneath and nothing is granted twice.

Source: BEN-16, design §6.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.base import clock, money
from config.base.errors import DomainError
from members.domain.public_id import new_public_id
from members.models import Member, MemberStatus, Touchpoint
from members.services import events
from members.services.events import NewEvent
from tiers.models import MembershipPlan, MembershipStatus, PaidMembership, StandingOverride
from tiers.services.following import SLICE, follow_tiers

REASON: Final = "paid_membership"
SYSTEM: Final = "system"
RUNNING: Final = (MembershipStatus.ACTIVE, MembershipStatus.CANCELLED)
PURCHASE_ONCE: Final = "paid_membership_purchase_once"
RENEWED_ONCE: Final = "tiers_paidmembership_renews_id_key"
_DAY: Final = timedelta(days=1)


_TO_REMIND: Final = """
SELECT m.* FROM tiers_paidmembership m JOIN tiers_membershipplan p ON p.id = m.plan_id
WHERE m.status = 'active' AND m.reminded_at IS NULL AND m.until_at > %(at)s
  AND m.until_at - p.remind_days * interval '1 day' <= %(at)s
  AND NOT EXISTS (SELECT FROM tiers_paidmembership n
                  WHERE n.renews_id = m.id AND n.status <> 'refunded')
ORDER BY m.until_at, m.id LIMIT %(limit)s
FOR NO KEY UPDATE OF m SKIP LOCKED
"""


class MembershipError(DomainError):
    """A paid membership cannot be sold, renewed, cancelled or refunded like this."""


class PlanNotFoundError(DomainError):
    """There is no plan of this code on sale."""

    def __init__(self) -> None:
        super().__init__("membership_plan_not_found", _("There is no such plan."), 404)


class MembershipNotFoundError(DomainError):
    """There is no paid membership under this id."""

    def __init__(self) -> None:
        super().__init__("membership_not_found", _("There is no such membership."), 404)


@dataclass(frozen=True, slots=True)
class Purchase:
    """Who sells, when, and under which reference of the touchpoint."""

    ref: str
    touchpoint: Touchpoint | None
    at: datetime
    actor: str


@transaction.atomic
def buy(*, member: int, plan: str, purchase: Purchase) -> tuple[PaidMembership, bool]:
    """Sell a plan to a member; returns it and whether it is new.

    The same purchase again is the same answer. A member has one running membership of a plan at a
    time: it is renewed, not bought again.
    Raises: PlanNotFoundError, MembershipError.
    """
    _lock(member)
    known = _bought(purchase)
    if known is not None:
        return _same(known, member, plan), False
    terms = MembershipPlan.objects.select_related("tier").filter(code=plan, is_active=True).first()
    if terms is None:
        raise PlanNotFoundError
    running = PaidMembership.objects.filter(
        member_id=member, plan=terms, status__in=RUNNING, until_at__gt=purchase.at
    )
    if running.exists():
        raise MembershipError(
            "membership_running", _("This membership is running; renew it instead."), 409
        )
    return _sell(member, terms, purchase, from_at=purchase.at, renews=None), True


@transaction.atomic
def renew(*, membership: UUID, purchase: Purchase) -> tuple[PaidMembership, bool]:
    """Sell the next period: it begins where this one ends, or now if that is over.

    Raises: MembershipNotFoundError, PlanNotFoundError, MembershipError.
    """
    current = _locked(membership)
    known = _bought(purchase)
    if known is not None:
        return _same(known, current.member_id, current.plan.code), False
    if current.status == MembershipStatus.REFUNDED:
        raise MembershipError(
            "membership_refunded", _("A membership that was refunded is not renewed."), 409
        )
    if (
        PaidMembership.objects.filter(renews=current)
        .exclude(status=MembershipStatus.REFUNDED)
        .exists()
    ):
        raise MembershipError(
            "membership_renewed", _("This membership has been renewed already."), 409
        )
    if not current.plan.is_active:
        raise PlanNotFoundError
    PaidMembership.objects.filter(renews=current).update(renews=None)
    from_at = max(current.until_at, purchase.at)
    return _sell(current.member_id, current.plan, purchase, from_at=from_at, renews=current), True


@transaction.atomic
def cancel(*, membership: UUID, at: datetime, actor: str) -> PaidMembership:
    """Let a membership run to its end without reminders; again is the same answer.

    Raises: MembershipNotFoundError, MembershipError.
    """
    row = _locked(membership)
    if row.status == MembershipStatus.CANCELLED:
        return row
    if row.status != MembershipStatus.ACTIVE or row.until_at <= at:
        raise MembershipError("membership_over", _("This membership is over."), 409)
    row.status = MembershipStatus.CANCELLED
    row.save(update_fields=["status"])
    _report([row], "membership.cancelled", at, actor)
    return row


@transaction.atomic
def refund(*, membership: UUID, at: datetime, actor: str) -> PaidMembership:
    """Take a membership back within its time: the whole price, and the tier ends at once.

    Again is the same answer.
    Raises: MembershipNotFoundError, MembershipError.
    """
    row = _locked(membership)
    if row.status == MembershipStatus.REFUNDED:
        return row
    if row.status not in RUNNING:
        raise MembershipError("membership_over", _("This membership is over."), 409)
    if at >= refundable_until(row):
        raise MembershipError(
            "membership_refund_too_late",
            _("A membership can be refunded for some days only."),
            409,
            refund_days=row.plan.refund_days,
        )
    if PaidMembership.objects.filter(renews=row, status__in=RUNNING).exists():
        raise MembershipError(
            "membership_renewed", _("This membership has been renewed already."), 409
        )
    row.status, row.closed_at = MembershipStatus.REFUNDED, at
    row.save(update_fields=["status", "closed_at"])
    # One that had not begun leaves no interval: it ends where it would have begun.
    StandingOverride.objects.filter(membership=row).update(
        revoked_at=max(at, row.from_at), follow_at=None
    )
    _report([row], "membership.refunded", at, actor)
    follow_tiers(members=[row.member_id], at=at, actor=actor)
    return row


def refundable_until(row: PaidMembership) -> datetime:
    """Return the first instant at which the price is no longer given back."""
    bought_on = clock.local_day(max(row.bought_at, row.from_at))
    return clock.day_start(bought_on + (row.plan.refund_days + 1) * _DAY)


def remind_due(*, at: datetime, recorded_at: datetime) -> int:
    """Report, once, memberships that are about to end; returns how many.

    Never one that was cancelled, or renewed already.
    """
    done = 0
    while True:
        with transaction.atomic():
            rows = _to_remind(at)
            for row in rows:
                row.reminded_at = recorded_at
            PaidMembership.objects.bulk_update(rows, ["reminded_at"])
            _report(rows, "membership.reminder", recorded_at, SYSTEM)
        done += len(rows)
        if len(rows) < SLICE:
            return done


def _to_remind(at: datetime) -> list[PaidMembership]:
    return list(PaidMembership.objects.raw(_TO_REMIND, {"at": at, "limit": SLICE}))


def end_due(*, at: datetime, recorded_at: datetime) -> int:
    """Call memberships ended whose time is over, each at its own instant; returns how many.

    The tier has ended with its override by itself.
    """
    done = 0
    while True:
        with transaction.atomic():
            over = PaidMembership.objects.filter(status__in=RUNNING, until_at__lte=at)
            rows = list(over.order_by("until_at", "pk").select_for_update(
                of=("self",), no_key=True, skip_locked=True
            )[:SLICE])  # fmt: skip
            for row in rows:
                row.status, row.closed_at = MembershipStatus.ENDED, row.until_at
            PaidMembership.objects.bulk_update(rows, ["status", "closed_at"])
            _report(rows, "membership.ended", recorded_at, SYSTEM)
        done += len(rows)
        if len(rows) < SLICE:
            return done


def _lock(member: int) -> None:
    row = Member.objects.select_for_update(no_key=True).get(pk=member)
    if row.status != MemberStatus.ACTIVE:
        raise MembershipError("member_not_active", _("The member is not active."), 403)


def _locked(membership: UUID) -> PaidMembership:
    """Return a membership, its member locked. Raises: MembershipNotFoundError."""
    member = PaidMembership.objects.filter(public_id=membership).values_list("member_id").first()
    if member is None:
        raise MembershipNotFoundError
    Member.objects.select_for_update(no_key=True).get(pk=member[0])
    return PaidMembership.objects.select_related("plan__tier").get(public_id=membership)


def _bought(purchase: Purchase) -> PaidMembership | None:
    rows = PaidMembership.objects.filter(purchase_ref=purchase.ref, touchpoint=purchase.touchpoint)
    return rows.select_related("plan__tier").first()


def _same(known: PaidMembership, member: int, plan: str) -> PaidMembership:
    if known.member_id != member or known.plan.code != plan:
        raise MembershipError(
            "purchase_ref_reused", _("This purchase was made for something else."), 409
        )
    return known


def _sell(
    member: int,
    plan: MembershipPlan,
    purchase: Purchase,
    *,
    from_at: datetime,
    renews: PaidMembership | None,
) -> PaidMembership:
    until_at = _months_later(from_at, plan.months)
    begins_later = from_at > purchase.at
    try:
        with transaction.atomic():
            override = StandingOverride.objects.create(
                member_id=member, tier=plan.tier, is_floor=True, from_at=from_at,
                until_at=until_at, reason=REASON, set_by=purchase.actor[:64], approved_by=SYSTEM,
                created_at=purchase.at, follow_at=from_at if begins_later else until_at,
            )  # fmt: skip
            row = PaidMembership.objects.create(
                public_id=new_public_id(purchase.at), member_id=member, plan=plan,
                override=override, renews=renews, price=plan.price,
                touchpoint=purchase.touchpoint, purchase_ref=purchase.ref, from_at=from_at,
                until_at=until_at, bought_at=purchase.at,
            )  # fmt: skip
    except IntegrityError as error:
        # Sold under the same reference to another member at this very moment.
        if PURCHASE_ONCE not in str(error):
            raise
        raise MembershipError(
            "purchase_ref_reused", _("This purchase was made for something else."), 409
        ) from error
    kind = "membership.bought" if renews is None else "membership.renewed"
    _report([row], kind, purchase.at, purchase.actor)
    if not begins_later:
        follow_tiers(members=[member], at=purchase.at, actor=purchase.actor)
    return row


def _months_later(at: datetime, months: int) -> datetime:
    """Return the same local hour so many months later, on the last day of a shorter month."""
    local = clock.local(at)
    day = clock.add_months(local.date(), months)
    return clock.day_start(day) + (at - clock.day_start(local.date()))


def _report(rows: list[PaidMembership], kind: str, at: datetime, actor: str) -> None:
    events.append([NewEvent(row.member_id, kind, at, at, _payload(row), actor) for row in rows])


def _payload(row: PaidMembership) -> dict[str, Any]:
    return {
        "id": str(row.public_id),
        "plan": row.plan.code,
        "tier": row.plan.tier.code,
        "from": row.from_at.isoformat(),
        "until": row.until_at.isoformat(),
        "price": money.to_text(money.to_minor(Decimal(row.price))),
    }
