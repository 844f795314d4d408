"""What becomes of redemptions and gifts: given, approved, handed over, revoked with their grant.

What moves points back is in `redeeming`; here nothing touches an account.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base import bulk
from config.base.errors import DomainError
from members.services import events
from rewards.domain.holds import HoldState
from rewards.models import (
    Grant,
    PointsAccount,
    Redemption,
    RedemptionStatus,
    Reward,
    RewardKind,
)
from rewards.services import gifts, reward_codes, stock
from rewards.services.catalogue import WITH_CODES
from rewards.services.happened import Happened
from tiers.services import entitlements

OPEN: Final = frozenset({RedemptionStatus.REQUESTED.value, RedemptionStatus.APPROVED.value})
GRANT_REVOKED: Final = "grant_revoked"
UNFULFILLED: Final = "redemption_unfulfilled"
CLOSED_BECAUSE: Final = {HoldState.RELEASED: "released", HoldState.LAPSED: "lapsed"}

# What there is to do for each reservation, so that one of points alone costs nothing more.
_CLOSED: Final = """
SELECT r.id, r.public_id, r.status,
       EXISTS (SELECT FROM tiers_entitlementuse u WHERE u.reservation = r.public_id),
       EXISTS (SELECT FROM rewards_redemption d WHERE d.reservation_id = r.id)
FROM rewards_reservation r WHERE r.id = ANY(%s::bigint[]) ORDER BY r.id
"""


class RedemptionNotFoundError(DomainError):
    """There is no redemption with this id."""

    def __init__(self) -> None:
        super().__init__("redemption_not_found", _("There is no such redemption."), 404)


class RedemptionStateError(DomainError):
    """A redemption does not stand where the verb needs it."""

    def __init__(self, code: str, message: Any, status: str) -> None:
        super().__init__(code, message, 409, redemption_status=status)


def give(  # noqa: PLR0913 - what a gift says
    *,
    member: int,
    reward: Reward,
    quantity: int,
    at: datetime,
    actor: str,
    grant: Grant | None = None,
    pack: Redemption | None = None,
) -> Redemption:
    """Give a reward without points; takes stock. In the caller's transaction.

    Raises: OutOfStockError.
    Source: RWD-02.
    """
    redemption, _contents = gifts.give_reward(
        reward=reward, quantity=quantity, member=member, at=at, actor=actor, grant=grant, pack=pack
    )
    return redemption


def revoke_of_grants(
    *, grants: Collection[int], at: datetime, actor: str
) -> tuple[int, list[Redemption]]:
    """Cancel what gifts have given and nobody has fetched; returns how many, and the rest.

    In the caller's transaction, which holds the members' locks.
    """
    rows = Redemption.objects.filter(grant__in=grants).select_related("reward").order_by("id")
    found = list(rows.select_for_update(of=("self",), no_key=True))
    open_ones = [r for r in found if r.status in OPEN]
    cancel_open(open_ones, reason=GRANT_REVOKED, at=at, actor=actor)
    done = [r for r in found if r.status == RedemptionStatus.FULFILLED]
    return len(open_ones), [r for r in done if r.reward.kind != RewardKind.PACK]


def cancel_open(
    redemptions: Collection[Redemption], *, reason: str, at: datetime, actor: str
) -> None:
    """Cancel locked redemptions that are open, and put their stock back; points are not touched."""
    if not redemptions:
        return
    stock.give_back(redemptions, reason="cancelled", at=at, actor=actor)
    reward_codes.take_back(r for r in redemptions if r.reward.kind in WITH_CODES)
    close(redemptions, RedemptionStatus.CANCELLED, reason, at)


def close(
    redemptions: Collection[Redemption], status: RedemptionStatus, reason: str, at: datetime
) -> None:
    """Write that redemptions are cancelled or returned, and report it."""
    for redemption in redemptions:
        redemption.status, redemption.closed_at = status, at
        redemption.close_reason = reason[:40]
    Redemption.objects.bulk_update(redemptions, ["status", "closed_at", "close_reason"])
    kind = f"redemption.{status.value}"
    events.append([gifts.event(kind, redemption, at, reason) for redemption in redemptions])


@transaction.atomic
def approve(*, redemption: int, at: datetime, actor: str) -> Redemption:
    """Approve a redemption; what is handed over at once follows.

    Raises: RedemptionNotFoundError, RedemptionStateError, OutOfStockError.
    """
    row = locked(redemption)
    if row.status != RedemptionStatus.REQUESTED:
        raise RedemptionStateError(
            "redemption_not_requested", _("Only what is requested can be approved."), row.status
        )
    row.status, row.approved_at, row.approved_by = RedemptionStatus.APPROVED, at, actor[:80]
    news = [gifts.event("redemption.approved", row, at)]
    if row.reward.kind in gifts.AT_ONCE:
        _contents(row, at=at, actor=actor)
        news.append(gifts.event("redemption.fulfilled", row, at))
    row.save(update_fields=["status", "approved_at", "approved_by", "fulfilled_at"])
    events.append(news)
    return row


@transaction.atomic
def fulfil(
    *, redemption: int, at: datetime, actor: str, carrier: str = "", tracking_number: str = ""
) -> Redemption:
    """Hand a reward over, or send it on its way.

    Raises: RedemptionNotFoundError, RedemptionStateError.
    Source: RWD-11.
    """
    row = locked(redemption)
    needs = RedemptionStatus.APPROVED if row.reward.needs_approval else None
    if row.status not in OPEN or (needs is not None and row.status != needs):
        raise RedemptionStateError(
            "redemption_not_open", _("The redemption cannot be handed over now."), row.status
        )
    if row.reward.kind in gifts.AT_ONCE:
        _contents(row, at=at, actor=actor)
    row.status, row.fulfilled_at = RedemptionStatus.FULFILLED, at
    row.carrier, row.tracking_number = carrier[:40], tracking_number[:64]
    row.save(update_fields=["status", "fulfilled_at", "carrier", "tracking_number"])
    events.append([gifts.event("redemption.fulfilled", row, at, actor)])
    return row


def locked(key: int) -> Redemption:
    """Return a redemption with its reward, locked after the account of its member.

    Raises: RedemptionNotFoundError.
    """
    owner = PointsAccount.objects.filter(member__redemptions=key, kind="points").order_by("id")
    list(owner.select_for_update(of=("self",), no_key=True).values_list("pk"))
    rows = Redemption.objects.select_related("reward__coupon_template", "reward__benefit")
    row = rows.select_for_update(of=("self",), no_key=True).filter(pk=key).first()
    if row is None:
        raise RedemptionNotFoundError
    return row


def follow_holds(happened: Happened) -> None:
    """Let stock, redemptions and benefits follow reservations captured, released, or lapsed.

    Capture, release, lapse and payment of an order share this path.
    """
    if not happened.closed_holds:
        return
    closed = bulk.fetch(_CLOSED, [sorted(happened.closed_holds)])
    for used in (True, False):
        with_uses = [row[1] for row in closed if row[3] and (row[2] == "captured") is used]
        entitlements.settle(reservations=with_uses, used=used, at=happened.at, actor=happened.actor)
    with_rewards = [row[0] for row in closed if row[4]]
    if with_rewards:
        _follow(with_rewards, happened)


def _follow(reservations: Collection[int], happened: Happened) -> None:
    rows = Redemption.objects.filter(
        reservation__in=reservations, status=RedemptionStatus.HELD
    ).order_by("id")
    related = rows.select_related("reward__coupon_template", "reward__benefit")
    held = list(related.select_for_update(of=("self",), no_key=True))
    states = happened.closed_holds
    taken = [r for r in held if states[r.reservation_id or 0] is HoldState.CAPTURED]
    _let_go([r for r in held if r not in taken], happened)
    _take(taken, happened)


def _let_go(redemptions: Collection[Redemption], happened: Happened) -> None:
    stock.settle(redemptions, captured=False, at=happened.at, actor=happened.actor)
    for state, reason in CLOSED_BECAUSE.items():
        closed = [r for r in redemptions if happened.closed_holds[r.reservation_id or 0] is state]
        if closed:
            reward_codes.take_back(r for r in closed if r.reward.kind in WITH_CODES)
            close(closed, RedemptionStatus.CANCELLED, reason, happened.at)


def _take(redemptions: Collection[Redemption], happened: Happened) -> None:
    if not redemptions:
        return
    at = happened.at
    stock.settle(redemptions, captured=True, at=at, actor=happened.actor)
    for redemption in redemptions:
        redemption.status = RedemptionStatus.REQUESTED
        if redemption.reward.kind in gifts.AT_ONCE and not redemption.reward.needs_approval:
            _hand_over(redemption, happened)
    Redemption.objects.bulk_update(redemptions, ["status", "fulfilled_at"])
    events.append([gifts.event("redemption.requested", r, at) for r in redemptions])


def _hand_over(redemption: Redemption, happened: Happened) -> None:
    """Hand over what was reserved; a fact is never refused for what cannot be handed over."""
    fact = happened.fact_of_member.get(redemption.member_id)
    if fact is None:
        _contents(redemption, at=happened.at, actor=happened.actor)
        return
    try:
        with transaction.atomic():
            issued = _contents(redemption, at=happened.at, actor=happened.actor)
    except DomainError as refused:
        # It stays requested: staff hand it over when they can.
        issue = {"code": refused.code, "reward": redemption.reward.code}
        happened.open_case(redemption.member_id, fact, issue, about=UNFULFILLED)
        return
    for item in (gifts.reward_item(redemption), *issued):
        happened.tell_issued(fact, item)


def _contents(redemption: Redemption, *, at: datetime, actor: str) -> list[gifts.Item]:
    if redemption.reward.kind in WITH_CODES and redemption.codes.exists():
        # Its codes were set aside with the reservation.
        redemption.status, redemption.fulfilled_at = RedemptionStatus.FULFILLED, at
        return []
    return gifts.hand_over(redemption, at=at, actor=actor)
