"""Points or coupons for a list of members: prepared, approved by a second person, then given.

Each member is a transaction of their own, which looks at their line again under its lock: who dies
in the middle is followed by another one, two at once take turns, and nobody is given to twice.

Source: PTS-15, RWD-01, STF-02.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext_lazy as _

from config.base import clock, money
from config.base.errors import DomainError
from members.models import Approval
from members.models.staff import ApprovalState
from members.services import approvals, authority, events, notes
from members.services.events import NewEvent
from rewards.domain import bulk_lists as lists
from rewards.domain.transfers import Grounds
from rewards.models import BulkGrant, BulkGrantLine, CouponTemplate
from rewards.models.bulk_grant import BulkGift, BulkLineState, BulkState
from rewards.models.coupon import CouponKind
from rewards.services import bulk_lists, coupon_issue
from rewards.services.commands import command
from rewards.services.programme import current_book

APPROVAL_KIND: Final = "bulk_grant"
PERMISSION: Final = "rewards.add_bulkgrant"
APPROVE_PERMISSION: Final = "rewards.approve_bulkgrant"
REASON: Final = "bulk_grant"
BATCH: Final = 200
STALE_AFTER: Final = timedelta(minutes=2)
TOLD_EVERY: Final = timedelta(seconds=1)

logger = logging.getLogger(__name__)


class BulkGrantError(DomainError):
    """A list cannot be given to, or not in this state."""


@dataclass(frozen=True, slots=True)
class Gift:
    """What everybody on a list is given: points, or a coupon of a template."""

    points: int | None = None
    template: CouponTemplate | None = None


@transaction.atomic
def prepare(*, text: str, gift: Gift, reason: str, actor: str, at: datetime) -> BulkGrant:
    """Look up whom a list names; nothing is given and nobody is asked yet.

    Raises: BulkGrantError.
    """
    lines = list(lists.read(text))
    if not lines or len(lines) > lists.MOST_LINES:
        message = _("A list has between 1 and 20,000 lines.")
        raise BulkGrantError("list_length", message, lines=len(lines))
    if not reason.strip():
        raise BulkGrantError("reason_required", _("A reason is required."))
    found = bulk_lists.resolve(lines, actor=actor)
    wanted = _amounts(found.members, gift)
    bulk = BulkGrant.objects.create(
        gift=BulkGift.POINTS if gift.template is None else BulkGift.COUPON,
        points=gift.points if gift.template is None else None, coupon_template=gift.template,
        reason=reason.strip(), members=len(wanted),
        total_points=sum(points or 0 for points in wanted.values()), report=found.report(),
        created_by=actor, created_at=at,
    )  # fmt: skip
    bulk.cost = cost_of(bulk, at)
    bulk.save(update_fields=["cost"])
    BulkGrantLine.objects.bulk_create(
        [BulkGrantLine(bulk=bulk, member_id=member, points=n) for member, n in wanted.items()],
        batch_size=2_000,
    )
    return bulk


def _amounts(members: dict[int, int | None], gift: Gift) -> dict[int, int | None]:
    """Return what each member is given; None: a coupon.

    Raises: BulkGrantError where nothing says how many points somebody gets.
    """
    if gift.template is not None:
        return dict.fromkeys(members)
    if gift.points is None and None in members.values():
        message = _("Say how many points each member gets, here or on every line.")
        raise BulkGrantError("points_missing", message)
    return {member: points or gift.points for member, points in members.items()}


def cost_of(bulk: BulkGrant, at: datetime) -> Decimal | None:
    """Return what the list costs at most, None where that depends on what is bought.

    Units: the programme's currency; points at what they are worth when paid with.
    """
    if bulk.coupon_template is None:
        minor = current_book().policy_at(at).paying.amount_of(bulk.total_points)
        return Decimal(minor).scaleb(-money.exponent())
    each = bulk.coupon_template
    if each.kind == CouponKind.AMOUNT:
        return (each.amount or Decimal(0)) * bulk.members
    return None if each.max_discount is None else each.max_discount * bulk.members


@transaction.atomic
def submit(*, bulk_id: int, actor: str, at: datetime) -> Approval:
    """Ask a second person to agree; from here on the list is what it is.

    Raises: BulkGrantError, ApprovalError.
    """
    bulk = _locked(bulk_id)
    if bulk.state != BulkState.PREPARED:
        raise _wrong_state(bulk)
    if not bulk.members:
        raise BulkGrantError("list_empty", _("Nobody on this list can be given anything."))
    bulk.approval = approvals.request(
        kind=APPROVAL_KIND, member_id=None, payload={"bulk": bulk.pk, "digest": digest(bulk)},
        reason=bulk.reason, actor=actor, at=at,
    )  # fmt: skip
    bulk.state = BulkState.REQUESTED
    bulk.save(update_fields=["approval", "state"])
    return bulk.approval


@transaction.atomic
def discard(*, bulk_id: int) -> None:
    """Throw a list away that nobody was asked about, or that was turned down.

    Raises: BulkGrantError.
    """
    bulk = _locked(bulk_id)
    if bulk.state != BulkState.PREPARED:
        raise _wrong_state(bulk)
    bulk.delete()


def digest(bulk: BulkGrant) -> str:
    """Return the fingerprint of what would be given to whom."""
    rows = bulk.lines.order_by("member_id").values_list("member_id", "points")
    said = [bulk.gift, bulk.coupon_template_id, *rows]
    return hashlib.sha256(repr(said).encode()).hexdigest()


@transaction.atomic
def approve(*, approval: Approval, at: datetime) -> BulkGrant:
    """Let workers begin, now that a second person agrees; not who is on the list themselves.

    Raises: BulkGrantError.
    """
    bulk = _locked(int(approval.payload["bulk"]))
    if bulk.state != BulkState.REQUESTED or bulk.approval_id != approval.pk:
        raise _wrong_state(bulk)
    if digest(bulk) != approval.payload["digest"]:
        raise BulkGrantError("list_changed", _("The list is not what was asked for."), 409)
    own = authority.own_accounts(approval.decided_by) | authority.own_accounts(bulk.created_by)
    if bulk.lines.filter(member_id__in=own).exists():
        raise BulkGrantError("own_account", _("Your own member account is on the list."), 403)
    bulk.state = BulkState.GIVING
    bulk.save(update_fields=["state"])
    return bulk


def is_turned_down(bulk: BulkGrant) -> bool:
    """Tell whether approval was asked for and not given."""
    undecided = (ApprovalState.REQUESTED, ApprovalState.APPROVED)
    return bulk.approval is not None and bulk.approval.state not in undecided


def counts(bulk_id: int) -> dict[str, int]:
    """Return how many members of a list there are by what has become of them."""
    rows = BulkGrantLine.objects.filter(bulk_id=bulk_id).values_list("state")
    return dict(rows.annotate(members=Count("pk")).order_by())


def points_given(bulk_id: int) -> int:
    """Return the points that a list has given so far."""
    rows = BulkGrantLine.objects.filter(bulk_id=bulk_id, state=BulkLineState.GIVEN)
    return rows.aggregate(total=Sum("points"))["total"] or 0


def carry_out(*, bulk_id: int, at: datetime) -> int:
    """Give to everybody who waits on an approved list; returns to how many.

    Again, or by two at once, goes on with what is left.
    """
    bulk = BulkGrant.objects.select_related("coupon_template").get(pk=bulk_id)
    if bulk.state != BulkState.GIVING:
        return 0
    done, told_at, after = 0, None, 0
    while lines := _waiting(bulk, after):
        for line in lines:
            done += _given(line, bulk, at)
            now = clock.now()
            if told_at is None or now - told_at >= TOLD_EVERY:
                BulkGrant.objects.filter(pk=bulk.pk).update(heartbeat_at=now)
                told_at = now
        after = lines[-1]
    _finish(bulk.pk, at)
    return done


def _waiting(bulk: BulkGrant, after: int) -> Sequence[int]:
    rows = BulkGrantLine.objects.filter(bulk=bulk, state=BulkLineState.WAITING, pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])


def _given(line_id: int, bulk: BulkGrant, at: datetime) -> bool:
    """Give to one member; a fault of ours leaves them waiting and keeps nobody else from it."""
    try:
        return _give(line_id, bulk, at)
    except Exception:
        logger.exception("line %s of a bulk grant failed", line_id)
        return False


def _give(line_id: int, bulk: BulkGrant, at: datetime) -> bool:
    """Give to one member; what cannot be given is said on the line."""
    with transaction.atomic():
        line = _claimed(line_id)
        if line is None:
            return False
        try:
            with transaction.atomic():
                _give_to(line, bulk, at)
        except DomainError as refused:
            line.state, line.code = BulkLineState.FAILED, refused.code[:40]
        else:
            line.state, line.given_at = BulkLineState.GIVEN, at
        line.save(update_fields=["state", "code", "given_at"])
        return line.state == BulkLineState.GIVEN


def _claimed(line_id: int) -> BulkGrantLine | None:
    """Return a line that still waits, locked until it is dealt with."""
    rows = BulkGrantLine.objects.select_for_update(no_key=True)
    return rows.filter(pk=line_id, state=BulkLineState.WAITING).first()


def _give_to(line: BulkGrantLine, bulk: BulkGrant, at: datetime) -> None:
    said: dict[str, Any] = {"bulk_grant": bulk.pk, "actor": bulk.created_by}
    with command(member=line.member_id, at=at, actor=bulk.created_by) as current:
        if line.points is not None:
            expires_at = current_book().policy_at(at).expires_at(at)
            grounds = Grounds(None, None, REASON, current.cause)
            current.account.adjust(grounds, line.points, at, expires_at=expires_at)
            note = notes.seal(member=line.member_id, text=bulk.reason)
            current.report("points.adjusted", {"points": line.points, "note": note, **said})
    if line.points is None:
        assert bulk.coupon_template is not None
        coupon_issue.issue(
            template=bulk.coupon_template, member=line.member_id, count=1, at=at,
            actor=bulk.created_by,
        )  # fmt: skip
        said["template"] = bulk.coupon_template.code
        events.append([NewEvent(line.member_id, "bulk_grant.given", at, at, said)])


@transaction.atomic
def _finish(bulk_id: int, at: datetime) -> None:
    """Call a list done once nobody on it waits."""
    bulk = _locked(bulk_id)
    if not bulk.lines.filter(state=BulkLineState.WAITING).exists():
        bulk.state, bulk.finished_at = BulkState.DONE, at
        bulk.save(update_fields=["state", "finished_at"])


def waiting(*, at: datetime) -> list[int]:
    """Return the approved lists that no worker has shown progress on for a while."""
    silent = Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=at - STALE_AFTER)
    rows = BulkGrant.objects.filter(silent, state=BulkState.GIVING)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _locked(bulk_id: int) -> BulkGrant:
    rows = BulkGrant.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("coupon_template", "approval").get(pk=bulk_id)


def _wrong_state(bulk: BulkGrant) -> BulkGrantError:
    message = _("The list does not stand where this can be done.")
    return BulkGrantError("bulk_grant_state", message, 409, state=bulk.state)
