"""An activity or a draw is called off: every redemption is cancelled, entry fees go back.

Each redemption is a command of its own, so that a run that is cut off goes on where it was, and one
that cannot be cancelled keeps nobody else from it.
Source: PTS-05.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from config.base.errors import DomainError
from rewards.models import Redemption, RedemptionStatus, Reward, RewardSlot
from rewards.services import redeeming
from rewards.services.redemption import OPEN

BATCH: Final = 200
CALLED_OFF: Final = "called_off"
Progress = Callable[[int, int], None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What calling off a reward, or one date of it, would undo. Units: points given back."""

    slot: RewardSlot | None
    redemptions: int
    members: int
    points: int


def consequences(reward: Reward) -> list[Consequence]:
    """Return what calling off would undo: all of a reward, then each date to come."""
    rows = Redemption.objects.filter(reward=reward)
    dates = reward.slots.order_by("starts_at", "pk")
    return [_undoes(None, rows), *(_undoes(slot, rows.filter(slot=slot)) for slot in dates)]


def _undoes(slot: RewardSlot | None, rows: QuerySet[Redemption]) -> Consequence:
    found = _standing(rows).aggregate(
        redemptions=Count("pk"), members=Count("member", distinct=True), points=Sum("points")
    )
    points = int(found["points"] or 0)
    return Consequence(slot, found["redemptions"], found["members"], points)


def cancel_slot(
    *, slot: RewardSlot, at: datetime, actor: str, progress: Progress | None = None
) -> tuple[int, int]:
    """Call one date off; returns how many redemptions were cancelled, and how many could not be.

    Again goes on with what is left.
    """
    with transaction.atomic():
        row = RewardSlot.objects.select_for_update(no_key=True).get(pk=slot.pk)
        if row.cancelled_at is None:
            row.cancelled_at = at
            row.save(update_fields=["cancelled_at"])
    return _cancel_all(Redemption.objects.filter(slot=slot), at, actor, progress)


def cancel_reward(
    *, reward: Reward, at: datetime, actor: str, progress: Progress | None = None
) -> tuple[int, int]:
    """Call a whole activity or draw off: nobody enters any more, and all who have get it back."""
    with transaction.atomic():
        Reward.objects.select_for_update(no_key=True).filter(pk=reward.pk).update(is_active=False)
    return _cancel_all(Redemption.objects.filter(reward=reward), at, actor, progress)


def _cancel_all(
    rows: QuerySet[Redemption], at: datetime, actor: str, progress: Progress | None
) -> tuple[int, int]:
    """Cancel in the order of their ids, a batch read at a time."""
    standing = _standing(rows).order_by("pk")
    total, done, failed, after = standing.count(), 0, 0, 0
    while batch := list(standing.filter(pk__gt=after).values_list("pk", "public_id")[:BATCH]):
        for key, public_id in batch:
            is_done = _cancel_one(public_id, at, actor)
            done, failed, after = done + is_done, failed + (not is_done), key
            if progress is not None:
                progress(done + failed, max(total, done + failed))
    return done, failed


def _standing(rows: QuerySet[Redemption]) -> QuerySet[Redemption]:
    return rows.filter(Q(status__in=OPEN) | Q(status=RedemptionStatus.HELD))


def _cancel_one(redemption: UUID, at: datetime, actor: str) -> bool:
    try:
        redeeming.cancel(
            redemption=redemption, at=at, actor=actor, reason=CALLED_OFF, needs_active=False
        )
    except DomainError as refused:
        logger.warning("redemption %s was not cancelled: %s", redemption, refused.code)
        return False
    return True
